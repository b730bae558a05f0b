#pragma once

#include <expected>
#include <memory>
#include <string>
#include <utility>

#include "node/local_end.hpp"
#include "qsp/endpoint.hpp"

/// The ends of the sessions between the processes of a simulated link.
namespace qsp::e91::station {

/// A process's own key, and the file of whom it knows.
struct StationIdentity {
  std::string key, passphrase_file, peers;
  node::PassphrasePrompt ask = nullptr;       ///< for the passphrase of an encrypted key without a passphrase file
  node::NameSetting name = node::field_name;  ///< what messages call the files
};

/// Makes sessions of QSP 1.0 in the name of one process, on one thread.
class StationEnd {
 public:
  /// `peer`: a client's, by its pinned name.
  static std::expected<StationEnd, node::Refused> load(const StationIdentity& identity, Role role,
                                                       const std::string& peer);

  /// Error: see Channel::client and Channel::server.
  Result<std::unique_ptr<Endpoint>> make() { return endpoints_->make(false); }

 private:
  StationEnd(std::unique_ptr<node::LocalEnd> end, std::unique_ptr<node::EndpointFactory> endpoints)
      : end_(std::move(end)), endpoints_(std::move(endpoints)) {}

  std::unique_ptr<node::LocalEnd> end_;
  std::unique_ptr<node::EndpointFactory> endpoints_;
};

}  // namespace qsp::e91::station

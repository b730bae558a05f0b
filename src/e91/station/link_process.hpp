#pragma once

#include <expected>
#include <memory>
#include <string>

#include "e91/station/end.hpp"
#include "e91/station/process_events.hpp"
#include "e91/station/server.hpp"
#include "qsp/crypto.hpp"

namespace qsp::e91::station {

/// What the quantum channel is made from.
struct LinkProcessConfig {
  StationIdentity identity;
  std::string listen = "127.0.0.1";          ///< HOST:PORT; port 0 lets the system choose
  std::string alice = "alice", bob = "bob";  ///< pinned names of the stations
  std::string link_file;
  std::string eve = "none", eve_file;
  bool real_time = false;  ///< a block takes as long as its light would
};

/// The quantum channel, simulated, as a server for two stations.
class LinkProcess {
 public:
  /// Reads all files, and listens. `events` outlives it.
  static std::expected<std::unique_ptr<LinkProcess>, node::Refused> open(const LinkProcessConfig& config,
                                                                         ProcessEvents& events);
  ~LinkProcess();
  LinkProcess(const LinkProcess&) = delete;
  LinkProcess& operator=(const LinkProcess&) = delete;

  [[nodiscard]] net::Loop& loop() noexcept { return server_->server().loop(); }
  [[nodiscard]] net::tcp::endpoint listening() const { return server_->server().local_endpoint(); }
  /// Until it is stopped. Error: a thread could not be started.
  std::expected<void, std::string> run() { return server_->server().run(); }
  void stop() { server_->server().stop(); }

 private:
  class Sessions;

  explicit LinkProcess(const LinkProcessConfig& config);

  LinkProcessConfig config_;
  std::unique_ptr<crypto::Provider> provider_;
  std::unique_ptr<StationEnd> end_;
  std::unique_ptr<Sessions> sessions_;
  std::unique_ptr<StationServer> server_;
};

}  // namespace qsp::e91::station

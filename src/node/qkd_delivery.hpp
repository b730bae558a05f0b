#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "net/connection.hpp"
#include "node/qkd_keys.hpp"
#include "qsp/key_source.hpp"

namespace qsp::node {

/// Answers the sessions of one thread from those sources, on their own loop. What comes after a connection's end is
/// burned. Where the pace of rekeys follows the KME's supply, the options of the sessions have its floor as interval.
class QkdDelivery final : public net::KeyDelivery {
 public:
  QkdDelivery(QkdKeys& keys, Role role);
  ~QkdDelivery() override;
  QkdDelivery(const QkdDelivery&) = delete;
  QkdDelivery& operator=(const QkdDelivery&) = delete;

  void fetch(net::Connection& connection, const QkdKeyNeeded& needed) override;
  void forget(net::Connection& connection) override;
  std::optional<Instant> next_rekey(const net::Connection& connection, Instant epoch_began, Instant now) override;

 private:
  class Waiting;
  void ask(net::Connection& connection, const QkdKeyNeeded& needed);
  void hand_over(net::Connection& connection, const std::string& sae_id, Instant deadline, keysource::Answer answer);

  QkdKeys& keys_;
  Role role_;
  std::unordered_map<const net::Connection*, std::string> peers_;  ///< the SAE IDs of sessions that use QKD keys
  std::shared_ptr<Waiting> waiting_;  ///< shared with the answers that are under way on other threads
};

}  // namespace qsp::node

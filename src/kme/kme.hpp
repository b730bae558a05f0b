#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "https/server.hpp"
#include "kme/admin.hpp"
#include "kme/api/api.hpp"
#include "kme/api/metrics.hpp"
#include "kme/config/config.hpp"
#include "kme/link/peer_link.hpp"
#include "kme/link/producer.hpp"
#include "kme/store/faults.hpp"
#include "kme/store/queue.hpp"
#include "net/loop.hpp"
#include "qsp/crypto.hpp"

namespace qsp::kme {

/// A key management entity: its store, its links, and the two ports that it answers at. Runs on one loop; the store has
/// a thread of its own.
class Kme final : private https::Handler {
 public:
  /// Opens the store and listens. `loop` and `rng` outlive the KME. The error names file or field and the remedy.
  static files::OrText<std::unique_ptr<Kme>> open(net::Loop& loop, Config config, crypto::Rng& rng,
                                                  bool allow_fault_injection);
  Kme(const Kme&) = delete;
  Kme& operator=(const Kme&) = delete;
  ~Kme() override = default;

  [[nodiscard]] std::uint16_t port() const noexcept { return server_->port(); }
  /// 0 where there is none.
  [[nodiscard]] std::uint16_t admin_port() const noexcept { return admin_server_ ? admin_server_->port() : 0; }
  /// Answers nobody new; calls under way have `grace` to end.
  void stop(std::chrono::nanoseconds grace);
  /// That are open, at both ports.
  [[nodiscard]] std::size_t connections() const noexcept;
  /// Reads certificates, keys, authorities and revocation lists again, for all that uses them: callers, links and the
  /// database. Connections that they do not admit are closed. On an error, which names the file, nothing has changed.
  files::OrText<void> reload();

 private:
  Kme(net::Loop& loop, Config config, crypto::Rng& rng);
  files::OrText<void> start(bool allow_fault_injection);
  void handle(https::Request request, https::Respond respond) override;

  net::Loop& loop_;
  Config config_;
  Faults faults_;
  api::Counters counters_;
  link::RandomProducer random_;
  std::vector<std::unique_ptr<link::PeerLink>> links_;  ///< in the order of config_.links
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<Admin> admin_;
  std::unique_ptr<https::Server> server_;
  std::unique_ptr<https::Server> admin_server_;
  std::unique_ptr<StoreQueue> queue_;  ///< last: it ends first, and what it calls uses the others
};

}  // namespace qsp::kme

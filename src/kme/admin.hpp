#pragma once

#include <memory>
#include <string>
#include <vector>

#include "https/metrics_text.hpp"
#include "https/server.hpp"
#include "kme/api/metrics.hpp"
#include "kme/config/config.hpp"
#include "kme/link/peer_link.hpp"
#include "kme/store/faults.hpp"
#include "kme/store/queue.hpp"

namespace qsp::kme {

/// The operator's port, plain HTTP on the loopback interface: GET /healthz, /metrics (Prometheus), /status (JSON), and
/// where the KME allows it GET and POST /faults.
class Admin final : public https::Handler {
 public:
  /// All arguments outlive the object. `faults` is null where injection is not allowed.
  Admin(const Config& config, const std::vector<std::unique_ptr<link::PeerLink>>& links, const https::Server& server,
        const api::Counters& counters, const StoreQueue& queue, Faults* faults) noexcept
      : config_(config), links_(links), server_(server), counters_(counters), queue_(queue), faults_(faults) {}

  void handle(https::Request request, https::Respond respond) override;

 private:
  [[nodiscard]] https::Response health() const;
  [[nodiscard]] https::Response metrics() const;
  void feeds(https::MetricsText& text) const;
  [[nodiscard]] https::Response status() const;
  [[nodiscard]] https::Response faults(const https::Request& request) const;

  const Config& config_;
  const std::vector<std::unique_ptr<link::PeerLink>>& links_;
  const https::Server& server_;
  const api::Counters& counters_;
  const StoreQueue& queue_;
  Faults* faults_;
};

}  // namespace qsp::kme

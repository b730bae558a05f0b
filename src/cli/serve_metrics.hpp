#pragma once

#include <atomic>
#include <cstdint>

#include "cli/sessions.hpp"
#include "https/server.hpp"
#include "qsp/channel.hpp"

namespace qsp::cli {

/// What a server has done since it started, for Prometheus: GET /metrics, and /healthz. Counted from any thread.
class ServeMetrics final : public https::Handler {
 public:
  /// `setup` outlives it.
  explicit ServeMetrics(const Setup& setup) : setup_(setup) {}

  void established(const ChannelStatus& status);
  /// A new epoch of a session began, its first one included. One that tells nothing of its epochs is not counted.
  void epoch(const ChannelStatus& status);
  void closed(Reason reason, bool was_established, std::uint64_t received, std::uint64_t sent);
  /// A connection was closed at once; one that was silent went for another.
  void refused() { ++refused_; }
  void displaced() { ++displaced_; }

  void handle(https::Request request, https::Respond respond) override;

 private:
  using Count = std::atomic<std::uint64_t>;

  [[nodiscard]] https::Response metrics() const;

  const Setup& setup_;
  Count established_ = 0, closed_normal_ = 0, closed_failed_ = 0, handshakes_failed_ = 0, qkd_unavailable_ = 0;
  Count epochs_with_qkd_ = 0, epochs_without_ = 0, epochs_degraded_ = 0;
  Count received_bytes_ = 0, sent_bytes_ = 0, refused_ = 0, displaced_ = 0;
};

}  // namespace qsp::cli

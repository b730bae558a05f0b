#pragma once

#include <atomic>
#include <cstdint>

#include "https/server.hpp"
#include "node/local_end.hpp"
#include "qsp/channel.hpp"

namespace qsp::node {

/// What became of connections and sessions so far.
struct SessionCounts {
  std::uint64_t established = 0;
  std::uint64_t open = 0;          ///< of these, not ended
  std::uint64_t closed_well = 0;   ///< likewise, ended with NORMAL
  std::uint64_t closed_badly = 0;  ///< likewise, ended with anything else
  std::uint64_t never_established = 0;
  std::uint64_t refused = 0;    ///< connections, for lack of room
  std::uint64_t displaced = 0;  ///< likewise silent ones, for newcomers
};

/// What a node has done since it started, for Prometheus: GET /metrics, and /healthz. Counted from any thread.
class Metrics final : public https::Handler {
 public:
  /// `end` outlives it.
  explicit Metrics(const LocalEnd& end) : end_(end) {}

  /// `status`: nothing of a profile whose sessions tell none.
  void established(const ChannelStatus* status);
  /// A new epoch of a session began, its first one included. One that tells nothing of its epochs is not counted.
  void epoch(const ChannelStatus& status);
  void closed(Reason reason, bool was_established, std::uint64_t received, std::uint64_t sent);
  /// A connection was closed at once; one that was silent went for another.
  void refused() { ++refused_; }
  void displaced() { ++displaced_; }

  [[nodiscard]] SessionCounts counts() const noexcept;

  void handle(https::Request request, https::Respond respond) override;

 private:
  using Count = std::atomic<std::uint64_t>;

  [[nodiscard]] https::Response metrics() const;

  const LocalEnd& end_;
  Count established_ = 0, closed_normal_ = 0, closed_failed_ = 0, handshakes_failed_ = 0, qkd_unavailable_ = 0;
  Count epochs_with_qkd_ = 0, epochs_without_ = 0, epochs_degraded_ = 0;
  Count received_bytes_ = 0, sent_bytes_ = 0, refused_ = 0, displaced_ = 0;
};

}  // namespace qsp::node

#pragma once

#include <chrono>
#include <optional>
#include <random>

#include "qsp/endpoint.hpp"

/// Dialling again where that may help: the server was full, or a budget of QKD keys was spent.
namespace qsp::cli {

/// The pauses between such dials, until the time for them is over.
class Redial {
 public:
  /// Gives up `within` after `now`. `seed` differs from process to process.
  Redial(std::chrono::nanoseconds within, Instant now, std::minstd_rand::result_type seed)
      : end_(now + within), random_(seed) {}

  /// How long to wait for room. What these pauses are drawn from doubles from 0.2 s to 60 s (SPEC §5.9); each is drawn
  /// evenly from its upper half, so that clients who were refused together do not come back together. The last one ends
  /// with the time.
  std::optional<std::chrono::nanoseconds> pause_for_room(Instant now);

  /// How long to wait for the next key: the wait of SPEC §5.9, which is never cut short.
  std::optional<std::chrono::nanoseconds> pause_for_budget(Instant now) noexcept;

 private:
  Instant end_;
  std::minstd_rand random_;
  std::chrono::nanoseconds longest_ = std::chrono::milliseconds(200);
  unsigned waits_for_budget_ = 0;
};

}  // namespace qsp::cli

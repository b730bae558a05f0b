#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "qsp/endpoint.hpp"

/// Dialling again where a server said that it is full.
namespace qsp::cli {

/// The pauses between such dials: they double from 0.2 s to 3 s, and each is drawn evenly from the upper half of that,
/// so that clients who were refused together do not come back together.
class Redial {
 public:
  /// Gives up `within` after `now`. `seed` differs from process to process.
  Redial(std::chrono::nanoseconds within, Instant now, std::uint64_t seed) noexcept
      : end_(now + within), random_(seed) {}

  /// How long to wait before the next dial; nothing once the time is over. The last pause ends with the time.
  std::optional<std::chrono::nanoseconds> next_pause(Instant now) noexcept;

 private:
  Instant end_;
  std::uint64_t random_;
  std::chrono::nanoseconds longest_ = std::chrono::milliseconds(200);
};

}  // namespace qsp::cli

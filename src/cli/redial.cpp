#include "cli/redial.hpp"

#include <algorithm>

#include "cli/qkd_budget.hpp"

namespace qsp::cli {
namespace {

constexpr std::chrono::seconds kLongestPause{60};       ///< SPEC §5.9
constexpr std::chrono::milliseconds kShortestRest{20};  ///< what is left of the time, if it is worth another dial

}  // namespace

std::optional<std::chrono::nanoseconds> Redial::pause_for_room(Instant now) {
  if (now + kShortestRest > end_) return std::nullopt;
  std::uniform_int_distribution<std::chrono::nanoseconds::rep> upper_half(longest_.count() / 2, longest_.count());
  const std::chrono::nanoseconds pause(upper_half(random_));
  longest_ = std::min<std::chrono::nanoseconds>(2 * longest_, kLongestPause);
  return std::min(pause, end_ - now);
}

std::optional<std::chrono::nanoseconds> Redial::pause_for_budget(Instant now) noexcept {
  const std::chrono::nanoseconds pause = wait_for_budget(waits_for_budget_ + 1);
  if (now + pause > end_) return std::nullopt;
  ++waits_for_budget_;
  return pause;
}

}  // namespace qsp::cli

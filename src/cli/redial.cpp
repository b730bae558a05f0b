#include "cli/redial.hpp"

#include <algorithm>

namespace qsp::cli {
namespace {

constexpr std::chrono::seconds kLongestPause{3};
constexpr std::chrono::milliseconds kShortestRest{20};  ///< what is left of the time, if it is worth another dial

/// SplitMix64: evenly spread, and nothing hangs on its secrecy.
std::uint64_t next(std::uint64_t& state) noexcept {
  std::uint64_t mixed = state += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  return mixed ^ mixed >> 31;
}

}  // namespace

std::optional<std::chrono::nanoseconds> Redial::next_pause(Instant now) noexcept {
  if (now + kShortestRest > end_) return std::nullopt;
  const auto half = static_cast<std::uint64_t>(longest_.count() / 2);
  const std::chrono::nanoseconds pause(static_cast<std::int64_t>(half + next(random_) % (half + 1)));
  longest_ = std::min<std::chrono::nanoseconds>(2 * longest_, kLongestPause);
  return std::min(pause, end_ - now);
}

}  // namespace qsp::cli

#include "cli/redial.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

namespace qsp::cli {
namespace {

constexpr std::chrono::seconds kLongestPause{3};
constexpr std::chrono::milliseconds kShortestRest{20};  ///< what is left of the time, if it is worth another dial
constexpr double kLongestWait = 86'400;

/// SplitMix64: evenly spread, and nothing hangs on its secrecy.
std::uint64_t next(std::uint64_t& state) noexcept {
  std::uint64_t mixed = state += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  return mixed ^ mixed >> 31;
}

}  // namespace

std::expected<std::chrono::nanoseconds, std::string> parse_wait(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 5> kUnits{
      {{"", 1}, {"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}}};
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto* const known = std::ranges::find(kUnits, unit, &std::pair<std::string_view, double>::first);
  const double seconds = known == kUnits.end() ? -1 : number * known->second;
  if (failed != std::errc{} || !std::isfinite(seconds) || seconds < 0 || seconds > kLongestWait) {
    return std::unexpected("write a time such as 500ms, 10s or 2m; 0: not at all");
  }
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

std::optional<std::chrono::nanoseconds> Redial::next_pause(Instant now) noexcept {
  if (now + kShortestRest > end_) return std::nullopt;
  const auto half = static_cast<std::uint64_t>(longest_.count() / 2);
  const std::chrono::nanoseconds pause(static_cast<std::int64_t>(half + next(random_) % (half + 1)));
  longest_ = std::min<std::chrono::nanoseconds>(2 * longest_, kLongestPause);
  return std::min(pause, end_ - now);
}

}  // namespace qsp::cli

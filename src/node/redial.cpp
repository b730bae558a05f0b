#include "node/redial.hpp"

#include <algorithm>

#include "keysource/budget.hpp"
#include "node/dial_report.hpp"

namespace qsp::node {
namespace {

using std::chrono::seconds;

constexpr seconds kLongestPause{60};  ///< SPEC §5.9
constexpr seconds kRefill = std::chrono::duration_cast<seconds>(keysource::QkdBudget::kRefill);
constexpr std::chrono::milliseconds kShortestPause{20};
constexpr std::chrono::nanoseconds kLastDial = std::chrono::seconds(1);

}  // namespace

bool is_spent_budget(const Closed& handshake) noexcept { return handshake.reason == Reason::Limit; }

seconds wait_for_budget(unsigned dial) noexcept {
  constexpr unsigned kDoublings = 3;  // 10, 20, 40 s are below the longest
  return std::min(kLongestPause, kRefill * (1U << std::min(std::max(dial, 1U) - 1, kDoublings)));
}

Redial::Redial(std::chrono::nanoseconds within, Instant now, std::minstd_rand::result_type seed)
    : begin_by_(now + within - std::min(kLastDial, within / 2)),
      dial_by_(within == std::chrono::nanoseconds::zero() ? Instant::max() : now + within),
      random_(seed) {}

std::optional<Redial::Next> Redial::after(const DialReport& dial, Instant now) {
  if (dial.interrupted) return std::nullopt;
  std::optional<std::chrono::nanoseconds> pause;
  if (dial.server_is_full()) pause = pause_for_room(now);
  if (dial.budget_is_spent()) pause = pause_for_budget(now);
  if (pause) return Next{.pause = *pause, .without_qkd = false};
  if (dial.without_qkd || !dial.may_redial_without_qkd || now >= dial_by_) return std::nullopt;
  return Next{.pause = {}, .without_qkd = true};
}

std::optional<std::chrono::nanoseconds> Redial::pause_for_room(Instant now) {
  if (now + kShortestPause > begin_by_) return std::nullopt;
  std::uniform_int_distribution<std::chrono::nanoseconds::rep> upper_half(longest_.count() / 2, longest_.count());
  const std::chrono::nanoseconds pause(upper_half(random_));
  longest_ = std::min<std::chrono::nanoseconds>(2 * longest_, kLongestPause);
  return std::min(pause, begin_by_ - now);
}

std::optional<std::chrono::nanoseconds> Redial::pause_for_budget(Instant now) noexcept {
  const std::chrono::nanoseconds pause = wait_for_budget(waits_for_budget_ + 1);
  if (now + pause > begin_by_) return std::nullopt;
  ++waits_for_budget_;
  return pause;
}

}  // namespace qsp::node

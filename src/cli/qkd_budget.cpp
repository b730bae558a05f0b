#include "cli/qkd_budget.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "keysource/budget.hpp"

namespace qsp::cli {
namespace {

using std::chrono::seconds;

constexpr seconds kRefill = std::chrono::duration_cast<seconds>(keysource::QkdBudget::kRefill);
constexpr seconds kLongest{60};  ///< SPEC §5.9

}  // namespace

bool is_spent_budget(const Closed& handshake) noexcept { return handshake.reason == Reason::Limit; }

std::string explain_spent_budget(std::string_view target, const Closed& handshake) {
  return fmt::format(
      "{}'s budget of QKD keys is spent{} (LIMIT: {} handshakes at once, then one every {} s): wait {} s and connect "
      "again",
      handshake.by_peer ? target : "this end", handshake.by_peer ? ", or it has no room now" : "",
      keysource::QkdBudget::kFetches, kRefill.count(), kRefill.count());
}

seconds wait_for_budget(unsigned dial) noexcept {
  constexpr unsigned kDoublings = 3;  // 10, 20, 40 s are below the longest
  return std::min(kLongest, kRefill * (1U << std::min(std::max(dial, 1U) - 1, kDoublings)));
}

}  // namespace qsp::cli

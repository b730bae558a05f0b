#include "cli/qkd_budget.hpp"

#include <fmt/format.h>

#include <chrono>

#include "keysource/budget.hpp"

namespace qsp::cli {

std::string explain_spent_budget(std::string_view target, const Closed& handshake) {
  constexpr auto kRefill = std::chrono::duration_cast<std::chrono::seconds>(keysource::QkdBudget::kRefill);
  return fmt::format(
      "{}'s budget of QKD keys is spent{} (LIMIT: {} handshakes at once, then one every {} s): wait {} s and connect "
      "again",
      handshake.by_peer ? target : "this end", handshake.by_peer ? ", or it has no room now" : "",
      keysource::QkdBudget::kFetches, kRefill.count(), kRefill.count());
}

}  // namespace qsp::cli

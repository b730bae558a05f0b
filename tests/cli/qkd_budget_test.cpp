#include "cli/qkd_budget.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace qsp::cli {
namespace {

using namespace std::chrono_literals;

// SPEC §5.9.
TEST(QkdBudgetOfAClient, OneRefillPassesBeforeTheNextDialAndTheDelaysDouble) {
  std::vector<std::chrono::seconds> waits;
  for (unsigned dial = 1; dial <= 6; ++dial) waits.push_back(wait_for_budget(dial));
  EXPECT_EQ(waits, (std::vector<std::chrono::seconds>{10s, 20s, 40s, 60s, 60s, 60s}));
  EXPECT_EQ(wait_for_budget(4'000'000'000), 60s);
}

TEST(QkdBudgetOfAClient, SaysWhoseItIsAndHowLongToWait) {
  Closed closed{.reason = Reason::Limit, .text = "", .by_peer = true};
  EXPECT_TRUE(is_spent_budget(closed));
  EXPECT_EQ(explain_spent_budget("bob:7155", closed),
            "bob:7155's budget of QKD keys is spent, or it has no room now (LIMIT: 10 handshakes at once, then one "
            "every 10 s): wait 10 s and "
            "connect again");
  closed.by_peer = false;
  EXPECT_TRUE(explain_spent_budget("bob:7155", closed).starts_with("this end's budget"));
  closed.reason = Reason::QkdUnavailable;
  EXPECT_FALSE(is_spent_budget(closed));
}

}  // namespace
}  // namespace qsp::cli

#include "cli/qkd_budget.hpp"

#include <gtest/gtest.h>

namespace qsp::cli {
namespace {

TEST(QkdBudgetOfAClient, SaysWhoseItIsAndHowLongToWait) {
  Closed closed{.reason = Reason::Limit, .text = "", .by_peer = true};
  EXPECT_EQ(explain_spent_budget("bob:7155", closed),
            "bob:7155's budget of QKD keys is spent, or it has no room now (LIMIT: 10 handshakes at once, then one "
            "every 10 s): wait 10 s and "
            "connect again");
  closed.by_peer = false;
  EXPECT_TRUE(explain_spent_budget("bob:7155", closed).starts_with("this end's budget"));
}

}  // namespace
}  // namespace qsp::cli

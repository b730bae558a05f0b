#include "keysource/budget.hpp"

#include <gtest/gtest.h>

#include <string>

namespace qsp::keysource {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr Instant kStart = seconds(1'000'000);

void spend_all(QkdBudget& budget, std::string_view peer, Instant now) {
  for (int i = 0; i < QkdBudget::kFetches; ++i) ASSERT_TRUE(budget.take(peer, now)) << i;
}

TEST(QkdBudget, gives_ten_fetches_at_once_and_no_eleventh) {
  QkdBudget budget;
  spend_all(budget, "bob", kStart);
  EXPECT_FALSE(budget.take("bob", kStart));
}

TEST(QkdBudget, refills_one_fetch_per_ten_seconds) {
  QkdBudget budget;
  spend_all(budget, "bob", kStart);
  EXPECT_EQ(budget.next("bob", kStart), kStart + seconds(10));
  EXPECT_FALSE(budget.take("bob", kStart + seconds(10) - nanoseconds(1)));
  EXPECT_TRUE(budget.take("bob", kStart + seconds(10)));
  EXPECT_FALSE(budget.take("bob", kStart + seconds(10)));
  EXPECT_EQ(budget.next("bob", kStart + seconds(12)), kStart + seconds(20));
}

TEST(QkdBudget, never_holds_more_than_ten_however_long_nothing_happens) {
  QkdBudget budget;
  spend_all(budget, "bob", kStart);
  spend_all(budget, "bob", kStart + std::chrono::hours(24));
  EXPECT_FALSE(budget.take("bob", kStart + std::chrono::hours(24)));
}

TEST(QkdBudget, spaced_fetches_never_wait) {
  QkdBudget budget;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(budget.take("bob", kStart + i * seconds(10)));
}

TEST(QkdBudget, a_refused_fetch_costs_nothing) {
  QkdBudget budget;
  spend_all(budget, "bob", kStart);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(budget.take("bob", kStart + seconds(5)));
  EXPECT_TRUE(budget.take("bob", kStart + seconds(10)));
}

/// SPEC §5.7, "Budget".
TEST(QkdBudget, a_further_enc_keys_leaves_half_for_new_handshakes) {
  QkdBudget budget;
  EXPECT_TRUE(budget.take("bob", kStart));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(budget.take_further("bob", kStart)) << i;
  EXPECT_FALSE(budget.take_further("bob", kStart));
  for (int i = 0; i < QkdBudget::kKeptForNew; ++i) EXPECT_TRUE(budget.take("bob", kStart)) << i;
  EXPECT_FALSE(budget.take("bob", kStart)) << "what was taken further counts";
  EXPECT_FALSE(budget.take_further("bob", kStart + seconds(59)));
  EXPECT_TRUE(budget.take_further("bob", kStart + seconds(60)));
}

TEST(QkdBudget, peers_do_not_share) {
  QkdBudget budget;
  spend_all(budget, "bob", kStart);
  EXPECT_TRUE(budget.take("carol", kStart));
  EXPECT_EQ(budget.next("dave", kStart), kStart);
}

TEST(QkdBudget, remembers_a_bounded_number_of_peers_and_forgets_the_whole_ones_first) {
  QkdBudget budget;
  spend_all(budget, "bob", kStart);
  for (std::size_t i = 1; i < QkdBudget::kMaxPeers; ++i) ASSERT_TRUE(budget.take(std::to_string(i), kStart));
  EXPECT_FALSE(budget.take("one too many", kStart));
  // After ten seconds all but bob are whole again and make room; bob is not forgotten.
  EXPECT_TRUE(budget.take("one too many", kStart + seconds(10)));
  EXPECT_TRUE(budget.take("bob", kStart + seconds(10)));
  EXPECT_FALSE(budget.take("bob", kStart + seconds(10)));
}

}  // namespace
}  // namespace qsp::keysource

#include "node/redial.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace qsp::node {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// SPEC §5.9: what a delay is drawn from doubles with each failure, to 60 s; the delay is of its upper half.
TEST(Redial, PausesForRoomAreDrawnFromWhatDoublesUpToAMinute) {
  for (unsigned seed = 1; seed < 50; ++seed) {
    Redial redial(24h, Instant(), seed);
    Instant now{};
    nanoseconds longest = 200ms;
    for (int dial = 0; dial < 20; ++dial) {
      const auto pause = redial.pause_for_room(now);
      ASSERT_TRUE(pause);
      EXPECT_GE(*pause, longest / 2) << dial;
      EXPECT_LE(*pause, longest) << dial;
      now += *pause;
      longest = std::min<nanoseconds>(2 * longest, 60s);
    }
    EXPECT_EQ(longest, 60s);
  }
}

constexpr Instant kBegin = 1h;

/// Dials that take no time: when the last one begins.
Instant last_dial(Redial& redial) {
  Instant now = kBegin;
  while (const auto pause = redial.pause_for_room(now)) {
    EXPECT_GT(*pause, 0ns);
    now += *pause;
  }
  return now;
}

TEST(Redial, leaves_the_last_dial_a_second_and_is_over_with_the_time) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    Redial redial(30s, kBegin, seed);
    EXPECT_EQ(redial.dial_by(), kBegin + 30s);
    const Instant last = last_dial(redial);
    EXPECT_LE(last, kBegin + 29s);
    EXPECT_GT(last, kBegin + 28s);
  }
}

TEST(Redial, leaves_the_last_dial_half_of_a_time_that_is_short) {
  Redial redial(600ms, kBegin, 1);
  const Instant last = last_dial(redial);
  EXPECT_LE(last, kBegin + 300ms);
  EXPECT_GT(last, kBegin + 200ms);
}

TEST(Redial, in_no_time_is_one_dial_without_a_limit_of_its_own) {
  Redial redial(0s, kBegin, 1);
  EXPECT_EQ(redial.dial_by(), Instant::max());
  EXPECT_FALSE(redial.pause_for_room(kBegin));
  EXPECT_FALSE(redial.pause_for_budget(kBegin));
}

// SPEC §5.9: a wait for the refill is never cut short.
TEST(Redial, waits_for_a_budget_only_where_time_for_a_dial_is_left_behind_it) {
  Redial enough(11s, kBegin, 1);
  EXPECT_EQ(enough.pause_for_budget(kBegin), 10s);
  EXPECT_FALSE(enough.pause_for_budget(kBegin + 10s));
  Redial little(10'900ms, kBegin, 1);
  EXPECT_FALSE(little.pause_for_budget(kBegin));
}

// SPEC §5.9.
TEST(Redial, OneRefillPassesBeforeTheNextDialAndTheDelaysDouble) {
  std::vector<seconds> waits;
  for (unsigned dial = 1; dial <= 6; ++dial) waits.push_back(wait_for_budget(dial));
  EXPECT_EQ(waits, (std::vector<seconds>{10s, 20s, 40s, 60s, 60s, 60s}));
  EXPECT_EQ(wait_for_budget(4'000'000'000), 60s);
}

TEST(Redial, takes_limit_alone_for_a_spent_budget) {
  Closed closed{.reason = Reason::Limit, .text = "", .by_peer = true};
  EXPECT_TRUE(is_spent_budget(closed));
  closed.by_peer = false;
  EXPECT_TRUE(is_spent_budget(closed));
  closed.reason = Reason::QkdUnavailable;
  EXPECT_FALSE(is_spent_budget(closed));
}

}  // namespace
}  // namespace qsp::node

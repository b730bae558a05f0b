#include "node/redial.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "node/dial_report.hpp"

namespace qsp::node {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// SPEC §5.9: what a delay is drawn from doubles with each failure, to 60 s; the delay is of its upper half.
TEST(Redial, pauses_for_room_are_drawn_from_what_doubles_up_to_a_minute) {
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
TEST(Redial, one_refill_passes_before_the_next_dial_and_the_delays_double) {
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

DialReport ended(Reason reason, bool by_peer) {
  DialReport report;
  report.connected = true;
  report.closed = Closed{.reason = reason, .text = "", .by_peer = by_peer};
  return report;
}

// SPEC §5.9: "It is a single dial; the next one starts with the policy's offer".
TEST(Redial, without_a_qkd_key_is_one_dial_and_what_follows_it_offers_what_the_policy_says) {
  Redial redial(1h, kBegin, 1);
  DialReport without_key = ended(Reason::QkdUnavailable, false);
  without_key.may_redial_without_qkd = true;
  const auto fallback = redial.after(without_key, kBegin);
  ASSERT_TRUE(fallback);
  EXPECT_TRUE(fallback->without_qkd);
  EXPECT_EQ(fallback->pause, 0ns);

  DialReport full = ended(Reason::Limit, true);
  full.without_qkd = true;
  const auto again = redial.after(full, kBegin);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->without_qkd);
  EXPECT_GT(again->pause, 0ns);

  EXPECT_TRUE(redial.after(without_key, kBegin)) << "it may fall back once more";
  without_key.without_qkd = true;
  EXPECT_FALSE(redial.after(without_key, kBegin)) << "and not twice in a row";
}

TEST(Redial, follows_neither_an_interrupt_nor_the_end_of_the_time_nor_any_other_end) {
  Redial redial(1h, kBegin, 1);
  for (const bool may : {false, true}) {
    for (DialReport report : {ended(Reason::Limit, true), ended(Reason::QkdUnavailable, false)}) {
      report.may_redial_without_qkd = may;
      report.interrupted = true;
      EXPECT_FALSE(redial.after(report, kBegin)) << may;
      report.interrupted = false;
      EXPECT_FALSE(redial.after(report, kBegin + 1h)) << may;
    }
  }
  EXPECT_FALSE(redial.after(ended(Reason::Normal, true), kBegin));
  EXPECT_FALSE(redial.after(DialReport{}, kBegin)) << "nobody was there";
}

}  // namespace
}  // namespace qsp::node

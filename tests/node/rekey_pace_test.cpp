// How the pace of rekeys follows what a KME has left.
#include "node/rekey_pace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace qsp::node {
namespace {

using namespace std::chrono_literals;
using keysource::Supply;

const RekeyPace kPace{.target = 10s, .floor = 70s, .low = std::nullopt};

Supply supply(std::uint64_t keys, std::uint64_t capacity = 1000) {
  return {.keys = keys, .capacity = capacity, .age = 1s, .failures = 0, .problem = ""};
}

TEST(RekeyPace, is_full_from_a_tenth_of_the_capacity_on) {
  EXPECT_EQ(kPace.interval(supply(1000)), 10s);
  EXPECT_EQ(kPace.interval(supply(100)), 10s);
  EXPECT_GT(kPace.interval(supply(99)), 10s);
}

TEST(RekeyPace, falls_in_proportion_to_what_is_left_and_never_below_the_floor) {
  EXPECT_EQ(kPace.interval(supply(50)), 20s);
  EXPECT_EQ(kPace.interval(supply(25)), 40s);
  EXPECT_EQ(kPace.interval(supply(14)), 70s) << "71.4 s, were it not for the floor";
  EXPECT_EQ(kPace.interval(supply(1)), 70s);
  EXPECT_EQ(kPace.interval(supply(0)), 70s);
  std::chrono::nanoseconds last = kPace.floor;
  for (std::uint64_t keys = 0; keys <= 120; ++keys) {
    const auto interval = kPace.interval(supply(keys));
    EXPECT_LE(interval, last) << "more keys, slower: " << keys;
    EXPECT_GE(interval, kPace.target);
    last = interval;
  }
}

TEST(RekeyPace, the_mark_can_be_given) {
  RekeyPace pace = kPace;
  pace.low = 400;
  EXPECT_EQ(pace.interval(supply(400)), 10s);
  EXPECT_EQ(pace.interval(supply(200)), 20s);
  pace.low = 0;
  EXPECT_EQ(pace.interval(supply(0)), 10s) << "never slow down";
}

TEST(RekeyPace, is_full_where_the_supply_is_not_known_or_was_long_ago) {
  EXPECT_EQ(kPace.interval({}), 10s);
  Supply old = supply(1);
  old.age = RekeyPace::kMaxAge;
  EXPECT_EQ(kPace.interval(old), 70s);
  old.age += 1ns;
  EXPECT_EQ(kPace.interval(old), 10s);
}

TEST(RekeyPace, no_count_overflows_it) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  RekeyPace pace{.target = 24h * 365, .floor = 24h * 366, .low = kMost};
  EXPECT_EQ(pace.interval(supply(1, kMost)), pace.floor);
  EXPECT_EQ(pace.interval(supply(kMost, kMost)), pace.target);
  EXPECT_GE(pace.interval(supply(kMost - 1, kMost)), pace.target);
}

TEST(RekeyPace, without_room_between_target_and_floor_the_supply_is_not_followed) {
  EXPECT_TRUE(kPace.follows_supply());
  EXPECT_FALSE((RekeyPace{.target = 10s, .floor = 10s, .low = {}}.follows_supply()));
}

TEST(RekeyPace, a_slow_session_is_looked_at_as_often_as_a_fast_one_rekeys) {
  EXPECT_EQ(kPace.next(10s, 100s, 100s), 110s);
  EXPECT_EQ(kPace.next(10s, 100s, 110s), 110s) << "due";
  EXPECT_EQ(kPace.next(70s, 100s, 110s), 120s);
  EXPECT_EQ(kPace.next(35s, 100s, 130s), 135s) << "due before the next look";
  EXPECT_LE(kPace.next(20s, 100s, 130s), 130s) << "the supply has recovered: due at once";
  const RekeyPace quick{.target = 10ms, .floor = 70s, .low = {}};
  EXPECT_EQ(quick.next(70s, 100s, 101s), 102s) << "no more than one look a second";
}

/// A pool that a slow link fills, and sessions that draw on it, over a virtual clock of seconds.
struct Link {
  double keys = 1000;
  double per_second = 0;
  std::uint64_t drawn = 0, refused = 0;
  std::chrono::nanoseconds longest{};

  /// `sessions` rekey by `pace` for that long; each sees the count as it was 10 s ago at most.
  void run(const RekeyPace& pace, std::size_t sessions, Instant& now, Instant until) {
    std::vector<Instant> began(sessions), look(sessions);
    for (std::size_t i = 0; i < sessions; ++i) {
      began[i] = now + std::chrono::milliseconds(97 * i % 10'000);
      look[i] = pace.next(pace.target, began[i], began[i]);
    }
    Supply known = supply(static_cast<std::uint64_t>(keys));
    for (int tick = 0; now < until; now += 100ms, ++tick) {
      keys = std::min(1000.0, keys + per_second / 10);
      if (tick % 100 == 0) known = supply(static_cast<std::uint64_t>(keys));
      for (std::size_t i = 0; i < sessions; ++i) {
        if (look[i] > now) continue;
        look[i] = pace.next(pace.interval(known), began[i], now);
        if (look[i] > now) continue;
        ++(keys >= 1 ? drawn : refused);
        if (keys >= 1) keys -= 1;
        longest = std::max(longest, now - began[i]);
        began[i] = now;
        look[i] = pace.next(pace.interval(known), now, now);
      }
    }
  }
};

TEST(RekeyPace, many_sessions_do_not_drain_a_slow_link_and_are_at_full_pace_again_when_it_recovers) {
  constexpr std::size_t kSessions = 30;  // three keys a second at full pace
  Link link{.per_second = 1};
  Instant now{};
  link.run(kPace, kSessions, now, 1h);
  EXPECT_EQ(link.refused, 0U);
  EXPECT_GT(link.keys, 20);
  EXPECT_LT(link.keys, 60) << "it settles where a key comes for each that goes: at a third of the mark";
  EXPECT_GE(link.drawn, 3600U);
  EXPECT_LE(link.longest, kPace.floor + 100ms);

  link.per_second = 10;
  link.run(kPace, kSessions, now, 2h);
  const std::uint64_t before = link.drawn;
  link.run(kPace, kSessions, now, 2h + 1000s);
  EXPECT_NEAR(static_cast<double>(link.drawn - before), 3000.0, 60.0);

  Link drained{.per_second = 1};
  Instant again{};
  drained.run({.target = 10s, .floor = 10s, .low = {}}, kSessions, again, 1h);
  EXPECT_GT(drained.refused, 1000U) << "what this is all for";
}

/// The log, as lines.
class PeerPacesLog : public testing::Test {
 protected:
  PeerPacesLog() { paces_.set(kPace); }

  std::string said(const Supply& supply, const std::string& sae_id = "bob") {
    text_.clear();
    paces_.follow(sae_id, supply);
    return text_;
  }

 private:
  std::string text_;

 protected:
  PeerPaces paces_{Log([this](Level level, const std::string& line) {
    text_ += (level == Level::Warning ? "warning: " : level == Level::Info ? "info: " : "other: ") + line + '\n';
  })};
};

TEST_F(PeerPacesLog, tells_once_that_it_slows_down_and_that_it_has_recovered) {
  EXPECT_EQ(said(supply(500)), "");
  EXPECT_EQ(said(supply(95)), "") << "not worth a line";
  EXPECT_EQ(paces_.counts().slowed_peers, 0U);
  EXPECT_EQ(said(supply(50)),
            "warning: the supply of QKD keys for SAE bob is low, 50 left: rekey every 20 s instead of 10 s\n");
  EXPECT_EQ(said(supply(48)), "");
  EXPECT_EQ(paces_.counts().slowed_peers, 1U);
  EXPECT_EQ(said(supply(25)),
            "warning: the supply of QKD keys for SAE bob is low, 25 left: rekey every 40 s instead of 10 s\n");
  EXPECT_EQ(said(supply(0)),
            "warning: the supply of QKD keys for SAE bob is low, 0 left: rekey every 70 s instead of 10 s\n");
  EXPECT_EQ(said(supply(0)), "");
  EXPECT_EQ(said(supply(50), "carol").find("warning: the supply of QKD keys for SAE carol is low"), 0U);
  EXPECT_EQ(paces_.counts().slowed_peers, 2U);
  EXPECT_EQ(said(supply(100)), "info: the supply of QKD keys for SAE bob has recovered: rekey every 10 s again\n");
  EXPECT_EQ(said(supply(100)), "");
  EXPECT_EQ(paces_.counts().slowed_peers, 1U);
}

TEST_F(PeerPacesLog, tells_once_that_the_kme_does_not_say_and_that_it_does_again) {
  Supply failing = supply(500);
  failing.failures = 3;
  failing.problem = "KME https://kme0 answered 503";
  EXPECT_EQ(said(failing),
            "warning: the KME does not tell its supply of keys for SAE bob: KME https://kme0 answered 503\n");
  EXPECT_EQ(said(failing), "");
  EXPECT_EQ(paces_.counts().failed_questions, 3U);
  EXPECT_EQ(said(supply(500)), "info: the KME tells its supply of keys for SAE bob again\n");
}

TEST_F(PeerPacesLog, the_name_of_a_peer_cannot_forge_a_line) {
  const std::string line = said(supply(1), "bob\nforged");
  EXPECT_EQ(std::ranges::count(line, '\n'), 1) << line;
}

TEST(PeerPaces, may_be_asked_by_whoever_listens_to_its_log) {
  const PeerPaces* asked = nullptr;
  std::vector<std::uint64_t> slowed;
  PeerPaces paces(Log([&](Level, const std::string&) { slowed.push_back(asked->counts().slowed_peers); }));
  asked = &paces;
  paces.set(kPace);
  Supply failing = supply(0);
  failing.problem = "it is silent";
  EXPECT_EQ(paces.follow("SAE", failing), 70s);
  EXPECT_EQ(paces.follow("SAE", supply(1000)), 10s);
  EXPECT_EQ(slowed, (std::vector<std::uint64_t>{1, 1, 0, 0}));
}

}  // namespace
}  // namespace qsp::node

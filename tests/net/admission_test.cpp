#include "net/admission.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <random>
#include <set>
#include <vector>

namespace qsp::net {
namespace {

using namespace std::chrono_literals;

Source source(const std::string& address) { return source_of(boost::asio::ip::make_address(address)); }

/// Takes one in; the test fails where it is refused.
Admission::Admitted take(Admission& admission, const std::string& address, Instant now = {}) {
  const auto admitted = admission.admit(source(address), now);
  EXPECT_TRUE(admitted.has_value()) << address;
  return admitted.value_or(Admission::Admitted{.place = 0, .displaced = std::nullopt});
}

TEST(Admission, a_source_at_its_share_displaces_its_own_oldest_silent_connection) {
  Admission admission({.sessions = 100, .handshakes = 100, .handshakes_per_source = 2});
  const Place first = take(admission, "192.0.2.1").place;
  const Place second = take(admission, "192.0.2.1").place;
  take(admission, "192.0.2.2");
  EXPECT_EQ(take(admission, "192.0.2.1").displaced, first);
  EXPECT_EQ(take(admission, "192.0.2.1").displaced, second);
  EXPECT_EQ(admission.handshakes(), 3U);
}

TEST(Admission, who_was_heard_has_its_fair_chance_and_limits_stand) {
  Admission admission({.sessions = 100, .handshakes = 3, .handshakes_per_source = 2});
  for (int i = 0; i < 2; ++i) admission.heard(take(admission, "192.0.2.1").place);
  EXPECT_EQ(admission.admit(source("192.0.2.1"), Instant()).error(), Refusal::HandshakesOfSource);
  const Place other = take(admission, "192.0.2.2").place;
  admission.heard(other);
  EXPECT_EQ(admission.admit(source("192.0.2.3"), Instant()).error(), Refusal::Handshakes);
  admission.settled(other);
  EXPECT_FALSE(take(admission, "192.0.2.3").displaced);
}

/// One whose first message is whole.
Place hear(Admission& admission, const std::string& address, Instant now) {
  const Place place = take(admission, address, now).place;
  admission.heard(place);
  return place;
}

// SPEC §8.6: "the oldest handshake that has had these 500 ms is displaced: of the newcomer's own source if that is at
// its share"
TEST(Admission, a_source_at_its_share_gives_its_oldest_handshake_that_had_its_fair_chance) {
  Admission admission({.sessions = 100, .handshakes = 100, .handshakes_per_source = 2});
  const Place first = hear(admission, "192.0.2.1", 0ms);
  const Place second = hear(admission, "192.0.2.1", 100ms);
  hear(admission, "192.0.2.2", 0ms);
  EXPECT_EQ(admission.admit(source("192.0.2.1"), kFairChance - 1ns).error(), Refusal::HandshakesOfSource);
  EXPECT_EQ(take(admission, "192.0.2.1", kFairChance).displaced, first);
  admission.heard(first);  // word of what was displaced comes late
  EXPECT_EQ(admission.handshakes(), 3U);
  EXPECT_EQ(take(admission, "192.0.2.1", kFairChance + 100ms).displaced.value_or(0) & ~Place{255}, 4U << 8)
      << "a silent one goes first, where there is no room to leave to them";
  EXPECT_EQ(admission.handshakes(), 3U);
  admission.gone(second);
}

// "else of the source that has the most handshakes"
TEST(Admission, a_full_table_gives_the_oldest_such_handshake_of_the_source_with_the_most) {
  Admission admission({.sessions = 100, .handshakes = 5, .handshakes_per_source = 4});
  const Place alone = hear(admission, "192.0.2.1", 0ms);
  const Place oldest = hear(admission, "192.0.2.2", 1ms);
  const Place next = hear(admission, "192.0.2.2", 2ms);
  hear(admission, "192.0.2.3", 450ms);
  hear(admission, "192.0.2.3", 450ms);
  EXPECT_EQ(take(admission, "192.0.2.4", 600ms).displaced, oldest) << "not the oldest of all, who is alone";
  admission.heard(take(admission, "192.0.2.5", 600ms).displaced.value_or(0));
  EXPECT_EQ(admission.handshakes(), 5U);
  admission.gone(next);
  admission.gone(alone);
  EXPECT_EQ(admission.handshakes(), 3U);
}

// SPEC §8.6: a client whose signature has verified
TEST(Admission, of_equal_sources_the_oldest_handshake_goes_and_who_is_authenticated_never) {
  Admission admission({.sessions = 100, .handshakes = 2, .handshakes_per_source = 4});
  const Place authenticated = hear(admission, "192.0.2.9", 0ms);
  admission.settled(authenticated);
  const Place first = hear(admission, "192.0.2.1", 1ms);
  const Place second = hear(admission, "192.0.2.2", 1ms);
  const auto third = take(admission, "192.0.2.3", 1s);
  EXPECT_EQ(third.displaced, first);
  admission.heard(third.place);
  const auto fourth = take(admission, "192.0.2.4", 1s);
  EXPECT_EQ(fourth.displaced, second);
  admission.heard(fourth.place);
  EXPECT_EQ(admission.admit(source("192.0.2.5"), 1s).error(), Refusal::Handshakes);
  EXPECT_EQ(take(admission, "192.0.2.5", 1500ms).displaced, third.place);
}

TEST(Admission, an_eighth_is_left_to_the_silent_while_a_handshake_that_had_its_chance_can_go) {
  Admission admission({.sessions = 100, .handshakes = 16, .handshakes_per_source = 16});
  std::vector<Place> heard;
  for (int i = 0; i < 14; ++i) heard.push_back(hear(admission, fmt::format("192.0.2.{}", i), 0ms));
  const Place silent = take(admission, "192.0.3.1", 1s).place;
  take(admission, "192.0.3.2", 1s);
  EXPECT_EQ(take(admission, "192.0.3.3", 1s).displaced, heard.front()) << "two may be silent";
  EXPECT_EQ(take(admission, "192.0.3.4", 1s).displaced, silent) << "three may not: silence costs nothing";
}

// SPEC §8.6: "no more than an eighth of the limit", of the source's where that is at its share
TEST(Admission, an_eighth_of_its_share_is_left_to_the_silent_of_a_source_likewise) {
  for (const std::size_t silent : {0U, 1U, 2U, 3U}) {
    Admission admission({.sessions = 1'000, .handshakes = 256, .handshakes_per_source = 16});
    std::vector<Place> heard, quiet;
    for (std::size_t i = silent; i < 16; ++i) heard.push_back(hear(admission, "192.0.2.1", 0ms));
    for (std::size_t i = 0; i < silent; ++i) quiet.push_back(take(admission, "192.0.2.1", 1s).place);
    EXPECT_EQ(take(admission, "192.0.2.1", 1s).displaced, silent <= 2 ? heard.front() : quiet.front()) << silent;
  }
}

// SPEC §8.6
TEST(Admission, has_the_defaults_of_the_specification) {
  constexpr Limits kDefaults;
  static_assert(kDefaults.sessions == 10'000 && kDefaults.handshakes == 256 && kDefaults.handshakes_per_source == 16);
  Admission admission(kDefaults);
  for (int i = 0; i < 16; ++i) hear(admission, "192.0.2.1", 0ms);
  EXPECT_EQ(admission.admit(source("192.0.2.1"), 499ms).error(), Refusal::HandshakesOfSource);
  for (int i = 16; i < 256; ++i) hear(admission, fmt::format("198.51.100.{}", i % 16), 0ms);
  EXPECT_EQ(admission.admit(source("203.0.113.1"), 499ms).error(), Refusal::Handshakes);
  EXPECT_TRUE(admission.admit(source("203.0.113.1"), 500ms));
}

TEST(Admission, where_sessions_or_descriptors_run_out_handshakes_that_had_their_chance_go_last) {
  Admission admission({.sessions = 2, .handshakes = 9, .handshakes_per_source = 9});
  const Place idle = take(admission, "192.0.2.1").place;
  admission.settled(idle);
  const Place shaking = hear(admission, "192.0.2.2", 0ms);
  EXPECT_EQ(admission.admit(source("192.0.2.3"), 499ms).error(), Refusal::Sessions);
  admission.idle(idle);
  EXPECT_EQ(admission.displace_one(500ms), idle);
  EXPECT_EQ(admission.displace_one(500ms), shaking);
  EXPECT_EQ(admission.displace_one(500ms), std::nullopt);
}

// "CLIENT_HELLOs that are said again shut nobody out": virtual time, as fast as the limits let them.
TEST(Admission, a_flood_of_handshakes_that_never_end_leaves_room_for_others) {
  Admission admission({});
  for (int i = 0; i < 2000; ++i) {
    const Instant now = i * 10ms;
    if (const auto flood = admission.admit(source(fmt::format("192.0.2.{}", i % 200)), now)) {
      admission.heard(flood->place);
    }
    const auto honest = admission.admit(source("198.51.100.1"), now);
    ASSERT_TRUE(honest) << i;
    admission.heard(honest->place);
    for (int others = 0; others < 2; ++others) {
      if (const auto more = admission.admit(source("192.0.2.201"), now + 1ms)) {
        ASSERT_NE(more->displaced, honest->place) << i;
        admission.heard(more->place);
      }
    }
    admission.gone(honest->place);
  }
}

TEST(Admission, the_source_with_the_most_silent_connections_gives_first) {
  Admission admission({.sessions = 100, .handshakes = 6, .handshakes_per_source = 4});
  const Place honest = take(admission, "192.0.2.1").place;
  const Place oldest = take(admission, "192.0.2.2").place;
  for (int i = 0; i < 3; ++i) take(admission, "192.0.2.2");
  take(admission, "192.0.2.3");
  EXPECT_EQ(take(admission, "192.0.2.4").displaced, oldest) << "not the oldest of all, who is alone";
  admission.heard(honest);
  admission.settled(honest);
  EXPECT_EQ(admission.handshakes(), 5U);
}

TEST(Admission, of_equal_sources_the_oldest_connection_gives) {
  Admission admission({.sessions = 100, .handshakes = 3, .handshakes_per_source = 4});
  const Place first = take(admission, "192.0.2.1").place;
  const Place second = take(admission, "192.0.2.2").place;
  take(admission, "192.0.2.3");
  EXPECT_EQ(take(admission, "192.0.2.4").displaced, first);
  EXPECT_EQ(take(admission, "192.0.2.5").displaced, second);
}

TEST(Admission, where_sessions_are_full_silent_ones_go_first_then_idle_ones_then_nobody) {
  Admission admission({.sessions = 3, .handshakes = 9, .handshakes_per_source = 9});
  const Place busy = take(admission, "192.0.2.1").place;
  const Place idle = take(admission, "192.0.2.2").place;
  admission.settled(busy);
  admission.settled(idle);
  admission.idle(idle);
  const Place silent = take(admission, "192.0.2.3").place;
  const Place newcomer = take(admission, "192.0.2.4").place;
  EXPECT_EQ(admission.sessions(), 3U);
  admission.settled(newcomer);
  const auto next = take(admission, "192.0.2.5");
  EXPECT_EQ(next.displaced, idle);
  admission.settled(next.place);
  admission.gone(silent);  // word of what was displaced comes late
  EXPECT_EQ(admission.sessions(), 3U);
  EXPECT_EQ(admission.admit(source("192.0.2.6"), Instant()).error(), Refusal::Sessions);
  admission.gone(busy);
  EXPECT_FALSE(take(admission, "192.0.2.6").displaced);
}

TEST(Admission, a_source_has_a_share_of_the_sessions_too) {
  Admission admission({.sessions = 9, .handshakes = 9, .handshakes_per_source = 9, .sessions_per_source = 2});
  const Place first = take(admission, "192.0.2.1").place;
  admission.settled(first);
  admission.settled(take(admission, "192.0.2.1").place);
  EXPECT_EQ(admission.admit(source("192.0.2.1"), Instant()).error(), Refusal::SessionsOfSource);
  admission.idle(first);
  EXPECT_EQ(take(admission, "192.0.2.1").displaced, first);
  EXPECT_FALSE(take(admission, "192.0.2.2").displaced);
}

TEST(Admission, news_of_a_connection_may_come_in_any_order) {
  Admission admission({.sessions = 9, .handshakes = 2, .handshakes_per_source = 9});
  const Place place = take(admission, "192.0.2.1").place;
  admission.settled(place);
  admission.heard(place);
  EXPECT_EQ(admission.handshakes(), 0U);
  const Place displaced = take(admission, "192.0.2.1").place;
  take(admission, "192.0.2.2");
  EXPECT_EQ(take(admission, "192.0.2.3").displaced, displaced);
  admission.heard(displaced);
  EXPECT_EQ(admission.handshakes(), 2U);
  admission.keep(displaced, source("192.0.2.1"), Instant(), true);
  EXPECT_EQ(admission.sessions(), 4U);
  admission.gone(displaced);
  admission.gone(displaced);
  EXPECT_EQ(admission.sessions(), 3U);
}

TEST(Admission, counts_stay_true_and_bounded_whatever_happens) {
  constexpr Limits kLimits{.sessions = 40, .handshakes = 20, .handshakes_per_source = 5, .sessions_per_source = 12};
  Admission admission(kLimits);
  std::mt19937 random(1);
  std::set<Place> held;
  Instant now{};
  for (int i = 0; i < 50'000; ++i) {
    const auto pick = [&] { return *std::next(held.begin(), static_cast<std::ptrdiff_t>(random() % held.size())); };
    now += std::chrono::milliseconds(random() % 40);
    switch (held.empty() ? 0 : random() % 8) {
      case 4:
        admission.heard(pick());
        break;
      case 5:
        admission.settled(pick());
        break;
      case 6:
        admission.idle(pick());
        break;
      case 7: {
        const Place gone = pick();
        admission.gone(gone);
        held.erase(gone);
        break;
      }
      default:
        if (const auto admitted = admission.admit(source(fmt::format("192.0.2.{}", random() % 9)), now)) {
          if (admitted->displaced) {
            ASSERT_EQ(held.erase(*admitted->displaced), 1U);
          }
          held.insert(admitted->place);
        }
    }
    ASSERT_EQ(admission.sessions(), held.size());
    ASSERT_LE(admission.sessions(), kLimits.sessions);
    ASSERT_LE(admission.handshakes(), kLimits.handshakes);
  }
}

TEST(Admission, remembers_who_keeps_a_connection) {
  Admission admission({});
  EXPECT_EQ(keeper_of(admission.admit(source("192.0.2.1"), Instant(), 7)->place), 7);
  EXPECT_EQ(keeper_of(admission.admit(source("192.0.2.1"), Instant(), 255)->place), 255);
}

TEST(Admission, takes_an_ipv6_subnet_for_one_source) {
  EXPECT_EQ(source("2001:db8:0:1::1"), source("2001:db8:0:1:ffff::2"));
  EXPECT_NE(source("2001:db8:0:1::1"), source("2001:db8:0:2::1"));
  EXPECT_EQ(source("::ffff:192.0.2.1"), source("192.0.2.1"));
  EXPECT_NE(source("192.0.2.1"), source("192.0.2.2"));
  EXPECT_NE(source("::1"), source("0.0.0.0"));
}

}  // namespace
}  // namespace qsp::net

#include "net/admission.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <random>
#include <set>

namespace qsp::net {
namespace {

Source source(const std::string& address) { return source_of(boost::asio::ip::make_address(address)); }

/// Takes one in; the test fails where it is refused.
Admission::Admitted take(Admission& admission, const std::string& address) {
  const auto admitted = admission.admit(source(address));
  EXPECT_TRUE(admitted.has_value()) << address;
  return admitted.value_or(Admission::Admitted{.place = 0, .displaced = std::nullopt});
}

TEST(Admission, ASourceAtItsShareDisplacesItsOwnOldestSilentConnection) {
  Admission admission({.sessions = 100, .handshakes = 100, .handshakes_per_source = 2});
  const Place first = take(admission, "192.0.2.1").place;
  const Place second = take(admission, "192.0.2.1").place;
  take(admission, "192.0.2.2");
  EXPECT_EQ(take(admission, "192.0.2.1").displaced, first);
  EXPECT_EQ(take(admission, "192.0.2.1").displaced, second);
  EXPECT_EQ(admission.handshakes(), 3U);
}

TEST(Admission, WhoWasHeardIsNotDisplacedAndLimitsStand) {
  Admission admission({.sessions = 100, .handshakes = 3, .handshakes_per_source = 2});
  for (int i = 0; i < 2; ++i) admission.heard(take(admission, "192.0.2.1").place);
  EXPECT_EQ(admission.admit(source("192.0.2.1")).error(), Refusal::HandshakesOfSource);
  const Place other = take(admission, "192.0.2.2").place;
  admission.heard(other);
  EXPECT_EQ(admission.admit(source("192.0.2.3")).error(), Refusal::Handshakes);
  admission.settled(other);
  EXPECT_FALSE(take(admission, "192.0.2.3").displaced);
}

TEST(Admission, TheSourceWithTheMostSilentConnectionsGivesFirst) {
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

TEST(Admission, OfEqualSourcesTheOldestConnectionGives) {
  Admission admission({.sessions = 100, .handshakes = 3, .handshakes_per_source = 4});
  const Place first = take(admission, "192.0.2.1").place;
  const Place second = take(admission, "192.0.2.2").place;
  take(admission, "192.0.2.3");
  EXPECT_EQ(take(admission, "192.0.2.4").displaced, first);
  EXPECT_EQ(take(admission, "192.0.2.5").displaced, second);
}

TEST(Admission, WhereSessionsAreFullSilentOnesGoFirstThenIdleOnesThenNobody) {
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
  EXPECT_EQ(admission.admit(source("192.0.2.6")).error(), Refusal::Sessions);
  admission.gone(busy);
  EXPECT_FALSE(take(admission, "192.0.2.6").displaced);
}

TEST(Admission, ASourceHasAShareOfTheSessionsToo) {
  Admission admission({.sessions = 9, .handshakes = 9, .handshakes_per_source = 9, .sessions_per_source = 2});
  const Place first = take(admission, "192.0.2.1").place;
  admission.settled(first);
  admission.settled(take(admission, "192.0.2.1").place);
  EXPECT_EQ(admission.admit(source("192.0.2.1")).error(), Refusal::SessionsOfSource);
  admission.idle(first);
  EXPECT_EQ(take(admission, "192.0.2.1").displaced, first);
  EXPECT_FALSE(take(admission, "192.0.2.2").displaced);
}

TEST(Admission, NewsOfAConnectionMayComeInAnyOrder) {
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
  admission.keep(displaced, source("192.0.2.1"), true);
  EXPECT_EQ(admission.sessions(), 4U);
  admission.gone(displaced);
  admission.gone(displaced);
  EXPECT_EQ(admission.sessions(), 3U);
}

TEST(Admission, CountsStayTrueAndBoundedWhateverHappens) {
  constexpr Limits kLimits{.sessions = 40, .handshakes = 20, .handshakes_per_source = 5, .sessions_per_source = 12};
  Admission admission(kLimits);
  std::mt19937 random(1);
  std::set<Place> held;
  for (int i = 0; i < 50'000; ++i) {
    const auto pick = [&] { return *std::next(held.begin(), static_cast<std::ptrdiff_t>(random() % held.size())); };
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
        if (const auto admitted = admission.admit(source(fmt::format("192.0.2.{}", random() % 9)))) {
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

TEST(Admission, RemembersWhoKeepsAConnection) {
  Admission admission({});
  EXPECT_EQ(keeper_of(admission.admit(source("192.0.2.1"), 7)->place), 7);
  EXPECT_EQ(keeper_of(admission.admit(source("192.0.2.1"), 255)->place), 255);
}

TEST(Admission, TakesAnIpv6SubnetForOneSource) {
  EXPECT_EQ(source("2001:db8:0:1::1"), source("2001:db8:0:1:ffff::2"));
  EXPECT_NE(source("2001:db8:0:1::1"), source("2001:db8:0:2::1"));
  EXPECT_EQ(source("::ffff:192.0.2.1"), source("192.0.2.1"));
  EXPECT_NE(source("192.0.2.1"), source("192.0.2.2"));
  EXPECT_NE(source("::1"), source("0.0.0.0"));
}

}  // namespace
}  // namespace qsp::net

#include "cli/redial.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

namespace qsp::cli {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

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

// SPEC §5.9: "The last one may be cut to the end of the time" where the server had no room, and never for a budget.
TEST(Redial, TheLastPauseForRoomEndsWithTheTimeAndNoneForABudgetIsCut) {
  Redial redial(1s, Instant(), 1);
  EXPECT_EQ(redial.pause_for_room(950ms), 50ms);
  EXPECT_EQ(redial.pause_for_room(990ms), std::nullopt) << "not worth a dial";
  Redial patient(30s, Instant(), 1);
  EXPECT_EQ(patient.pause_for_budget(0s), 10s);
  EXPECT_EQ(patient.pause_for_budget(10s), 20s);
  EXPECT_EQ(patient.pause_for_budget(30s), std::nullopt);
  Redial hasty(9s, Instant(), 1);
  EXPECT_EQ(hasty.pause_for_budget(0s), std::nullopt);
}

}  // namespace
}  // namespace qsp::cli

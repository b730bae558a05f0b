#include "play.hpp"

namespace qsp::e91 {
namespace {

TEST(Link, OfIdealPairsShowsTheBoundOfTsirelson) {
  const auto eve = no_eve();
  Player player(ideal(), *eve);
  const Tally tally = player.play(2'000'000);
  const Chsh seen = chsh(tally, Mode::Classic);
  EXPECT_NEAR(seen.s, -2 * std::numbers::sqrt2, 4 * seen.sigma);
  EXPECT_EQ(tally.by_settings[1][0].equal, 0U);
  EXPECT_EQ(tally.by_settings[2][1].equal, 0U);
  EXPECT_NEAR(expected(ideal(), *eve).s, -2 * std::numbers::sqrt2, 1e-12);
}

}  // namespace
}  // namespace qsp::e91

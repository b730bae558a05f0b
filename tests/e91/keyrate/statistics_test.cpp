#include "e91/keyrate/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace qsp::e91::keyrate {
namespace {

/// The counts of `each` rounds per pair of settings at visibility `v`.
ChshCounts werner(double v, std::uint64_t each) {
  const auto coincidences = [&](double angle) {
    const double same = (1 - v * std::cos(angle)) / 2;
    const auto count = static_cast<std::uint64_t>(std::llround(same * static_cast<double>(each)));
    return Coincidences{count, each - count};
  };
  const double quarter = std::numbers::pi / 4;
  return {coincidences(quarter), coincidences(3 * quarter), coincidences(quarter), coincidences(quarter)};
}

TEST(ErrorRate, IsTheShareWithItsBinomialErrorBar) {
  const auto rate = error_rate({10'000, 300});
  ASSERT_TRUE(rate);
  EXPECT_DOUBLE_EQ(rate->value, 0.03);
  EXPECT_DOUBLE_EQ(rate->deviation, std::sqrt(0.03 * 0.97 / 10'000));
  EXPECT_FALSE(error_rate({0, 0}));
}

TEST(ErrorRateBound, LiesAboveTheShareAndTightensWithTheSample) {
  double last = 1;
  for (std::uint64_t bits = 100; bits < 100'000'000; bits *= 10) {
    const double bound = error_rate_bound({bits, bits * 3 / 100}, 3);
    EXPECT_GT(bound, 0.03);
    EXPECT_LT(bound, last);
    last = bound;
  }
  EXPECT_NEAR(last, 0.03, 1e-3);
}

TEST(ErrorRateBound, SolvesTheBinomialTestItStandsFor) {
  // Wilson: the bound p is where the share seen lies `sigmas` deviations of a binomial with p below it.
  const double bound = error_rate_bound({1'000, 40}, 3);
  EXPECT_NEAR((bound - 0.04) / std::sqrt(bound * (1 - bound) / 1'000), 3, 1e-12);
}

TEST(ErrorRateBound, DoesNotVanishWithoutErrorsAndIsCertainWithoutBits) {
  EXPECT_NEAR(error_rate_bound({1'000, 0}, 3), 9.0 / 1'009, 1e-15);
  EXPECT_EQ(error_rate_bound({0, 0}, 3), 1);
  EXPECT_EQ(error_rate_bound({10, 10}, 3), 1);
}

TEST(Chsh, OfPerfectSingletsIsMinusTwoRootTwo) {
  const auto s = chsh(werner(1, 1'000'000'000));
  ASSERT_TRUE(s);
  EXPECT_NEAR(s->value, -2 * std::numbers::sqrt2, 1e-8);
}

TEST(Chsh, ErrorBarIsThatOfEkertsProtocol) {
  // Of N rounds with even settings, 4/9 are CHSH rounds, a ninth for each pair.
  for (const double v : {0.5, 0.9, 1.0}) {
    const double rounds = 9e6;
    const auto s = chsh(werner(v, 1'000'000));
    ASSERT_TRUE(s);
    EXPECT_NEAR(s->value, -2 * std::numbers::sqrt2 * v, 1e-5);
    EXPECT_NEAR(s->deviation / std::sqrt(18 * (2 - v * v) / rounds), 1, 1e-5);
  }
}

TEST(Chsh, TakesEachPairWithItsSign) {
  const Coincidences even{1, 1};
  const Coincidences same{2, 0};
  EXPECT_EQ(chsh({same, even, even, even})->value, 1);
  EXPECT_EQ(chsh({even, same, even, even})->value, -1);
  EXPECT_EQ(chsh({even, even, same, even})->value, 1);
  EXPECT_EQ(chsh({even, even, even, same})->value, 1);
}

TEST(Chsh, IsUnknownWhereAPairNeverOccurred) {
  const Coincidences some{5, 5};
  EXPECT_TRUE(chsh({some, some, some, some}));
  EXPECT_FALSE(chsh({{}, some, some, some}));
  EXPECT_FALSE(chsh({some, {}, some, some}));
  EXPECT_FALSE(chsh({some, some, {}, some}));
  EXPECT_FALSE(chsh({some, some, some, {}}));
}

TEST(PhaseError, OfAWernerStateIsItsBitError) {
  for (const double v : {0.8, 0.95, 1.0}) {
    const double s = -2 * std::numbers::sqrt2 * v;
    EXPECT_NEAR(phase_error(s, (1 - v) / 2), (1 - v) / 2, 1e-15);
  }
}

TEST(PhaseError, StaysWithinZeroAndOneHalf) {
  EXPECT_EQ(phase_error(-2.9, 0), 0);
  EXPECT_EQ(phase_error(0, 0.1), 0.5);
}

}  // namespace
}  // namespace qsp::e91::keyrate

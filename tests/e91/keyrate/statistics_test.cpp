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

TEST(ErrorRate, is_the_share_with_its_binomial_error_bar) {
  const auto rate = error_rate({10'000, 300});
  ASSERT_TRUE(rate);
  EXPECT_DOUBLE_EQ(rate->value, 0.03);
  EXPECT_DOUBLE_EQ(rate->deviation, std::sqrt(0.03 * 0.97 / 10'000));
  EXPECT_FALSE(error_rate({0, 0}));
}

TEST(ErrorRateBound, lies_above_the_share_and_tightens_with_the_sample) {
  double last = 1;
  for (std::uint64_t bits = 100; bits < 100'000'000; bits *= 10) {
    const double bound = error_rate_bound({bits, bits * 3 / 100}, 3);
    EXPECT_GT(bound, 0.03);
    EXPECT_LT(bound, last);
    last = bound;
  }
  EXPECT_NEAR(last, 0.03, 1e-3);
}

TEST(ErrorRateBound, solves_the_binomial_test_it_stands_for) {
  // Wilson: the bound p is where the share seen lies `sigmas` deviations of a binomial with p below it.
  const double bound = error_rate_bound({1'000, 40}, 3);
  EXPECT_NEAR((bound - 0.04) / std::sqrt(bound * (1 - bound) / 1'000), 3, 1e-12);
}

TEST(ErrorRateBound, does_not_vanish_without_errors_and_is_certain_without_bits) {
  EXPECT_NEAR(error_rate_bound({1'000, 0}, 3), 9.0 / 1'009, 1e-15);
  EXPECT_EQ(error_rate_bound({0, 0}, 3), 1);
  EXPECT_EQ(error_rate_bound({10, 10}, 3), 1);
}

TEST(Chsh, of_perfect_singlets_is_minus_two_root_two) {
  const auto s = chsh(werner(1, 1'000'000'000));
  ASSERT_TRUE(s);
  EXPECT_NEAR(s->value, -2 * std::numbers::sqrt2, 1e-8);
}

TEST(Chsh, error_bar_is_that_of_ekerts_protocol) {
  // Of N rounds with even settings, 4/9 are CHSH rounds, a ninth for each pair.
  for (const double v : {0.5, 0.9, 1.0}) {
    const double rounds = 9e6;
    const auto s = chsh(werner(v, 1'000'000));
    ASSERT_TRUE(s);
    EXPECT_NEAR(s->value, -2 * std::numbers::sqrt2 * v, 1e-5);
    EXPECT_NEAR(s->deviation / std::sqrt(18 * (2 - v * v) / rounds), 1, 1e-5);
  }
}

TEST(Chsh, takes_each_pair_with_its_sign) {
  const Coincidences even{1, 1};
  const Coincidences same{2, 0};
  EXPECT_EQ(chsh({same, even, even, even})->value, 1);
  EXPECT_EQ(chsh({even, same, even, even})->value, -1);
  EXPECT_EQ(chsh({even, even, same, even})->value, 1);
  EXPECT_EQ(chsh({even, even, even, same})->value, 1);
}

TEST(Chsh, is_unknown_where_a_pair_never_occurred) {
  const Coincidences some{5, 5};
  EXPECT_TRUE(chsh({some, some, some, some}));
  EXPECT_FALSE(chsh({{}, some, some, some}));
  EXPECT_FALSE(chsh({some, {}, some, some}));
  EXPECT_FALSE(chsh({some, some, {}, some}));
  EXPECT_FALSE(chsh({some, some, some, {}}));
}

TEST(PhaseError, of_a_werner_state_is_its_bit_error) {
  for (const double v : {0.8, 0.95, 1.0}) {
    const double s = -2 * std::numbers::sqrt2 * v;
    EXPECT_NEAR(phase_error(s, (1 - v) / 2), (1 - v) / 2, 1e-15);
  }
}

TEST(PhaseError, stays_within_zero_and_one_half) {
  EXPECT_EQ(phase_error(-2.9, 0), 0);
  EXPECT_EQ(phase_error(0, 0.1), 0.5);
}

}  // namespace
}  // namespace qsp::e91::keyrate

#include "e91/keyrate/rate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "e91/keyrate/entropy.hpp"

namespace qsp::e91::keyrate {
namespace {

/// Where a falling function of x in [low, high] is zero.
template <class Function>
double zero(Function function, double low, double high) {
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (function(middle) > 0 ? low : high) = middle;
  }
  return low;
}

double chsh_at(double bit_error) { return 2 * std::numbers::sqrt2 * (1 - 2 * bit_error); }

TEST(AsymptoticRate, is_zero_at_eleven_percent_and_a_chsh_value_of_2206) {
  const double tolerated = zero([](double q) { return asymptotic_rate(q, q, 1); }, 0, 0.5);
  EXPECT_NEAR(tolerated, 0.110, 5e-4);
  EXPECT_NEAR(chsh_at(tolerated), 2.206, 5e-4);
}

TEST(AsymptoticRate, pays_for_errors_of_both_kinds_and_for_reconciliation) {
  EXPECT_EQ(asymptotic_rate(0, 0, 1.2), 1);
  EXPECT_NEAR(asymptotic_rate(0.03, 0.02, 1.16), 1 - binary_entropy(0.03) - 1.16 * binary_entropy(0.02), 1e-15);
}

TEST(DeviceIndependentRate, is_zero_at_7149_per_mille_and_a_chsh_value_of_2424) {
  const double tolerated = zero([](double q) { return device_independent_rate(q, chsh_at(q)); }, 0, 0.14);
  EXPECT_NEAR(tolerated, 0.07149, 5e-6);
  EXPECT_NEAR(chsh_at(tolerated), 2.424, 5e-4);
}

TEST(DeviceIndependentRate, is_one_for_perfect_singlets_and_nothing_without_a_violation) {
  EXPECT_NEAR(device_independent_rate(0, -2 * std::numbers::sqrt2), 1, 1e-7);
  EXPECT_EQ(device_independent_rate(0, 2), 0);
  EXPECT_NEAR(device_independent_rate(0.03, 1.4), -binary_entropy(0.03), 1e-15);
}

ClassicBlock classic() {
  return {.key_bits = 100'000,
          .chsh = {-2.66, 0.01},
          .bit_error = 0.03,
          .disclosed = 22'000,
          .verification = 64,
          .secrecy = 1e-10,
          .sigmas = 3};
}

TEST(AsymptoticLength, is_the_formula_at_the_lower_bound_of_s) {
  const double phase = 1 - 2.63 / (2 * std::numbers::sqrt2) - 0.03;
  const double length = 100'000 * (1 - binary_entropy(phase)) - 22'000 - 64 - 2 * std::log2(1 / 2e-10);
  EXPECT_EQ(asymptotic_length(classic()), static_cast<std::uint64_t>(length));
}

TEST(AsymptoticLength, grows_with_all_that_helps) {
  const auto with = [](auto change) {
    ClassicBlock b = classic();
    change(b);
    return asymptotic_length(b);
  };
  const std::uint64_t length = with([](ClassicBlock&) {});
  EXPECT_GT(with([](ClassicBlock& b) { b.key_bits += 100; }), length);
  EXPECT_GT(with([](ClassicBlock& b) { b.chsh.value -= 0.01; }), length);
  EXPECT_GT(with([](ClassicBlock& b) { b.chsh.deviation /= 2; }), length);
  EXPECT_GT(with([](ClassicBlock& b) { b.sigmas = 2; }), length);
  EXPECT_GT(with([](ClassicBlock& b) { b.secrecy *= 10; }), length);
  EXPECT_EQ(with([](ClassicBlock& b) { b.disclosed += 10; }), length - 10);
  EXPECT_EQ(with([](ClassicBlock& b) { b.verification += 10; }), length - 10);
  EXPECT_EQ(with([](ClassicBlock& b) { b.chsh.value = -b.chsh.value; }), length);
}

TEST(AsymptoticLength, is_zero_without_a_key) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const auto with = [](auto change) {
    ClassicBlock b = classic();
    change(b);
    return asymptotic_length(b);
  };
  EXPECT_EQ(with([](ClassicBlock& b) { b.chsh.value = -2.0; }), 0U);
  EXPECT_EQ(with([](ClassicBlock& b) { b.key_bits = 100; }), 0U);
  EXPECT_EQ(with([](ClassicBlock& b) { b.key_bits = kMaxBlock + 1; }), 0U);
  EXPECT_EQ(with([](ClassicBlock& b) { b.secrecy = 0; }), 0U);
  EXPECT_EQ(with([&](ClassicBlock& b) { b.chsh.value = none; }), 0U);
  EXPECT_EQ(with([&](ClassicBlock& b) { b.chsh.deviation = none; }), 0U);
  EXPECT_EQ(with([&](ClassicBlock& b) { b.bit_error = none; }), 0U);
  EXPECT_EQ(with([&](ClassicBlock& b) { b.sigmas = none; }), 0U);
  EXPECT_EQ(with([](ClassicBlock& b) { b.sigmas = -3; }), 0U);
}

}  // namespace
}  // namespace qsp::e91::keyrate

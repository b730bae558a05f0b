#include "e91/keyrate/agreement.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace qsp::e91::keyrate {
namespace {

/// The chance of a Poisson count of `count` or further from the mean on its side, added up.
double poisson_tail(std::uint64_t count, double mean) {
  const bool above = static_cast<double>(count) > mean;
  double sum = 0;
  const std::uint64_t end = above ? count + 2000 : count;
  for (std::uint64_t n = above ? count : 0; n <= end; ++n) {
    const auto k = static_cast<double>(n);
    sum += std::exp(k * std::log(mean) - mean - std::lgamma(k + 1));
  }
  return sum;
}

double binomial_tail(std::uint64_t bits, std::uint64_t errors, double rate) {
  const auto all = static_cast<double>(bits);
  const bool above = static_cast<double>(errors) > all * rate;
  double sum = 0;
  for (std::uint64_t n = above ? errors : 0; n <= (above ? bits : errors); ++n) {
    const auto k = static_cast<double>(n);
    sum += std::exp(std::lgamma(all + 1) - std::lgamma(k + 1) - std::lgamma(all - k + 1) + k * std::log(rate) +
                    (all - k) * std::log1p(-rate));
  }
  return sum;
}

TEST(ChanceOfCount, is_never_below_the_tail_of_poisson_nor_far_above_it) {
  for (const double mean : {0.5, 3.0, 40.0, 1000.0}) {
    const auto most = static_cast<std::uint64_t>(mean + 8 * std::sqrt(mean) + 8);
    for (std::uint64_t count = 0; count <= most; ++count) {
      if (std::abs(static_cast<double>(count) - mean) < std::sqrt(mean)) continue;
      const double bound = chance_of_count(count, {mean, mean});
      const double tail = poisson_tail(count, mean);
      EXPECT_GE(bound, tail * (1 - 1e-9)) << count << " of " << mean;
      EXPECT_LE(bound, tail * 40 + 1e-300) << count << " of " << mean;
    }
  }
}

TEST(ChanceOfErrors, is_never_below_the_tail_of_the_binomial_nor_far_above_it) {
  for (const std::uint64_t bits : {20U, 400U}) {
    for (const double rate : {0.02, 0.3, 0.9}) {
      for (std::uint64_t errors = 0; errors <= bits; ++errors) {
        const double apart = std::abs(static_cast<double>(errors) - rate * static_cast<double>(bits));
        if (apart < std::sqrt(static_cast<double>(bits) * rate * (1 - rate))) continue;
        const double bound = chance_of_errors({bits, errors}, {rate, rate});
        const double tail = binomial_tail(bits, errors, rate);
        EXPECT_GE(bound, tail * (1 - 1e-9)) << errors << " of " << bits << " at " << rate;
        EXPECT_LE(bound, tail * 40 + 1e-300) << errors << " of " << bits << " at " << rate;
      }
    }
  }
}

TEST(ChanceOfCount, is_one_within_the_range_and_counts_from_its_nearer_end) {
  const Range range = rate_range(1000, 0.05);
  EXPECT_DOUBLE_EQ(range.least, 950);
  EXPECT_DOUBLE_EQ(range.most, 1050);
  for (const std::uint64_t count : {950U, 1000U, 1050U}) EXPECT_EQ(chance_of_count(count, range), 1);
  EXPECT_DOUBLE_EQ(chance_of_count(1100, range), chance_of_count(1100, {1050, 1050}));
  EXPECT_DOUBLE_EQ(chance_of_count(900, range), chance_of_count(900, {950, 950}));
}

TEST(ChanceOfErrors, is_one_within_the_range_and_counts_from_its_nearer_end) {
  const Range range = share_range(0.1, 0.05);
  EXPECT_NEAR(range.least, 0.1 * 0.95 / 1.05, 1e-15);
  EXPECT_NEAR(range.most, 0.1 * 1.05 / 0.95, 1e-15);
  EXPECT_EQ(chance_of_errors({1000, 100}, range), 1);
  EXPECT_DOUBLE_EQ(chance_of_errors({1000, 150}, range), chance_of_errors({1000, 150}, {range.most, range.most}));
}

TEST(Chances, have_their_limits) {
  EXPECT_EQ(chance_of_count(0, {0, 0}), 1);
  EXPECT_EQ(chance_of_count(1, {0, 0}), 0) << "what cannot be was seen";
  EXPECT_DOUBLE_EQ(chance_of_count(0, {20, 20}), std::exp(-20));
  EXPECT_EQ(chance_of_errors({0, 0}, {0.1, 0.1}), 1);
  EXPECT_EQ(chance_of_errors({10, 0}, {0, 0}), 1);
  EXPECT_EQ(chance_of_errors({10, 1}, {0, 0}), 0);
  EXPECT_EQ(chance_of_errors({10, 9}, {1, 1}), 0);
  EXPECT_EQ(chance_of_errors({10, 10}, share_range(0.5, 1)), 1) << "theory knows nothing there";
}

}  // namespace
}  // namespace qsp::e91::keyrate

#include "e91/keyrate/entropy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace qsp::e91::keyrate {
namespace {

TEST(Log2, is_exact_at_powers_of_two) {
  for (int exponent = -1074; exponent < 1024; ++exponent) EXPECT_EQ(log2_of(std::ldexp(1.0, exponent)), exponent);
}

TEST(Log2, agrees_with_the_library_to_the_last_bits) {
  for (double x = 1e-300; x < 1e300; x *= 1.7)
    EXPECT_NEAR(log2_of(x), std::log2(x), 4e-16 * std::abs(std::log2(x)) + 1e-16);
  for (double x = 0.3; x < 3; x += 0.0007) EXPECT_NEAR(log2_of(x), std::log2(x), 5e-16);
  EXPECT_NEAR(log2_of(1 + 1e-9) / std::log2(1 + 1e-9), 1, 4e-16);
}

TEST(Log2, has_these_bits_on_every_machine) {
  EXPECT_EQ(log2_of(3.0), 0x1.95c01a39fbd68p+0);
  EXPECT_EQ(log2_of(0.03), -0x1.43c4ea091b417p+2);
  EXPECT_EQ(binary_entropy(0.03), 0x1.8e1d517ff6606p-3);
}

TEST(BinaryEntropy, has_its_known_values) {
  EXPECT_EQ(binary_entropy(0.5), 1);
  EXPECT_NEAR(binary_entropy(0.11), 0.499915958164528, 1e-15);
  EXPECT_NEAR(binary_entropy(0.25), 2 - 0.75 * std::log2(3.0), 1e-15);
  EXPECT_NEAR(binary_entropy(1e-15), 1e-15 * (std::log2(1e15) + 1 / std::log(2.0)), 1e-28);
  for (const double p : {-0.1, 0.0, 1.0, 1.1}) EXPECT_EQ(binary_entropy(p), 0);
}

TEST(BinaryEntropy, of_what_is_not_a_number_is_none) {
  EXPECT_TRUE(std::isnan(binary_entropy(std::numeric_limits<double>::quiet_NaN())));
}

}  // namespace
}  // namespace qsp::e91::keyrate

#include "e91/hashing/verification.hpp"

#include <gtest/gtest.h>

#include "draw.hpp"

namespace qsp::e91::hashing {
namespace {

constexpr std::uint64_t kPoint = 0x0123456789ABCDEF;

TEST(Verification, forms_agree) {
  for (const std::size_t size : {0U, 1U, 64U, 65U, 10'001U}) {
    for (const Carryless& form : carryless_forms()) {
      EXPECT_EQ(verification_hash(draw_bits(size, 3), kPoint, form), verification_hash(draw_bits(size, 3), kPoint));
    }
  }
}

TEST(Verification, is_the_polynomial_of_words_and_size) {
  Bits key(128);
  key.writable_words()[0] = 2;
  key.writable_words()[1] = 1;
  // At X: X · X^2 + 1 · X + 128 = X^3 + X + X^7.
  EXPECT_EQ(verification_hash(key, 2), 0b10001010U);
}

TEST(Verification, every_flipped_bit_is_seen) {
  Bits key = draw_bits(1'000, 4);
  const std::uint64_t hash = verification_hash(key, kPoint);
  for (std::size_t i = 0; i < key.size(); ++i) {
    key.flip(i);
    EXPECT_NE(verification_hash(key, kPoint), hash) << i;
    key.flip(i);
  }
  EXPECT_EQ(verification_hash(key, kPoint), hash);
}

TEST(Verification, zeros_at_either_end_are_seen) {
  for (std::size_t size = 0; size < 200; ++size) {
    EXPECT_NE(verification_hash(Bits(size), kPoint), verification_hash(Bits(size + 1), kPoint)) << size;
  }
}

TEST(Verification, keys_of_one_length_in_words_but_not_in_bits_differ) {
  // A hash that added the size to the last word would not tell these apart at any point.
  Bits shorter(2);
  Bits longer(3);
  shorter.set(0, true);
  EXPECT_NE(verification_hash(shorter, kPoint), verification_hash(longer, kPoint));
}

TEST(Verification, the_point_decides_the_hash) {
  const Bits key = draw_bits(1'000, 5);
  EXPECT_NE(verification_hash(key, kPoint), verification_hash(key, kPoint ^ 1));
}

TEST(Verification, a_million_bits_fail_below_the_default_bound) {
  EXPECT_LE(verification_failure(1'048'576), 1e-15);
  EXPECT_EQ(verification_failure(65), 0x1p-63);
}

}  // namespace
}  // namespace qsp::e91::hashing

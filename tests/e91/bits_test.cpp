#include "e91/bits.hpp"

#include <gtest/gtest.h>

namespace qsp::e91 {
namespace {

TEST(Bits, go_to_bytes_and_back) {
  const std::vector<std::uint8_t> bytes{0xA5, 0x0F, 0xFF, 0x01, 0x80, 0x7E, 0x11, 0x22, 0x33};
  for (std::size_t size = 0; size <= 72; ++size) {
    const Bits bits = Bits::from_bytes(bytes, size);
    ASSERT_EQ(bits.size(), size);
    for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(bits[i], ((bytes[i / 8] >> (i % 8)) & 1) != 0) << size << " " << i;
    const std::vector<std::uint8_t> again = bits.to_bytes();
    ASSERT_EQ(again.size(), (size + 7) / 8);
    EXPECT_EQ(distance(bits, Bits::from_bytes(again, size)), 0U);
  }
}

TEST(Bits, past_the_end_are_zero_after_truncation) {
  Bits bits(130);
  for (std::size_t i = 0; i < 130; ++i) bits.set(i, true);
  bits.truncate(67);
  EXPECT_EQ(bits.count(), 67U);
  EXPECT_EQ(bits.words().size(), 2U);
  bits.flip(66);
  EXPECT_EQ(bits.count(), 66U);
  bits.truncate(0);
  EXPECT_TRUE(bits.empty());
}

TEST(Bits, a_move_leaves_nothing_behind) {
  Bits from(64);
  from.set(3, true);
  const Bits to = std::move(from);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): what is left is the subject
  EXPECT_TRUE(to[3]);
}

}  // namespace
}  // namespace qsp::e91

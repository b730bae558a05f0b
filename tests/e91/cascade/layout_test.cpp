#include <gtest/gtest.h>

#include <set>

#include "e91/cascade/order.hpp"
#include "e91/cascade/parity.hpp"
#include "ends.hpp"

namespace qsp::e91::cascade::test {
namespace {

TEST(Order, places_agree_with_the_key_laid_out) {
  auto random = stream_of(1);
  for (const std::size_t size : std::vector<std::size_t>{64, 1000, 4096, 20000}) {
    const Bits key = random_bits(random, size);
    for (const Layout layout : {Layout::Natural, Layout::Shuffled, Layout::Subset}) {
      const Order order(layout, size, random);
      const Bits laid_out = order.apply(key);
      ASSERT_EQ(laid_out.size(), order.size());
      std::set<std::uint32_t> taken;
      for (std::uint32_t i = 0; i < size; ++i) {
        const auto place = order.place(i);
        if (!place) continue;
        ASSERT_LT(*place, order.size());
        EXPECT_TRUE(taken.insert(*place).second);
        EXPECT_EQ(laid_out[*place], key[i]);
        EXPECT_EQ(order.index(*place), i);
      }
      for (std::uint32_t place = 0; place < order.size(); ++place) {
        if (taken.contains(place)) continue;
        EXPECT_FALSE(order.index(place));
        EXPECT_FALSE(laid_out[place]);
      }
      if (layout == Layout::Subset) {
        EXPECT_NEAR(static_cast<double>(taken.size()), static_cast<double>(size) / 2,
                    3 * std::sqrt(static_cast<double>(size)));
      } else {
        EXPECT_EQ(taken.size(), size);
      }
    }
  }
}

TEST(Shuffle, bits_of_one_column_meet_as_often_as_by_chance) {
  auto random = stream_of(3);
  constexpr std::uint32_t kBlock = 64;
  constexpr std::uint32_t kBits = 256 * 64;
  std::size_t met = 0;
  std::size_t tried = 0;
  for (int round = 0; round < 20; ++round) {
    const Shuffle shuffle(random, kBits / 64);
    for (std::uint32_t i = 0; i < kBits; i += 64) {
      for (std::uint32_t j = 0; j < kBits; j += kBlock * 7) {
        if (i == j) continue;
        ++tried;
        if (shuffle.place(i + 5) / kBlock == shuffle.place(j + 5) / kBlock) ++met;
      }
    }
  }
  const double expected = static_cast<double>(tried) * kBlock / kBits;
  EXPECT_NEAR(static_cast<double>(met), expected, 6 * std::sqrt(expected));
}

TEST(Parity, of_a_range_is_that_of_its_bits) {
  auto random = stream_of(4);
  const Bits bits = random_bits(random, 300);
  for (std::size_t begin = 0; begin <= 300; begin += 7) {
    bool parity = false;
    for (std::size_t end = begin; end <= 300; ++end) {
      ASSERT_EQ(range_parity(bits.words(), begin, end), parity) << begin << " " << end;
      if (end < 300) parity = parity != bits[end];
    }
  }
}

TEST(Parity, syndromes_differ_by_where_one_bit_differs) {
  auto random = stream_of(5);
  Bits bits = random_bits(random, 128);
  for (unsigned level = 2; level <= kMaxSyndromeLevel; ++level) {
    for (std::size_t begin = 0; begin < 128; begin += std::size_t{1} << level) {
      const unsigned before = syndrome(bits.words(), begin, level);
      for (unsigned offset = 0; offset < 1U << level; ++offset) {
        bits.flip(begin + offset);
        EXPECT_EQ(syndrome(bits.words(), begin, level) ^ before, offset);
        bits.flip(begin + offset);
      }
    }
  }
}

}  // namespace
}  // namespace qsp::e91::cascade::test

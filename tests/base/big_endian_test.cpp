#include "base/big_endian.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace qsp {
namespace {

constexpr std::uint64_t kValue = 0x0102'0304'0506'0708;

TEST(BigEndian, the_most_significant_byte_comes_first) {
  EXPECT_EQ(big_endian<8>(kValue), (std::array<std::uint8_t, 8>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(big_endian<2>(kValue), (std::array<std::uint8_t, 2>{7, 8})) << "the low bytes";
  EXPECT_EQ(load_big_endian(big_endian<8>(kValue)), kValue);
}

TEST(BigEndian, every_size_is_stored_appended_and_loaded_alike) {
  for (std::size_t size = 0; size <= 8; ++size) {
    std::vector<std::uint8_t> stored(size);
    store_big_endian(kValue, stored);
    std::vector<std::uint8_t> appended{0xEE};
    append_big_endian(appended, kValue, size);
    ASSERT_EQ(appended.size(), size + 1);
    EXPECT_EQ(appended.front(), 0xEE);
    EXPECT_EQ(std::vector(appended.begin() + 1, appended.end()), stored);
    EXPECT_EQ(load_big_endian(stored), size == 8 ? kValue : kValue & ((std::uint64_t{1} << (8 * size)) - 1)) << size;
  }
}

TEST(BigEndian, of_more_than_eight_bytes_the_last_count) {
  EXPECT_EQ(load_big_endian(std::vector<std::uint8_t>{9, 9, 1, 2, 3, 4, 5, 6, 7, 8}), kValue);
}

}  // namespace
}  // namespace qsp

#include "base/big_endian.hpp"

#include <gtest/gtest.h>

#include <array>
#include <span>
#include <utility>
#include <vector>

namespace qsp {
namespace {

/// Each byte differs, and each has the top bit that a sign would be.
constexpr std::uint64_t kValue = 0x8192'A3B4'C5D6'E7F8;

TEST(BigEndian, the_most_significant_byte_comes_first) {
  EXPECT_EQ(big_endian<8>(kValue), (std::array<std::uint8_t, 8>{0x81, 0x92, 0xA3, 0xB4, 0xC5, 0xD6, 0xE7, 0xF8}));
  EXPECT_EQ(big_endian<2>(kValue), (std::array<std::uint8_t, 2>{0xE7, 0xF8})) << "the low bytes";
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

/// A size that is known when the program is compiled has code of its own.
template <std::size_t Size>
void expect_as_of_unknown_size() {
  std::vector<std::uint8_t> stored(Size);
  store_big_endian(kValue, stored);
  const std::array<std::uint8_t, Size> bytes = big_endian<Size>(kValue);
  EXPECT_EQ(std::vector(bytes.begin(), bytes.end()), stored);
  EXPECT_EQ(load_big_endian(std::span<const std::uint8_t, Size>(bytes)), load_big_endian(stored)) << Size;
}

TEST(BigEndian, every_size_known_beforehand_is_stored_and_loaded_alike) {
  [&]<std::size_t... Less>(std::index_sequence<Less...>) {
    (expect_as_of_unknown_size<Less + 1>(), ...);
  }(std::make_index_sequence<8>());
}

TEST(BigEndian, of_more_than_eight_bytes_the_last_count) {
  EXPECT_EQ(load_big_endian(std::vector<std::uint8_t>{9, 9, 0x81, 0x92, 0xA3, 0xB4, 0xC5, 0xD6, 0xE7, 0xF8}), kValue);
}

}  // namespace
}  // namespace qsp

#include "base/hex.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace qsp {
namespace {

using Buffer = std::vector<std::uint8_t>;

TEST(Hex, every_byte_is_two_lower_case_digits_and_comes_back) {
  Buffer all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  const std::string text = to_hex(all);
  ASSERT_EQ(text.size(), 512U);
  EXPECT_TRUE(text.starts_with("000102030405060708090a0b0c0d0e0f10"));
  EXPECT_TRUE(text.ends_with("f8f9fafbfcfdfeff"));
  EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(from_hex(text), all);
}

TEST(Hex, digits_of_either_case_are_read) {
  EXPECT_EQ(from_hex("abcdefABCDEF"), (Buffer{0xab, 0xcd, 0xef, 0xab, 0xcd, 0xef}));
  EXPECT_EQ(from_hex(""), Buffer{});
  EXPECT_EQ(to_hex({}), "");
}

TEST(Hex, no_other_character_passes_for_a_digit) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  for (int code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    const bool digit = kDigits.find(c) != std::string_view::npos;
    EXPECT_EQ(from_hex(std::string{c, '0'}).has_value(), digit) << code;
    EXPECT_EQ(from_hex(std::string{'0', c}).has_value(), digit) << code;
  }
}

TEST(Hex, a_text_that_does_not_fit_leaves_zeros) {
  for (const std::string_view text : {"0102030", "01020304", "0102", "", "01020g", "x10203"}) {
    std::array<std::uint8_t, 3> out{7, 7, 7};
    EXPECT_FALSE(from_hex(text, out)) << text;
    EXPECT_EQ(out, (std::array<std::uint8_t, 3>{})) << text;
  }
  EXPECT_FALSE(from_hex("012"));
}

TEST(Hex, is_appended_without_moving_a_text_that_has_the_room) {
  std::string text = "qsp1:";
  text.reserve(100);
  const char* const before = text.data();
  append_hex(text, Buffer(40, 0x5A));
  EXPECT_EQ(text.data(), before);
  EXPECT_TRUE(text.starts_with("qsp1:5a5a"));
  EXPECT_EQ(text.size(), 85U);
}

}  // namespace
}  // namespace qsp

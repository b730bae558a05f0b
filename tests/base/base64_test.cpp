#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/base64.hpp"

namespace qsp {
namespace {

std::optional<std::string> decoded(std::string_view text, std::size_t room = 64) {
  std::vector<std::uint8_t> out(room, 0xaa);
  const auto size = from_base64(text, out);
  if (!size) {
    EXPECT_TRUE(std::ranges::all_of(out, [](std::uint8_t byte) { return byte == 0; })) << "not wiped: " << text;
    return std::nullopt;
  }
  return std::string(as_text(Bytes(out).first(*size)));
}

std::string encoded(std::string_view bytes) {
  std::string text(base64_size(bytes.size()), '?');
  to_base64(as_bytes(bytes), text);
  return text;
}

TEST(Base64, follows_the_vectors_of_rfc4648) {
  const std::array<std::pair<std::string_view, std::string_view>, 7> vectors{{{"", ""},
                                                                              {"f", "Zg=="},
                                                                              {"fo", "Zm8="},
                                                                              {"foo", "Zm9v"},
                                                                              {"foob", "Zm9vYg=="},
                                                                              {"fooba", "Zm9vYmE="},
                                                                              {"foobar", "Zm9vYmFy"}}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(encoded(bytes), text);
    EXPECT_EQ(decoded(text), bytes);
  }
}

TEST(Base64, uses_the_whole_alphabet_in_order) {
  std::string bytes;
  for (unsigned i = 0; i < 64; i += 4) {
    const unsigned group = i << 18 | (i + 1) << 12 | (i + 2) << 6 | (i + 3);
    for (const unsigned shift : {16U, 8U, 0U}) bytes += static_cast<char>(group >> shift);
  }
  EXPECT_EQ(encoded(bytes), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
  EXPECT_EQ(decoded(encoded(bytes)), bytes);
}

TEST(Base64, refuses_every_other_character) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (unsigned code = 0; code < 256; ++code) {
    const char character = static_cast<char>(code);
    const bool known = alphabet.find(character) != std::string::npos;
    for (std::size_t at = 0; at < 3; ++at) {
      std::string text = "AAAA";
      text[at] = character;
      EXPECT_EQ(decoded(text).has_value(), known) << code << " at " << at;
    }
  }
}

TEST(Base64, refuses_what_is_not_canonical) {
  for (const std::string_view text : {"Zh==", "Zm9=", "Zg", "Zg=", "Zg===", "Z===", "====", "=",
                                      "Zg==Zg==", "Zm8=Zm8=", "Zm9v\n", " Zm9v", "Zm9v====", "Zm-_"}) {
    EXPECT_FALSE(decoded(text)) << text;
  }
}

TEST(Base64, never_writes_beyond_its_room) {
  EXPECT_EQ(decoded("Zm9v", 3), "foo");
  EXPECT_FALSE(decoded("Zm9v", 2));
  EXPECT_EQ(decoded("Zm8=", 2), "fo");
  EXPECT_FALSE(decoded("Zm8=", 1));
  EXPECT_EQ(decoded("", 0), "");
}

TEST(Base64, every_length_comes_back_and_its_padding_says_how_long_it_was) {
  std::string bytes;
  for (unsigned size = 0; size <= 70; ++size, bytes += static_cast<char>(size * 37)) {
    const std::string text = encoded(bytes);
    EXPECT_EQ(text.size() % 4, 0U);
    EXPECT_EQ(std::ranges::count(text, '='), static_cast<std::ptrdiff_t>((3 - size % 3) % 3));
    EXPECT_EQ(decoded(text, 70), bytes);
  }
}

TEST(Base64, every_byte_comes_back_at_every_place) {
  for (unsigned code = 0; code < 256; ++code) {
    for (std::size_t at = 0; at < 3; ++at) {
      std::string bytes = "abc";
      bytes[at] = static_cast<char>(code);
      for (std::size_t size = at + 1; size <= 3; ++size) {
        EXPECT_EQ(decoded(encoded(bytes.substr(0, size))), bytes.substr(0, size)) << code << " at " << at;
      }
    }
  }
}

}  // namespace
}  // namespace qsp

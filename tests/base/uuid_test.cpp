#include "base/uuid.hpp"

#include <gtest/gtest.h>

#include <string>

namespace qsp {
namespace {

constexpr std::string_view kText = "00112233-4455-6677-8899-aabbccddeeff";
constexpr Uuid kUuid{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

TEST(UuidText, is_written_in_lower_case_and_read_in_either) {
  EXPECT_EQ(uuid_text(kUuid), kText);
  EXPECT_EQ(parse_uuid(kText), kUuid);
  EXPECT_EQ(parse_uuid("00112233-4455-6677-8899-AABBCCDDEEFF"), kUuid);
}

TEST(UuidText, has_digits_and_dashes_at_their_places_and_nothing_else) {
  for (std::size_t i = 0; i < kText.size(); ++i) {
    for (const char wrong : {'g', '/', ':', '@', '`', ' ', '\0', '\xff', '-', '0'}) {
      std::string text(kText);
      const bool dash = text[i] == '-';
      text[i] = wrong;
      EXPECT_EQ(is_uuid(text), dash ? wrong == '-' : wrong == '0') << text;
    }
  }
  for (std::size_t size = 0; size < kText.size(); ++size) EXPECT_FALSE(is_uuid(kText.substr(0, size)));
  EXPECT_FALSE(is_uuid(kText.substr(1)));
  EXPECT_FALSE(is_uuid(std::string(kText) + "0"));
}

// SPEC §5.7.
TEST(UuidText, names_the_same_in_any_case_and_no_other) {
  EXPECT_TRUE(same_uuid("00112233-4455-6677-8899-AABBccddEEFF", kText));
  for (std::size_t i = 0; i < kText.size(); ++i) {
    if (kText[i] == '-') continue;
    std::string text(kText);
    text[i] = text[i] == '1' ? '2' : '1';
    EXPECT_FALSE(same_uuid(text, kText)) << text;
  }
  EXPECT_FALSE(same_uuid("", ""));
  EXPECT_FALSE(same_uuid("g", "g"));
}

TEST(UuidOf, sets_version_and_variant_and_no_other_bit) {
  Uuid ones{};
  ones.fill(0xFF);
  EXPECT_EQ(uuid_text(uuid_of(ones, 4)), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  EXPECT_EQ(uuid_text(uuid_of({}, 8)), "00000000-0000-8000-8000-000000000000");
}

}  // namespace
}  // namespace qsp

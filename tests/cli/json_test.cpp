#include "cli/json.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace qsp::cli {
namespace {

TEST(Json, LeavesUtf8Alone) {
  for (const char* const text : {"", "{}", "plain", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x94\x91",
                                 "a\xc3\xa4"
                                 "b"}) {
    EXPECT_EQ(with_valid_utf8(text), text);
  }
}

TEST(Json, EscapesWhatIsNoUtf8) {
  EXPECT_EQ(with_valid_utf8("\xff"), R"(\\xff)");
  EXPECT_EQ(with_valid_utf8("a\x80z"), R"(a\\x80z)");
  EXPECT_EQ(with_valid_utf8("\xc3"), R"(\\xc3)");                             // cut off
  EXPECT_EQ(with_valid_utf8("\xc3("), R"(\\xc3()");                           // its second byte is missing
  EXPECT_EQ(with_valid_utf8("\xc0\xaf"), R"(\\xc0\\xaf)");                    // "/" in two bytes
  EXPECT_EQ(with_valid_utf8("\xed\xa0\x80"), R"(\\xed\\xa0\\x80)");           // half of a surrogate pair
  EXPECT_EQ(with_valid_utf8("\xf4\x90\x80\x80"), R"(\\xf4\\x90\\x80\\x80)");  // beyond U+10FFFF
  EXPECT_EQ(with_valid_utf8("\xff\xc3\xa4"), "\\\\xff\xc3\xa4");
}

TEST(Json, StaysWholeAroundThem) {
  for (const char* const text : {"\xff", "\\\xff", "\"\xc3", "\xc3\"\\", "\xe2\x82"}) {
    const std::string line = json_line({{text, text}});
    ASSERT_TRUE(line.ends_with("}\n")) << line;
    const auto parsed = boost::json::parse(line);
    ASSERT_EQ(parsed.as_object().size(), 1U) << line;
  }
}

}  // namespace
}  // namespace qsp::cli

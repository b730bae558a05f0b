#include "cli/text.hpp"

#include <gtest/gtest.h>

namespace qsp::cli {
namespace {

// SPEC §5.8.
TEST(Text, OfAPeerCannotReachTheTerminal) {
  EXPECT_EQ(escape("plain text, 100 %"), "plain text, 100 %");
  EXPECT_EQ(escape("\x1b[31m\r\n\t\x07\x7f"), "\\x1b[31m\\x0d\\x0a\\x09\\x07\\x7f");
  EXPECT_EQ(escape("\xc2\x9b"
                   "31m\xff"),
            "\\xc2\\x9b31m\\xff");
  EXPECT_EQ(escape("a\\x1b"), "a\\\\x1b") << "an escape of its own must not look like one of ours";
  EXPECT_EQ(escape(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(escape("a\nb\r", true), "a\nb\\x0d");
}

TEST(Text, GroupsDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(12'345'678), "12,345,678");
}

}  // namespace
}  // namespace qsp::cli

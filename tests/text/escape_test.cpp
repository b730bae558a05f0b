#include "text/escape.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

namespace qsp::text {
namespace {

/// Every byte, alone, and what becomes of it by a rule that is written out here once more.
template <class Escape, class Rule>
void expect_of_every_byte(const Escape& escape, const Rule& rule) {
  std::string all, expected;
  for (int value = 0; value < 256; ++value) {
    const auto c = static_cast<char>(value);
    const std::string one(1, c);
    const std::string wanted = rule(c);
    EXPECT_EQ(escape(one), wanted) << "byte " << value;
    all += one;
    expected += wanted;
  }
  EXPECT_EQ(escape(all), expected) << "one after the other";
  EXPECT_EQ(escape(""), "");
}

std::string hex(char c, bool upper) {
  std::array<char, 3> digits{};
  std::snprintf(digits.data(), digits.size(), upper ? "%02X" : "%02x",
                static_cast<unsigned>(static_cast<unsigned char>(c)));
  return digits.data();
}

constexpr std::string_view kPrintable =
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

// SPEC §5.8.
TEST(TerminalEscape, of_a_peers_text_cannot_reach_the_terminal) {
  EXPECT_EQ(terminal_escape("plain text, 100 %"), "plain text, 100 %");
  EXPECT_EQ(terminal_escape("\x1b[31m\r\n\t\x07\x7f"), "\\x1b[31m\\x0d\\x0a\\x09\\x07\\x7f");
  EXPECT_EQ(terminal_escape("\xc2\x9b"
                            "31m\xff"),
            "\\xc2\\x9b31m\\xff");
  EXPECT_EQ(terminal_escape("a\\x1b"), "a\\\\x1b") << "an escape of its own must not look like one of ours";
  EXPECT_EQ(terminal_escape(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(terminal_escape_lines("a\nb\r"), "a\nb\\x0d");
}

std::string of_terminal(char c) {
  if (c == '\\') return "\\\\";
  return kPrintable.contains(c) ? std::string(1, c) : "\\x" + hex(c, false);
}

TEST(TerminalEscape, leaves_printable_ascii_alone) {
  expect_of_every_byte(terminal_escape, of_terminal);
  expect_of_every_byte(terminal_escape_lines, [](char c) { return c == '\n' ? "\n" : of_terminal(c); });
}

TEST(XmlEscape, leaves_nothing_that_is_markup_or_no_xml) {
  expect_of_every_byte(xml_escape, [](char c) -> std::string {
    switch (c) {
      case '<':
        return "&lt;";
      case '>':
        return "&gt;";
      case '&':
        return "&amp;";
      case '"':
        return "&quot;";
      default:
        return kPrintable.contains(c) || static_cast<unsigned char>(c) > 0x7f ? std::string(1, c) : " ";
    }
  });
  EXPECT_EQ(xml_escape("ℓ < \"1\" & é"), "ℓ &lt; &quot;1&quot; &amp; é");
}

TEST(UrlEscape, leaves_the_unreserved_characters_of_rfc3986) {
  constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  expect_of_every_byte(url_escape,
                       [&](char c) { return kUnreserved.contains(c) ? std::string(1, c) : "%" + hex(c, true); });
  EXPECT_EQ(url_escape("/ %\xff"), "%2F%20%25%FF");
}

TEST(PrometheusLabelEscape, writes_backslash_quote_and_line_feed) {
  expect_of_every_byte(prometheus_label_escape, [](char c) -> std::string {
    if (c == '\\') return "\\\\";
    if (c == '"') return "\\\"";
    return c == '\n' ? "\\n" : std::string(1, c);
  });
}

TEST(ConninfoEscape, writes_backslash_and_single_quote) {
  expect_of_every_byte(conninfo_escape,
                       [](char c) { return c == '\\' || c == '\'' ? std::string("\\") + c : std::string(1, c); });
}

TEST(JsonEscapeBytes, of_every_byte_alone_keeps_ascii) {
  expect_of_every_byte(json_escape_bytes, [](char c) {
    return static_cast<unsigned char>(c) < 0x80 ? std::string(1, c) : "\\\\x" + hex(c, false);
  });
}

TEST(JsonEscapeBytes, leaves_utf8_alone) {
  for (const char* const text : {"", "{}", "plain", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x94\x91",
                                 "a\xc3\xa4"
                                 "b"}) {
    EXPECT_EQ(json_escape_bytes(text), text);
  }
}

TEST(JsonEscapeBytes, writes_what_is_not_utf8) {
  EXPECT_EQ(json_escape_bytes("\xff"), R"(\\xff)");
  EXPECT_EQ(json_escape_bytes("a\x80z"), R"(a\\x80z)");
  EXPECT_EQ(json_escape_bytes("\xc3"), R"(\\xc3)");                             // cut off
  EXPECT_EQ(json_escape_bytes("\xc3("), R"(\\xc3()");                           // its second byte is missing
  EXPECT_EQ(json_escape_bytes("\xc0\xaf"), R"(\\xc0\\xaf)");                    // "/" in two bytes
  EXPECT_EQ(json_escape_bytes("\xed\xa0\x80"), R"(\\xed\\xa0\\x80)");           // half of a surrogate pair
  EXPECT_EQ(json_escape_bytes("\xf4\x90\x80\x80"), R"(\\xf4\\x90\\x80\\x80)");  // beyond U+10FFFF
  EXPECT_EQ(json_escape_bytes("\xff\xc3\xa4"), "\\\\xff\xc3\xa4");
}

/// The two bytes of every pair, so of every character of two bytes and of every beginning that is not followed as it
/// should be.
TEST(JsonEscapeBytes, of_every_pair_is_utf8) {
  const auto is_continuation = [](int byte) { return byte >= 0x80 && byte < 0xc0; };
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string pair{static_cast<char>(first), static_cast<char>(second)};
      const bool character = first >= 0xc2 && first < 0xe0 && is_continuation(second);
      std::string expected;
      for (const char c : pair) {
        expected += character || static_cast<unsigned char>(c) < 0x80 ? std::string(1, c) : "\\\\x" + hex(c, false);
      }
      ASSERT_EQ(json_escape_bytes(pair), expected) << first << ' ' << second;
    }
  }
}

}  // namespace
}  // namespace qsp::text

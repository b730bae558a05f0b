#include "config/toml.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace qsp::config {
namespace {

std::string error_of(std::string_view text) {
  const auto members = parse_toml("f.toml", text);
  return members ? "(read)" : members.error();
}

TEST(Toml, gives_every_kind_with_its_place) {
  const auto members = parse_toml("f.toml",
                                  "z = \"text\"\n"
                                  "a = 5\n"
                                  "  b = 0.5\n"
                                  "c = true\n"
                                  "d = [1, \"two\"]\n"
                                  "e = 2026-11-30\n"
                                  "\n"
                                  "[table]\n"
                                  "inner = {x = 1}\n"
                                  "[[many]]\n"
                                  "[[many]]\n"
                                  "y = 2\n");
  ASSERT_TRUE(members) << members.error();
  ASSERT_EQ(members->size(), 8U);
  const auto& m = *members;
  EXPECT_EQ(m[0].name, "z") << "in the order of the file";
  EXPECT_EQ(*m[0].value.if_is<std::string>(), "text");
  EXPECT_EQ(m[0].place, (Place{.line = 1, .column = 1}));
  EXPECT_EQ(m[0].value.place, (Place{.line = 1, .column = 5}));
  EXPECT_EQ(*m[1].value.if_is<std::int64_t>(), 5);
  EXPECT_EQ(*m[2].value.if_is<double>(), 0.5);
  EXPECT_EQ(m[2].place, (Place{.line = 3, .column = 3}));
  EXPECT_EQ(*m[3].value.if_is<bool>(), true);
  const auto* const array = m[4].value.if_is<Array>();
  ASSERT_NE(array, nullptr);
  ASSERT_EQ(array->size(), 2U);
  EXPECT_EQ(*(*array)[1].if_is<std::string>(), "two");
  EXPECT_EQ((*array)[1].place, (Place{.line = 5, .column = 9}));
  EXPECT_NE(m[5].value.if_is<DateOrTime>(), nullptr);
  const auto* const table = m[6].value.if_is<Members>();
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(m[6].value.place, (Place{.line = 8, .column = 1}));
  EXPECT_EQ(*(*table)[0].value.if_is<Members>()->at(0).value.if_is<std::int64_t>(), 1);
  const auto* const many = m[7].value.if_is<Array>();
  ASSERT_NE(many, nullptr);
  ASSERT_EQ(many->size(), 2U);
  EXPECT_TRUE((*many)[0].if_is<Members>()->empty());
  EXPECT_EQ((*many)[1].place, (Place{.line = 11, .column = 1}));
}

TEST(Toml, that_is_none_is_refused_with_its_place) {
  for (const auto& [text, place] : {std::pair{"a = \n", "f.toml:1:"},
                                    {"a = 1\nb = x\n", "f.toml:2:"},
                                    {"\n[a\n", "f.toml:2:"},
                                    {"a = \"\xff\"\n", "f.toml:1:"},
                                    {"a = 1\na = 2\n", "f.toml:2:"},
                                    {"[a]\n[a]\n", "f.toml:2:"},
                                    {"a = {b = 1, b = 2}\n", "f.toml:1:"},
                                    {"a.b = 1\na.b = 2\n", "f.toml:2:"},
                                    {"[\x06source]\n", "f.toml:1:2: "},
                                    {"[=]\n", "f.toml:1:2: "}}) {
    EXPECT_TRUE(error_of(text).starts_with(place)) << text << ": " << error_of(text);
    EXPECT_TRUE(error_of(text).contains(": not TOML: ")) << error_of(text);
  }
}

TEST(Toml, errors_show_no_control_characters) {
  for (const char* const text : {"\x1b[31m = 1", "a = \x1b", "\"\\u001b[31m\" = 1\n\"\\u001b[31m\" = 2\n"}) {
    const std::string error = error_of(text);
    EXPECT_TRUE(error.starts_with("f.toml:")) << error;
    EXPECT_FALSE(error.contains('\x1b')) << error;
    EXPECT_FALSE(error.contains('\n')) << error;
  }
}

/// Values in values, and tables in tables by dots: whoever takes them apart recurses.
TEST(Toml, is_not_nested_without_end) {
  EXPECT_TRUE(parse_toml("f.toml", "a = [[[[1]]]]"));
  EXPECT_TRUE(error_of("a = " + std::string(100'000, '[')).contains("not TOML"));
  std::string dotted = "a";
  for (std::size_t i = 0; i < kMaxDots; ++i) dotted += ".a";
  EXPECT_TRUE(parse_toml("f.toml", dotted + " = 1"));
  EXPECT_EQ(error_of("b = 1\n" + dotted + ".a = 1"), "f.toml:2:1: not TOML: more than 100 dots in a line");
  EXPECT_EQ(error_of("[" + dotted + ".a]"), "f.toml:1:1: not TOML: more than 100 dots in a line");
  EXPECT_TRUE(parse_toml("f.toml", "  # " + std::string(500, '.') + "\na = 1")) << "a comment nests nothing";
}

}  // namespace
}  // namespace qsp::config

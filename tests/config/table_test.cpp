#include "config/table.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "config/document.hpp"

namespace qsp::config {
namespace {

using namespace std::chrono_literals;

constexpr FileKind kKind{.most = 10'000, .page = "docs/things.md"};

/// What the reading of a file's root comes to: its first problem, or "".
std::string problem_of(std::string_view text, const std::function<void(Table&)>& read) {
  const auto document = Document::parse("dir/f.toml", text, kKind);
  if (!document) return document.error();
  Table table = document->root("a thing");
  read(table);
  const auto finished = table.finish();
  return finished ? "" : finished.error();
}

/// A file with the field "x", read by one call, and the problem with it; nothing else may have been set.
template <class Value>
struct Field {
  std::function<void(Table&, Value&)> read;
  Value unset = {};

  Value good(std::string_view text) const {
    Value value = unset;
    EXPECT_EQ(problem_of(text, [&](Table& table) { read(table, value); }), "") << text;
    return value;
  }
  std::string bad(std::string_view text) const {
    Value value = unset;
    const std::string problem = problem_of(text, [&](Table& table) { read(table, value); });
    EXPECT_EQ(value, unset) << text << " was refused, and set";
    return problem;
  }
};

TEST(Table, reads_texts) {
  const Field<std::string> field{[](Table& table, std::string& out) { table.text("x", out, {.least = 2, .most = 4}); },
                                 "default"};
  constexpr auto kTakes =
      "dir/f.toml:2:5: a thing, field \"x\": takes a text in quotes, of 2 to 4 bytes without control characters";
  EXPECT_EQ(field.good("x = \"ab\""), "ab");
  EXPECT_EQ(field.good("x = 'abcd'"), "abcd");
  EXPECT_EQ(field.good("x = \"\xc3\xa4\""), "\xc3\xa4");
  EXPECT_EQ(field.good(""), "default");
  for (const char* const value : {"\"a\"", "\"abcde\"", "\"\"", "\"a\\n\"", "\"a\\u007f\"", "5", "true", "[\"ab\"]"}) {
    EXPECT_EQ(field.bad(std::string("\nx = ") + value), kTakes) << value;
  }
}

TEST(Table, reads_texts_that_are_of_a_kind) {
  const Field<std::string> field{[](Table& table, std::string& out) {
    table.text("x", out, {.is = [](std::string_view text) noexcept { return text == "\n"; }, .takes = "a line feed"});
  }};
  EXPECT_EQ(field.good("x = \"\\n\""), "\n");
  EXPECT_EQ(field.bad("x = \"a\""), "dir/f.toml:1:5: a thing, field \"x\": takes a text in quotes: a line feed");
  EXPECT_EQ(field.bad("x = 1"), "dir/f.toml:1:5: a thing, field \"x\": takes a text in quotes: a line feed");
}

TEST(Table, misses_what_is_needed) {
  const auto needs = [](Need need) {
    return problem_of("\n\ny = 1", [need](Table& table) {
      std::string text;
      int y = 0;
      table.text("x", text, {.need = need});
      table.number("y", y, 0, 1);
    });
  };
  EXPECT_EQ(needs({}), "");
  EXPECT_EQ(needs(kNeeded), "dir/f.toml:1:1: a thing, field \"x\": is missing");
  EXPECT_EQ(needs({.needed = true, .why = "every thing has one"}),
            "dir/f.toml:1:1: a thing, field \"x\": is missing; every thing has one");
}

using Texts = std::vector<std::string>;

TEST(Table, reads_arrays_of_texts) {
  const Field<Texts> field{[](Table& table, Texts& out) { table.texts("x", out, {.most = 2, .each = {.most = 3}}); }};
  EXPECT_EQ(field.good("x = [\"a\", \"b\"]"), (Texts{"a", "b"}));
  for (const char* const value :
       {"[]", "\"a\"", "[1]", "[\"a\", 1]", "[\"a\", \"b\", \"c\"]", "[\"\"]", "[\"long\"]", "{}"}) {
    EXPECT_EQ(field.bad(std::string("x = ") + value),
              "dir/f.toml:1:5: a thing, field \"x\": takes an array of 1 to 2 texts in quotes, of 1 to 3 bytes without "
              "control characters")
        << value;
  }
}

TEST(Table, reads_one_text_or_several) {
  const Field<Texts> field{
      [](Table& table, Texts& out) { table.texts("x", out, {.most = 2, .or_one = true, .each = {.most = 3}}); }};
  EXPECT_EQ(field.good("x = \"a\""), Texts{"a"});
  EXPECT_EQ(field.good("x = [\"a\", \"b\"]"), (Texts{"a", "b"}));
  for (const char* const value : {"[]", "\"\"", "1", "[\"a\", \"b\", \"c\"]"}) {
    EXPECT_EQ(field.bad(std::string("x = ") + value),
              "dir/f.toml:1:5: a thing, field \"x\": takes a text in quotes, of 1 to 3 bytes without control "
              "characters; or an array of 1 to 2 of them")
        << value;
  }
}

TEST(Table, reads_names_of_files_beside_it) {
  const Field<std::string> field{[](Table& table, std::string& out) { table.file("x", out); }};
  EXPECT_EQ(field.good("x = \"key.pem\""), "dir/key.pem");
  EXPECT_EQ(field.good("x = \"/key.pem\""), "/key.pem");
  EXPECT_EQ(field.good(""), "");
  EXPECT_TRUE(field.bad("x = \"\"").contains("field \"x\": takes a text in quotes"));
}

TEST(Table, reads_flags) {
  const Field<bool> field{[](Table& table, bool& out) { table.flag("x", out); }};
  EXPECT_TRUE(field.good("x = true"));
  EXPECT_FALSE(field.good("x = false"));
  for (const char* const value : {"1", "\"true\"", "[true]"}) {
    EXPECT_EQ(field.bad(std::string("x = ") + value), "dir/f.toml:1:5: a thing, field \"x\": takes true or false");
  }
}

TEST(Table, reads_flags_by_their_old_names_and_says_so) {
  const auto document = Document::parse("f.toml", "\nold = true\n", kKind);
  Table table = document->root("a thing");
  bool flag = false;
  table.flag("new", flag, "old");
  EXPECT_TRUE(table.finish());
  EXPECT_TRUE(flag);
  ASSERT_EQ(table.warnings().size(), 1U);
  EXPECT_EQ(table.warnings()[0],
            "f.toml:2:1: field \"old\" is now called \"new\"; the old name goes with the next version");
  const Field<bool> field{[](Table& read, bool& out) {
    bool value = false;
    read.flag("new", value, "old");
    if (!read.finish()) return;
    out = value;
  }};
  EXPECT_EQ(field.bad("new = true\nold = true"),
            "dir/f.toml:2:7: a thing, field \"old\": is now called \"new\", which is there too");
  EXPECT_EQ(field.bad("old = 1"), "dir/f.toml:1:7: a thing, field \"old\": takes true or false");
}

TEST(Table, reads_whole_numbers) {
  const Field<std::uint16_t> field{[](Table& table, std::uint16_t& out) { table.number("x", out, 3, 65'535); }, 7};
  EXPECT_EQ(field.good("x = 3"), 3);
  EXPECT_EQ(field.good("x = 0xffff"), 65'535);
  EXPECT_EQ(field.good(""), 7);
  for (const char* const value : {"2", "65536", "-1", "3.0", "\"3\"", "true", "9223372036854775807"}) {
    EXPECT_EQ(field.bad(std::string("x = ") + value),
              "dir/f.toml:1:5: a thing, field \"x\": takes a whole number from 3 to 65535")
        << value;
  }
  using Maybe = std::optional<std::uint16_t>;
  const Field<Maybe> maybe{[](Table& table, Maybe& out) { table.number("x", out, 3, 9); }};
  EXPECT_EQ(maybe.good(""), std::nullopt);
  EXPECT_EQ(maybe.good("x = 9"), 9);
  EXPECT_TRUE(maybe.bad("x = 10").contains("takes a whole number from 3 to 9"));
}

TEST(Table, reads_numbers) {
  const Field<double> bounded{[](Table& table, double& out) { table.number("x", out, 0, 1e9); }, 0.5};
  EXPECT_EQ(bounded.good("x = 1"), 1);
  EXPECT_EQ(bounded.good("x = 1e9"), 1e9);
  EXPECT_EQ(bounded.good(""), 0.5);
  for (const char* const value : {"-0.1", "1.1e9", "nan", "inf", "-inf", "\"1\"", "true"}) {
    EXPECT_EQ(bounded.bad(std::string("x = ") + value),
              "dir/f.toml:1:5: a thing, field \"x\": takes a number from 0 to 1e+09")
        << value;
  }
  using Maybe = std::optional<double>;
  const Field<Maybe> any{[](Table& table, Maybe& out) { table.number("x", out); }};
  EXPECT_EQ(any.good("x = -1e300"), -1e300);
  EXPECT_EQ(any.good(""), std::nullopt);
  for (const char* const value : {"nan", "inf", "\"1\""}) {
    EXPECT_EQ(any.bad(std::string("x = ") + value), "dir/f.toml:1:5: a thing, field \"x\": takes a number") << value;
  }
}

TEST(Table, reads_times) {
  const Field<std::chrono::seconds> field{
      [](Table& table, std::chrono::seconds& out) { table.time("x", out, 10s, 24h); }, 1s};
  EXPECT_EQ(field.good("x = 90"), 90s);
  EXPECT_EQ(field.good("x = \"2m\""), 120s);
  EXPECT_EQ(field.good("x = \"90\""), 90s);
  EXPECT_EQ(field.good("x = \"24h\""), 24h);
  for (const char* const value : {"9", "\"25h\"", "\"10500ms\"", "90.0", "\"2y\"", "true", "\"\""}) {
    EXPECT_EQ(
        field.bad(std::string("x = ") + value),
        "dir/f.toml:1:5: a thing, field \"x\": takes whole seconds, or a text such as \"90s\" or \"1h\", from 10s "
        "to 1d")
        << value;
  }
}

TEST(Table, reads_choices) {
  enum class Colour { Red, Green, Blue };
  const Field<Colour> field{[](Table& table, Colour& out) {
                              table.choice("x", out,
                                           {{"red", Colour::Red}, {"green", Colour::Green}, {"blue", Colour::Blue}});
                            },
                            Colour::Green};
  EXPECT_EQ(field.good("x = \"blue\""), Colour::Blue);
  EXPECT_EQ(field.good(""), Colour::Green);
  for (const char* const value : {"\"Red\"", "\"\"", "1", "[\"red\"]"}) {
    EXPECT_EQ(field.bad(std::string("x = ") + value),
              "dir/f.toml:1:5: a thing, field \"x\": takes \"red\", \"green\" or \"blue\"")
        << value;
  }
  const Field<char> noted{
      [](Table& table, char& out) { table.choice("x", out, {{"a", 'a'}, {"b", 'b'}}, kNeeded, ", one at each end"); }};
  EXPECT_EQ(noted.good("x = \"b\""), 'b');
  EXPECT_EQ(noted.bad("x = \"c\""), "dir/f.toml:1:5: a thing, field \"x\": takes \"a\" or \"b\", one at each end");
  EXPECT_EQ(noted.bad(""), "dir/f.toml:1:1: a thing, field \"x\": is missing");
}

TEST(Table, has_tables_by_name) {
  const Field<int> field{[](Table& table, int& out) {
    Table inner = table.table("x");
    int value = 0;
    inner.number("n", value, 0, 9);
    if (const auto finished = inner.finish(); !finished) {
      ADD_FAILURE_AT(__FILE__, __LINE__) << finished.error();
    }
    out = value;
  }};
  EXPECT_EQ(field.good("[x]\nn = 4"), 4);
  EXPECT_EQ(field.good("x = {n = 4}"), 4);
  EXPECT_EQ(field.good(""), 0);
  EXPECT_EQ(field.bad("x = 3"), "dir/f.toml:1:5: a thing, field \"x\": is a table; write [x]");
  const auto document = Document::parse("f.toml", "\n[x]\nm = 4", kKind);
  Table root = document->root("a thing");
  Table inner = root.table("x");
  EXPECT_EQ(inner.finish().error(), "f.toml:3:1: [x], field \"m\": is unknown (see docs/things.md)");
}

TEST(Table, has_tables_in_a_row) {
  const Field<std::vector<std::string>> field{[](Table& table, std::vector<std::string>& out) {
    for (Table& one : table.tables("x", 2, "an x")) one.text("n", out.emplace_back(), {});
  }};
  EXPECT_EQ(field.good("[[x]]\nn = \"a\"\n[[x]]\nn = \"b\""), (Texts{"a", "b"}));
  EXPECT_EQ(field.good("x = []"), Texts{});
  EXPECT_EQ(field.good(""), Texts{});
  for (const char* const text : {"x = 5", "[x]", "x = [1]", "x = [{}, 1]", "[[x]]\n[[x]]\n[[x]]"}) {
    const std::string problem = field.bad(text);
    EXPECT_TRUE(problem.starts_with("dir/f.toml:1:")) << problem;
    EXPECT_TRUE(problem.ends_with(": a thing, field \"x\": is written as [[x]], at most 2 times")) << problem;
  }
  const auto document = Document::parse("f.toml", "[[x]]\n[[x]]\nm = 4", kKind);
  Table root = document->root("a thing");
  std::vector<Table> tables = root.tables("x", 2, "an x");
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[1].place(), (Place{.line = 2, .column = 1}));
  tables[1].set_name("the second x");
  EXPECT_EQ(tables[1].finish().error(), "f.toml:3:1: the second x, field \"m\": is unknown (see docs/things.md)");
  EXPECT_EQ(problem_of("", [](Table& table) { static_cast<void>(table.tables("x", 2, "an x", kNeeded)); }),
            "dir/f.toml:1:1: a thing, field \"x\": is missing");
}

TEST(Table, refuses_unknown_fields_and_says_what_was_meant) {
  const auto read = [](Table& table) {
    std::string text;
    table.text("name", text, {.need = kNeeded});
    table.text("address", text);
  };
  EXPECT_EQ(problem_of("\n  nmae = 1", read),
            "dir/f.toml:2:3: a thing, field \"nmae\": is unknown; did you mean \"name\"? (see docs/things.md)")
      << "before what it makes missing";
  EXPECT_EQ(problem_of("name = \"a\"\nzzz = 1\nyyy = 1", read),
            "dir/f.toml:2:1: a thing, field \"zzz\": is unknown (see docs/things.md)")
      << "the first of the file";
  EXPECT_EQ(problem_of("name = \"a\"\n\"\\u001b[31m\" = 1", read),
            "dir/f.toml:2:1: a thing, field \"\\x1b[31m\": is unknown (see docs/things.md)");
  const auto document = Document::parse("f.toml", "x = 1", {.most = 9});
  EXPECT_EQ(document->root("a thing").finish().error(), "f.toml:1:1: a thing, field \"x\": is unknown");
}

TEST(Table, keeps_the_first_problem) {
  EXPECT_EQ(problem_of("a = 1\nb = 1",
                       [](Table& table) {
                         bool flag = false;
                         table.flag("b", flag);
                         table.flag("a", flag);
                         table.fail("a", "is odd");
                       }),
            "dir/f.toml:2:5: a thing, field \"b\": takes true or false");
  EXPECT_EQ(problem_of("a = true",
                       [](Table& table) {
                         bool flag = false;
                         table.flag("a", flag);
                         table.fail("a", "is odd");
                       }),
            "dir/f.toml:1:5: a thing, field \"a\": is odd");
  const auto document = Document::parse("f.toml", "a = true", kKind);
  Table table = document->root("a thing");
  EXPECT_EQ(table.problem("a", "is odd").error(), "f.toml:1:5: a thing, field \"a\": is odd");
  EXPECT_EQ(table.problem("b", "is odd").error(), "f.toml:1:1: a thing, field \"b\": is odd");
  EXPECT_TRUE(table.has("a"));
  EXPECT_FALSE(table.has("b"));
}

}  // namespace
}  // namespace qsp::config

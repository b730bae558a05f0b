#include "text/table.hpp"

#include <gtest/gtest.h>

#include "text/tree.hpp"

namespace qsp::text {
namespace {

TEST(Table, puts_words_on_the_left_and_figures_on_the_right) {
  const Rows rows{{"name", "n", "verdict"}, {"a", "1,000", "key"}, {"long name", "1", "no key: why"}};
  EXPECT_EQ(columns(rows),
            "name           n  verdict\n"
            "a          1,000  key\n"
            "long name      1  no key: why\n");
}

TEST(Table, may_have_figures_in_its_last_column) {
  const Rows rows{{"frame", "MB/s", "ratio"}, {"16", "1,200", "1"}};
  EXPECT_EQ(columns(rows, LastColumn::Right),
            "frame   MB/s  ratio\n"
            "16     1,200      1\n");
}

TEST(Table, of_names_and_values_lines_the_values_up) {
  EXPECT_EQ(columns({{"key ℓ", "1"}, {"block", "x y"}}), "key ℓ  1\nblock  x y\n");
}

TEST(Table, counts_characters_and_not_bytes) {
  EXPECT_EQ(width("ℓ/n ± é"), 7U);
  EXPECT_EQ(width(""), 0U);
  EXPECT_EQ(columns({{"±", "±", "x"}, {"ab", "abc", "y"}}), "±     ±  x\nab  abc  y\n");
}

TEST(Table, of_nothing_is_empty) {
  EXPECT_EQ(columns({}), "");
  EXPECT_EQ(columns({{"alone"}}), "alone\n");
}

TEST(Tree, puts_what_belongs_to_a_line_below_it) {
  const std::vector<Branch> branches{{"one", {{"first"}, {"second", {{"deep"}}}}}, {"two"}};
  EXPECT_EQ(tree(branches), "one\n  first\n  second\n    deep\ntwo\n");
  EXPECT_EQ(tree({}), "");
}

}  // namespace
}  // namespace qsp::text

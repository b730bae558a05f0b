#include "text/table.hpp"

#include <gtest/gtest.h>

#include "text/tree.hpp"

namespace qsp::text {
namespace {

TEST(Table, PutsWordsOnTheLeftAndFiguresOnTheRight) {
  const Rows rows{{"name", "n", "verdict"}, {"a", "1,000", "key"}, {"long name", "1", "no key: why"}};
  EXPECT_EQ(columns(rows),
            "name           n  verdict\n"
            "a          1,000  key\n"
            "long name      1  no key: why\n");
}

TEST(Table, MayHaveFiguresInItsLastColumn) {
  const Rows rows{{"frame", "MB/s", "ratio"}, {"16", "1,200", "1"}};
  EXPECT_EQ(columns(rows, LastColumn::Right),
            "frame   MB/s  ratio\n"
            "16     1,200      1\n");
}

TEST(Table, OfNamesAndValuesLinesTheValuesUp) {
  EXPECT_EQ(columns({{"key ℓ", "1"}, {"block", "x y"}}), "key ℓ  1\nblock  x y\n");
}

TEST(Table, CountsCharactersAndNotBytes) {
  EXPECT_EQ(width("ℓ/n ± é"), 7U);
  EXPECT_EQ(width(""), 0U);
  EXPECT_EQ(columns({{"±", "±", "x"}, {"ab", "abc", "y"}}), "±     ±  x\nab  abc  y\n");
}

TEST(Table, OfNothingIsEmpty) {
  EXPECT_EQ(columns({}), "");
  EXPECT_EQ(columns({{"alone"}}), "alone\n");
}

TEST(Tree, PutsWhatBelongsToALineBelowIt) {
  const std::vector<Branch> branches{{"one", {{"first"}, {"second", {{"deep"}}}}}, {"two"}};
  EXPECT_EQ(tree(branches), "one\n  first\n  second\n    deep\ntwo\n");
  EXPECT_EQ(tree({}), "");
}

}  // namespace
}  // namespace qsp::text

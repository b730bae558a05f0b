#include "e91/hashing/figures.hpp"

#include <gtest/gtest.h>

#include "e91/hashing/carryless.hpp"

namespace qsp::e91::hashing {
namespace {

TEST(HashingFigures, every_figure_is_measured) {
  const HashingFigures figures = measure_hashing();
  EXPECT_EQ(figures.arithmetic, carryless().name);
  for (const double figure :
       {figures.toeplitz_64kbit, figures.toeplitz_1mbit, figures.verification_1mbit, figures.tag_64kbyte}) {
    EXPECT_GT(figure, 0);
  }
  RecordProperty("toeplitz_64kbit", std::to_string(figures.toeplitz_64kbit));
  RecordProperty("toeplitz_1mbit", std::to_string(figures.toeplitz_1mbit));
  RecordProperty("verification_1mbit", std::to_string(figures.verification_1mbit));
  RecordProperty("tag_64kbyte", std::to_string(figures.tag_64kbyte));
}

}  // namespace
}  // namespace qsp::e91::hashing

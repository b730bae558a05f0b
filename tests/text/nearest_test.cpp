#include "text/nearest.hpp"

#include <gtest/gtest.h>

namespace qsp::text {
namespace {

TEST(Nearest, distance_counts_what_a_hand_gets_wrong) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("connect", "connect"), 0U);
  EXPECT_EQ(edit_distance("conect", "connect"), 1U);    // left out
  EXPECT_EQ(edit_distance("connnect", "connect"), 1U);  // put in
  EXPECT_EQ(edit_distance("connekt", "connect"), 1U);   // replaced
  EXPECT_EQ(edit_distance("ocnnect", "connect"), 1U);   // exchanged
  EXPECT_EQ(edit_distance("", "serve"), 5U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Nearest, names_the_one_that_was_meant_or_none) {
  const std::vector<std::string> names{"serve", "connect", "bench", "--kem", "--key"};
  EXPECT_EQ(nearest("conect", names), "connect");
  EXPECT_EQ(nearest("sevre", names), "serve");
  EXPECT_EQ(nearest("--kem", names), "--kem");
  EXPECT_EQ(nearest("quux", names), std::nullopt);
  EXPECT_EQ(nearest("", names), std::nullopt);
  EXPECT_EQ(nearest("s", names), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'a'), names), std::nullopt);
}

}  // namespace
}  // namespace qsp::text

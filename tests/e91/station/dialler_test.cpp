#include "e91/station/dialler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace qsp::e91::station {
namespace {

using namespace std::chrono_literals;

// SPEC §5.9.
TEST(Dialler, its_pauses_double_with_each_failure_up_to_a_minute) {
  std::optional<std::chrono::milliseconds> pause;
  std::chrono::milliseconds expected = 200ms;
  for (int dial = 0; dial < 20; ++dial) {
    pause = Dialler::next_pause(pause);
    EXPECT_EQ(*pause, expected) << dial;
    expected = std::min<std::chrono::milliseconds>(2 * expected, 60s);
  }
  EXPECT_EQ(*pause, 60s);
  EXPECT_EQ(Dialler::next_pause(std::nullopt), 200ms) << "after a good session";
}

}  // namespace
}  // namespace qsp::e91::station

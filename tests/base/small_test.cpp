#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <variant>

#include "base/overloaded.hpp"
#include "base/role.hpp"
#include "base/split_mix.hpp"

namespace qsp {
namespace {

TEST(Overloaded, calls_the_function_of_the_alternative) {
  const auto kind = [](const std::variant<int, std::string>& value) {
    return std::visit(Overloaded{[](int) { return 'i'; }, [](const std::string&) { return 's'; }}, value);
  };
  EXPECT_EQ(kind(1), 'i');
  EXPECT_EQ(kind("one"), 's');
}

TEST(OtherRole, is_the_one_at_the_other_end) {
  EXPECT_EQ(other(Role::Client), Role::Server);
  EXPECT_EQ(other(Role::Server), Role::Client);
}

// The first numbers of Vigna's splitmix64.c from this state.
TEST(SplitMix, yields_the_published_numbers) {
  SplitMix64 numbers(1234567);
  for (const std::uint64_t expected : {6457827717110365317U, 3203168211198807973U, 9817491932198370423U}) {
    EXPECT_EQ(numbers.next(), expected);
  }
}

TEST(SplitMix, fills_with_the_words_least_significant_byte_first) {
  std::array<std::uint8_t, 11> bytes{};
  SplitMix64(5).fill(bytes);
  SplitMix64 again(5);
  for (const std::size_t word : {std::size_t{0}, std::size_t{1}}) {
    const std::uint64_t number = again.next();
    for (std::size_t i = 8 * word; i < std::min<std::size_t>(8 * word + 8, bytes.size()); ++i) {
      EXPECT_EQ(bytes.at(i), static_cast<std::uint8_t>(number >> (8 * (i % 8)))) << i;
    }
  }
}

}  // namespace
}  // namespace qsp

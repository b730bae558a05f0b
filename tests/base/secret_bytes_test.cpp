// SecretBytes keeps its bytes, and no block that it gives back still holds them.
#include "qsp/secret_bytes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/heap.hpp"

namespace qsp {
namespace {

namespace heap = test::heap;

/// Inverted, so that a search does not find it here.
constexpr std::array<std::uint8_t, 24> kInverted = [] {
  std::array<std::uint8_t, 24> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(0x31 + 7 * i);
  return bytes;
}();
std::size_t leaks = 0;

bool is_secret(Bytes block) {
  const auto same = [](std::uint8_t a, std::uint8_t b) { return a == static_cast<std::uint8_t>(~b); };
  return !std::ranges::search(block, kInverted, same).empty();
}
void look_for_leaks(Bytes block) noexcept {
  if (is_secret(block)) ++leaks;
}

/// The secret behind `before` zeros.
SecretBytes secret(std::size_t before = 0) {
  SecretBytes made(before + kInverted.size());
  std::ranges::transform(kInverted, made.writable().subspan(before).begin(),
                         [](std::uint8_t byte) { return static_cast<std::uint8_t>(~byte); });
  return made;
}

/// The same in memory that nobody wipes.
std::vector<std::uint8_t> plain() {
  const SecretBytes bytes = secret();
  return {bytes.reveal().begin(), bytes.reveal().end()};
}

class Memory : public testing::Test {
 protected:
  Memory() {
    leaks = 0;
    heap::observe(look_for_leaks);
  }
  ~Memory() override { heap::observe(nullptr); }
};

TEST_F(Memory, is_searched_by_a_watch_that_finds_what_is_left_there) {
  {
    const std::vector<std::uint8_t> left = plain();
    // Keeps the compiler from leaving out what is written to memory that is given back.
    __asm__ __volatile__("" : : "r"(left.data()) : "memory");
  }
  EXPECT_EQ(leaks, 1U);
}

TEST_F(Memory, is_wiped_at_the_end) {
  {
    const SecretBytes bytes = secret();
  }
  EXPECT_EQ(leaks, 0U);
}

TEST_F(Memory, is_wiped_where_another_value_takes_its_place) {
  SecretBytes bytes = secret();
  bytes = SecretBytes::copy_of("another");
  EXPECT_EQ(bytes.reveal_text(), "another");
  EXPECT_EQ(leaks, 0U);
}

TEST_F(Memory, is_wiped_where_it_was_too_small) {
  SecretBytes bytes = secret();
  for (int i = 0; i < 5'000; ++i) bytes.append("x");
  EXPECT_TRUE(is_secret(bytes.reveal()));
  EXPECT_EQ(leaks, 0U);
}

TEST_F(Memory, is_wiped_of_what_was_cut_off_or_cleared) {
  SecretBytes cut = secret(3);
  const Bytes before = cut.reveal();
  cut.resize(3);
  EXPECT_FALSE(is_secret(Bytes(before.data(), before.size()))) << "the room is still there";
  SecretBytes cleared = secret();
  const Bytes all = cleared.reveal();
  cleared.clear();
  EXPECT_TRUE(cleared.empty());
  EXPECT_FALSE(is_secret(Bytes(all.data(), all.size())));
}

TEST_F(Memory, of_a_text_or_of_bytes_that_were_taken_over_is_wiped) {
  {
    const SecretBytes bytes = secret();
    std::string text(bytes.reveal_text());
    const SecretBytes taken(std::move(text));
    EXPECT_TRUE(is_secret(taken.reveal()));
    EXPECT_TRUE(text.empty());  // NOLINT(bugprone-use-after-move)
  }
  {
    std::vector<std::uint8_t> bytes = plain();
    const SecretBytes taken(std::move(bytes));
    EXPECT_TRUE(is_secret(taken.reveal()));
    EXPECT_TRUE(bytes.empty());  // NOLINT(bugprone-use-after-move)
  }
  EXPECT_EQ(leaks, 0U);
}

TEST_F(Memory, that_a_container_no_longer_counts_is_wiped_too) {
  {
    std::vector<std::uint8_t> bytes = plain();
    bytes.clear();
    const SecretBytes taken(std::move(bytes));
  }
  EXPECT_EQ(leaks, 0U);
}

TEST_F(Memory, of_a_container_with_the_allocator_is_wiped) {
  {
    std::vector<std::uint8_t, WipingAllocator<std::uint8_t>> bytes;
    const SecretBytes source = secret();
    for (const std::uint8_t byte : source.reveal()) bytes.push_back(byte);
    for (int i = 0; i < 5'000; ++i) bytes.push_back(0);
  }
  EXPECT_EQ(leaks, 0U);
}

TEST(SecretBytes, keeps_what_it_was_given) {
  EXPECT_TRUE(SecretBytes().empty());
  EXPECT_EQ(SecretBytes(3).reveal_text(), std::string_view("\0\0\0", 3));
  SecretBytes bytes = SecretBytes::copy_of("horse");
  EXPECT_EQ(bytes.size(), 5U);
  EXPECT_EQ(bytes.copy().reveal_text(), "horse");
  bytes.append(" battery");
  bytes.append(as_bytes("!"));
  EXPECT_EQ(bytes.reveal_text(), "horse battery!");
  bytes.resize(5);
  bytes.resize(6);
  EXPECT_EQ(bytes.reveal_text(), std::string_view("horse\0", 6));
  const SecretBytes moved = std::move(bytes);
  EXPECT_EQ(moved.size(), 6U);
  EXPECT_TRUE(bytes.empty());  // NOLINT(bugprone-use-after-move)
}

template <class T>
concept Comparable = requires(const T& a, const T& b) { a == b; };
template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

TEST(SecretBytes, cannot_be_copied_unasked_nor_compared_printed_or_converted) {
  EXPECT_FALSE(std::is_copy_constructible_v<SecretBytes>);
  EXPECT_FALSE(std::is_copy_assignable_v<SecretBytes>);
  EXPECT_FALSE(Comparable<SecretBytes>);
  EXPECT_FALSE(Printable<SecretBytes>);
  EXPECT_FALSE((std::convertible_to<SecretBytes, Bytes>));
  EXPECT_FALSE((std::convertible_to<SecretBytes, std::string_view>));
}

}  // namespace
}  // namespace qsp

#include "qsp/secret.hpp"

#include <gtest/gtest.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace qsp {
namespace {

using Key = Secret<32, struct KeyTag>;

std::vector<std::uint8_t> pattern(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(0xa0 + i);
  return bytes;
}

bool contains_pattern(std::span<const std::byte> storage) {
  const auto wanted = pattern(4);
  for (std::size_t i = 0; i + wanted.size() <= storage.size(); ++i) {
    std::size_t same = 0;
    // Read as volatile: the object that lived here is gone, and the compiler must look all the same.
    while (same < wanted.size() &&
           std::to_integer<std::uint8_t>(*const_cast<const volatile std::byte*>(&storage[i + same])) == wanted[same]) {
      ++same;
    }
    if (same == wanted.size()) return true;
  }
  return false;
}

TEST(Secret, keeps_the_bytes_that_it_was_given) {
  const auto bytes = pattern(20);
  const Key key = Key::copy_of(bytes);
  EXPECT_EQ(key.size(), 20U);
  EXPECT_TRUE(constant_time_equal(key.reveal(), bytes));
}

TEST(Secret, starts_as_zeros_of_the_size_asked_for) {
  const Key key(7);
  EXPECT_TRUE(constant_time_equal(key.reveal(), std::array<std::uint8_t, 7>{}));
  EXPECT_EQ(Key().size(), 32U);
  EXPECT_EQ(Key(33).size(), 32U) << "never beyond its capacity";
  EXPECT_EQ(Key::copy_of(pattern(40)).size(), 32U);
}

TEST(Secret, moving_leaves_nothing_behind) {
  alignas(Key) std::array<std::byte, sizeof(Key)> storage{};
  auto* source = new (storage.data()) Key(Key::copy_of(pattern(32)));
  ASSERT_TRUE(contains_pattern(storage));
  const Key target = std::move(*source);
  EXPECT_FALSE(contains_pattern(storage));
  EXPECT_EQ(source->size(), 0U);
  EXPECT_TRUE(constant_time_equal(target.reveal(), pattern(32)));
  std::destroy_at(source);
}

TEST(Secret, move_assignment_wipes_the_source_and_replaces_the_target) {
  alignas(Key) std::array<std::byte, sizeof(Key)> storage{};
  auto* source = new (storage.data()) Key(Key::copy_of(pattern(32)));
  Key target = Key::copy_of(std::array<std::uint8_t, 3>{1, 2, 3});
  target = std::move(*source);
  EXPECT_FALSE(contains_pattern(storage));
  EXPECT_TRUE(constant_time_equal(target.reveal(), pattern(32)));
  std::destroy_at(source);
}

TEST(Secret, destruction_wipes_the_storage) {
  alignas(Key) std::array<std::byte, sizeof(Key)> storage{};
  auto* key = new (storage.data()) Key(Key::copy_of(pattern(32)));
  ASSERT_TRUE(contains_pattern(storage));
  std::destroy_at(key);
  EXPECT_FALSE(contains_pattern(storage));
}

TEST(Secret, wipe_forgets_the_bytes_and_keeps_the_size) {
  Key key = Key::copy_of(pattern(32));
  key.wipe();
  EXPECT_EQ(key.size(), 32U);
  EXPECT_TRUE(constant_time_equal(key.reveal(), std::array<std::uint8_t, 32>{}));
}

template <class T>
concept Comparable = requires(const T& a, const T& b) { a == b; };
template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

TEST(Secret, cannot_be_copied_compared_printed_or_confused) {
  EXPECT_FALSE(std::is_copy_constructible_v<Key>);
  EXPECT_FALSE(std::is_copy_assignable_v<Key>);
  EXPECT_FALSE(Comparable<Key>);
  EXPECT_FALSE(Printable<Key>);
  EXPECT_FALSE((std::convertible_to<Key, Bytes>));
  EXPECT_FALSE((std::is_constructible_v<TrafficKey, ScheduleSecret>));
  EXPECT_FALSE((std::is_constructible_v<QkdKey, TrafficKey>));
}

// SPEC §5.5.
TEST(ConstantTimeEqual, sees_every_bit_and_every_length) {
  const auto bytes = pattern(33);
  EXPECT_TRUE(constant_time_equal(bytes, pattern(33)));
  EXPECT_TRUE(constant_time_equal({}, {}));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(constant_time_equal(bytes, Bytes(bytes).first(size)));
    EXPECT_FALSE(constant_time_equal(Bytes(bytes).first(size), bytes));
  }
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto altered = bytes;
    altered[bit / 8] = static_cast<std::uint8_t>(altered[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(constant_time_equal(bytes, altered)) << "bit " << bit;
  }
}

TEST(Wipe, overwrites_exactly_the_view) {
  auto bytes = pattern(16);
  wipe(MutableBytes(bytes).subspan(4, 8));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(bytes[i], i >= 4 && i < 12 ? 0 : static_cast<std::uint8_t>(0xa0 + i));
  }
  wipe({});
}

}  // namespace
}  // namespace qsp

#include "base/byte_queue.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qsp::test {
namespace {

std::string take(ByteQueue& queue, std::size_t size) {
  std::vector<std::uint8_t> out(size);
  const std::size_t taken = queue.take(out);
  return std::string(as_text(Bytes(out).first(taken)));
}

TEST(ByteQueue, what_went_in_first_comes_out_first) {
  ByteQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(take(queue, 3), "");
  queue.append(as_bytes("hello "));
  queue.append({});
  queue.append(as_bytes("world"));
  EXPECT_EQ(queue.size(), 11U);
  EXPECT_EQ(take(queue, 4), "hell");
  EXPECT_EQ(as_text(queue.front()), "o world");
  queue.drop(2);
  queue.append(as_bytes("!"));
  EXPECT_EQ(take(queue, 100), "world!");
  EXPECT_TRUE(queue.empty());
}

TEST(ByteQueue, room_that_was_not_needed_is_given_back) {
  ByteQueue queue;
  queue.append(as_bytes("ab"));
  const MutableBytes room = queue.grow(5);
  ASSERT_EQ(room.size(), 5U);
  room[0] = 'c';
  queue.cut(4);
  EXPECT_EQ(as_text(queue.front()), "abc");
}

// One that is never empty, however much passes through it.
TEST(ByteQueue, keeps_no_memory_of_what_was_taken) {
  constexpr std::size_t kWaiting = 100'000;
  const std::vector<std::uint8_t> piece(1'000, 7);
  ByteQueue queue;
  queue.append(std::vector<std::uint8_t>(kWaiting));
  for (int i = 0; i < 10'000; ++i) {
    queue.append(piece);
    queue.drop(piece.size());
    ASSERT_LE(queue.capacity(), 4 * (kWaiting + piece.size()));
  }
  queue.drop(kWaiting);
  EXPECT_LE(queue.capacity(), 65'536U);
}

}  // namespace
}  // namespace qsp::test

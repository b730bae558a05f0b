#include "net/send_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

namespace qsp::net {
namespace {

std::vector<std::uint8_t> front_bytes(const SendQueue& queue) {
  SendQueue::Buffers storage;
  std::vector<std::uint8_t> all;
  for (const auto& buffer : queue.front(storage)) {
    const auto* const bytes = static_cast<const std::uint8_t*>(buffer.data());
    all.insert(all.end(), bytes, bytes + buffer.size());
  }
  return all;
}

TEST(SendQueue, keeps_order_whatever_the_sizes_of_frames_and_writes) {
  ChunkPool pool;
  SendQueue queue(pool);
  std::mt19937 random(1);
  std::vector<std::uint8_t> made;
  std::vector<std::uint8_t> written;
  for (int step = 0; step < 3000; ++step) {
    if (random() % 2 == 0) {
      std::vector<std::uint8_t> frame(random() % (random() % 8 == 0 ? Endpoint::kMaxFrameSize : 500));
      std::ranges::generate(frame, [&random] { return static_cast<std::uint8_t>(random()); });
      if (random() % 2 == 0) {
        queue.append(frame);
      } else {
        std::ranges::copy(frame, queue.reserve(Endpoint::kMaxFrameSize).begin());
        queue.commit(frame.size());
      }
      made.insert(made.end(), frame.begin(), frame.end());
    } else {
      const std::vector<std::uint8_t> front = front_bytes(queue);
      const std::size_t count = front.empty() ? 0 : random() % (front.size() + 1);
      written.insert(written.end(), front.begin(), front.begin() + static_cast<std::ptrdiff_t>(count));
      queue.consume(count);
    }
    ASSERT_EQ(queue.size(), made.size() - written.size());
  }
  while (!queue.empty()) {
    const std::vector<std::uint8_t> front = front_bytes(queue);
    ASSERT_FALSE(front.empty());
    written.insert(written.end(), front.begin(), front.end());
    queue.consume(front.size());
  }
  EXPECT_EQ(written, made);
}

TEST(SendQueue, has_room_for_the_largest_frame_at_any_time) {
  ChunkPool pool;
  SendQueue queue(pool);
  const std::vector<std::uint8_t> small(7, 1);
  for (int i = 0; i < 5; ++i) {
    queue.append(small);
    EXPECT_EQ(queue.reserve(Endpoint::kMaxFrameSize).size(), Endpoint::kMaxFrameSize);
    queue.commit(Endpoint::kMaxFrameSize);
  }
  EXPECT_EQ(queue.size(), 5 * (7 + Endpoint::kMaxFrameSize));
}

TEST(SendQueue, gives_its_chunks_back_once_written) {
  ChunkPool pool;
  auto lent = pool.take();
  const Chunk* const known = lent.get();
  pool.give(std::move(lent));
  SendQueue first(pool);
  first.append(as_bytes("abc"));
  EXPECT_EQ(pool.take().get() == known, false);
  first.consume(3);
  SendQueue second(pool);
  second.append(as_bytes("d"));
  SendQueue::Buffers storage;
  EXPECT_EQ(second.front(storage)[0].data(), known->bytes.data()) << "the chunk was not lent to the next queue";
}

}  // namespace
}  // namespace qsp::net

#include "net/pipe_end.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>
#include <vector>

#include "net/send_queue.hpp"
#include "support/heap.hpp"

namespace qsp::net {
namespace {

constexpr std::size_t kFrame = std::size_t{64} * 1024;

/// Two descriptors that block, as a shell gives them to a program.
struct Ends {
  std::array<int, 2> fds{-1, -1};
  Ends() = default;
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  ~Ends() {
    for (const int fd : fds) ::close(fd);
  }
};

struct PipeFds : Ends {
  PipeFds() { EXPECT_EQ(::pipe(fds.data()), 0); }
};
struct SocketFds : Ends {
  SocketFds() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()), 0); }
};

bool blocks(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

/// Writes until nothing more is taken; the number of bytes, and of calls.
std::pair<std::size_t, int> fill(PipeEnd& end) {
  const std::vector<std::uint8_t> data(kFrame, 7);
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(data), asio::buffer(data)};
  std::size_t total = 0;
  for (int calls = 1;; ++calls) {
    const ssize_t count = end.write(buffers);
    if (count < 0) {
      EXPECT_EQ(errno, EAGAIN);
      return {total, calls};
    }
    total += static_cast<std::size_t>(count);
  }
}

template <class Fds>
void expect_bulk_in_few_calls() {
  Loop loop;
  const Fds fds;
  auto writer = PipeEnd::open(loop, fds.fds[1], Watch::For::Writing);
  auto reader = PipeEnd::open(loop, fds.fds[0], Watch::For::Reading);
  ASSERT_TRUE(writer && reader);
  std::vector<std::uint8_t> room(kFrame);
  EXPECT_EQ(reader->read(room), -1);
  EXPECT_EQ(errno, EAGAIN);
  const auto [total, calls] = fill(*writer);
  EXPECT_GE(total, kFrame);
  EXPECT_LE(static_cast<std::size_t>(calls), total / kFrame + 2) << "a call moves less than a frame";
  std::size_t read = 0;
  for (ssize_t count = 0; (count = reader->read(room)) > 0;) read += static_cast<std::size_t>(count);
  EXPECT_EQ(read, total);
  EXPECT_TRUE(blocks(fds.fds[0]) && blocks(fds.fds[1])) << "flags that other processes share were changed";
}

TEST(PipeEnd, moves_whole_frames_through_a_pipe_that_blocks_without_touching_its_flags) {
  expect_bulk_in_few_calls<PipeFds>();
}

TEST(PipeEnd, moves_whole_frames_through_a_socket_that_blocks_without_touching_its_flags) {
  expect_bulk_in_few_calls<SocketFds>();
}

TEST(PipeEnd, sees_the_end_of_a_pipe_and_a_reader_that_left) {
  Loop loop;
  std::vector<std::uint8_t> room(kFrame);
  {
    PipeFds fds;
    auto reader = PipeEnd::open(loop, fds.fds[0], Watch::For::Reading);
    ASSERT_TRUE(reader);
    ::close(std::exchange(fds.fds[1], -1));
    EXPECT_EQ(reader->read(room), 0);
  }
  PipeFds fds;
  auto writer = PipeEnd::open(loop, fds.fds[1], Watch::For::Writing);
  ASSERT_TRUE(writer);
  ::close(std::exchange(fds.fds[0], -1));
  ::signal(SIGPIPE, SIG_IGN);
  const std::array<asio::const_buffer, 1> buffers{asio::buffer(room)};
  EXPECT_EQ(writer->write(buffers), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST(PipeEnd, tells_when_a_full_pipe_takes_more) {
  Loop loop;
  const PipeFds fds;
  auto writer = PipeEnd::open(loop, fds.fds[1], Watch::For::Writing);
  auto reader = PipeEnd::open(loop, fds.fds[0], Watch::For::Reading);
  ASSERT_TRUE(writer && reader);
  fill(*writer);
  bool told = false;
  writer->watch().wait([&told] { told = true; });
  loop.io().poll();
  EXPECT_FALSE(told);
  std::vector<std::uint8_t> room(kFrame);
  ASSERT_GT(reader->read(room), 0);
  loop.io().restart();
  loop.io().run_one_for(std::chrono::seconds(5));
  EXPECT_TRUE(told);
}

TEST(PipeEnd, bulk_from_a_queue_allocates_nothing_once_it_runs) {
  Loop loop;
  const PipeFds fds;
  auto writer = PipeEnd::open(loop, fds.fds[1], Watch::For::Writing);
  auto reader = PipeEnd::open(loop, fds.fds[0], Watch::For::Reading);
  ASSERT_TRUE(writer && reader);
  ChunkPool pool;
  SendQueue queue(pool);
  std::vector<std::uint8_t> room(kFrame);
  std::size_t moved = 0;
  const auto move = [&](int turns) {
    for (int i = 0; i < turns; ++i) {
      while (queue.size() < 8 * kFrame) {
        queue.reserve(kFrame);
        queue.commit(kFrame);
      }
      bool told = false;
      SendQueue::Buffers storage;
      ssize_t count = 0;
      while ((count = writer->write(queue.front(storage))) > 0) queue.consume(static_cast<std::size_t>(count));
      writer->watch().wait([&told] { told = true; });
      while ((count = reader->read(room)) > 0) moved += static_cast<std::size_t>(count);
      while (!told) loop.io().run_one_for(std::chrono::seconds(5));
      loop.io().restart();
    }
  };
  move(8);
  moved = 0;
  const std::size_t before = test::heap::made();
  move(200);
  EXPECT_EQ(test::heap::made(), before) << moved << " bytes";
  EXPECT_GE(moved, 200 * kFrame);
}

}  // namespace
}  // namespace qsp::net

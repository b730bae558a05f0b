#include "net/descriptor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace qsp::net {
namespace {

TEST(Watch, tells_when_a_pipe_can_be_read_and_leaves_its_flags_alone) {
  Loop loop;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  {
    auto watch = Watch::open(loop, ends[0]);
    ASSERT_TRUE(watch.has_value());
    EXPECT_FALSE(watch->always_ready());
    int times = 0;
    for (int round = 1; round <= 2; ++round) {
      watch->wait([&times] { ++times; });
      loop.io().restart();
      loop.io().poll();
      EXPECT_EQ(times, round - 1) << "ready though the pipe is empty";
      ASSERT_EQ(::write(ends[1], "x", 1), 1);
      loop.io().restart();
      loop.io().run_one_for(std::chrono::seconds(5));
      EXPECT_EQ(times, round);
      char byte = 0;
      ASSERT_EQ(::read(ends[0], &byte, 1), 1);
    }
    EXPECT_EQ(::fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Watch, knows_files_that_never_block) {
  Loop loop;
  const int fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  const auto watch = Watch::open(loop, fd);
  ASSERT_TRUE(watch.has_value());
  EXPECT_TRUE(watch->always_ready());
  ::close(fd);
}

TEST(Watch, a_cancelled_wait_is_never_told_and_lets_the_loop_end) {
  Loop loop;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  auto watch = Watch::open(loop, ends[0]);
  ASSERT_TRUE(watch.has_value());
  bool told = false;
  watch->wait([&told] { told = true; });
  watch->cancel();
  loop.run();
  EXPECT_FALSE(told);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Watch, reports_a_descriptor_that_is_not_open) {
  Loop loop;
  EXPECT_FALSE(Watch::open(loop, -1).has_value());
}

}  // namespace
}  // namespace qsp::net

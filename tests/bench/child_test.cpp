#include "bench/child.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

namespace qsp::bench {
namespace {

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return ends;
}

TEST(Child, tells_whether_its_work_succeeded) {
  auto good = Child::copy([] { return 0; });
  ASSERT_TRUE(good);
  EXPECT_TRUE(good->succeeds(std::chrono::seconds(30)));
  auto bad = Child::copy([] { return 3; });
  ASSERT_TRUE(bad);
  EXPECT_FALSE(bad->succeeds(std::chrono::seconds(30)));
}

TEST(Child, does_not_outlive_its_object) {
  const auto ends = make_pipe();
  const Descriptor read_end(ends[0]);
  {
    Descriptor write_end(ends[1]);
    auto child = Child::copy([] {
      for (;;) ::pause();
      return 0;
    });
    ASSERT_TRUE(child);
  }
  // The child held the only other copy of the writing end: its end is the end of the stream.
  char byte = 0;
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 0);
}

TEST(Child, gets_the_descriptors_that_are_kept_and_no_other) {
  const auto ends = make_pipe();
  const Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  const Descriptor nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const Descriptor kept(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const Descriptor dropped(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const auto look = [](const Descriptor& descriptor) {
    return "test -e /dev/fd/" + std::to_string(descriptor.get()) + " && echo yes || echo no; ";
  };
  auto child = Child::run({{"/bin/sh", "-c", "echo $0; " + look(kept) + look(dropped) + look(read_end), "said"},
                           "",
                           {nowhere.get(), write_end.get(), nowhere.get()},
                           {kept.get()}});
  ASSERT_TRUE(child);
  EXPECT_TRUE(child->succeeds(std::chrono::seconds(30)));
  write_end = Descriptor();
  std::array<char, 64> text{};
  const auto size = ::read(read_end.get(), text.data(), text.size());
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::string_view(text.data(), static_cast<std::size_t>(size)), "said\nyes\nno\nno\n");
}

TEST(Child, that_is_no_program_fails) {
  const Descriptor nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
  auto child = Child::run({{"/nonexistent/program"}, "", {nowhere.get(), nowhere.get(), nowhere.get()}, {}});
  ASSERT_TRUE(child);
  EXPECT_FALSE(child->succeeds(std::chrono::seconds(30)));
}

}  // namespace
}  // namespace qsp::bench

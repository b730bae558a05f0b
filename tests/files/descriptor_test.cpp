#include "files/descriptor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <utility>

namespace qsp::files {
namespace {

int opened() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1 || errno != EBADF; }

TEST(Descriptor, closes_itself) {
  int fd = -1;
  {
    const Descriptor held(opened());
    fd = held.get();
    EXPECT_TRUE(held && is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(Descriptor, is_none_where_nothing_was_opened) {
  EXPECT_FALSE(Descriptor());
  EXPECT_FALSE(Descriptor(-1));
}

TEST(Descriptor, moves_and_is_owned_once) {
  Descriptor first(opened());
  const int fd = first.get();
  Descriptor second(std::move(first));
  EXPECT_EQ(first.get(), -1);  // NOLINT(bugprone-use-after-move): what is left behind is what is tested
  EXPECT_EQ(second.get(), fd);
  Descriptor third(opened());
  const int replaced = third.get();
  third = std::move(second);
  EXPECT_EQ(third.get(), fd);
  EXPECT_FALSE(is_open(replaced));
  EXPECT_TRUE(is_open(fd));
}

TEST(Descriptor, is_closed_or_given_up_on_demand) {
  Descriptor held(opened());
  const int fd = held.get();
  held.close();
  EXPECT_FALSE(held || is_open(fd));
  Descriptor given(opened());
  const Descriptor taken(given.release());
  EXPECT_FALSE(given);
  EXPECT_TRUE(is_open(taken.get()));
}

}  // namespace
}  // namespace qsp::files

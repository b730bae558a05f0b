#include "text/terminal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): posix_openpt and setenv are POSIX
#include <unistd.h>

#include <string>

namespace qsp::text {
namespace {

/// A terminal that nobody sits at, and NO_COLOR as it was afterwards.
class Terminal : public testing::Test {
 protected:
  Terminal() {
    if (const char* const before = ::getenv("NO_COLOR")) before_ = before, was_set_ = true;
    ::unsetenv("NO_COLOR");
  }
  ~Terminal() override {
    if (was_set_) {
      ::setenv("NO_COLOR", before_.c_str(), 1);
    } else {
      ::unsetenv("NO_COLOR");
    }
    ::close(terminal_);
    ::close(file_);
  }

  int terminal_ = ::posix_openpt(O_RDWR | O_NOCTTY);
  int file_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);

 private:
  std::string before_;
  bool was_set_ = false;
};

TEST_F(Terminal, is_told_from_a_file) {
  ASSERT_GE(terminal_, 0);
  EXPECT_TRUE(is_terminal(terminal_));
  EXPECT_FALSE(is_terminal(file_));
  EXPECT_FALSE(is_terminal(-1));
}

TEST_F(Terminal, is_coloured_unless_no_color_says_otherwise) {
  EXPECT_TRUE(wants_colour(terminal_));
  EXPECT_FALSE(wants_colour(file_));
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(wants_colour(terminal_));
  ::setenv("NO_COLOR", "", 1);
  EXPECT_TRUE(wants_colour(terminal_)) << "empty counts as not set";
}

}  // namespace
}  // namespace qsp::text

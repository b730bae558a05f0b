#include "text/progress.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>

namespace qsp::text {
namespace {

using namespace std::chrono_literals;

/// Some time that is not the clock's first.
const ProgressLine::Clock::time_point kStart{1'000s};

TEST(ProgressLine, on_a_terminal_writes_over_itself_from_the_second_second_on) {
  ProgressLine line(true, kStart);
  line.say("block 1 of 9");
  EXPECT_EQ(line.due(), kStart + 2s);
  EXPECT_EQ(line.show(kStart), "");
  EXPECT_EQ(line.show(kStart + 1999ms), "");
  EXPECT_EQ(line.show(kStart + 2s), "\r\033[Kqsp: block 1 of 9, 2 s");
  EXPECT_EQ(line.due(), kStart + 2500ms);
  line.say("block 2 of 9");
  EXPECT_EQ(line.show(kStart + 2499ms), "");
  EXPECT_EQ(line.show(kStart + 3200ms), "\r\033[Kqsp: block 2 of 9, 3 s");
  EXPECT_EQ(line.due(), kStart + 3500ms) << "a call that came late is not made up for";
  EXPECT_EQ(line.clear(), "\r\033[K");
  EXPECT_EQ(line.clear(), "") << "it is gone";
}

TEST(ProgressLine, elsewhere_is_a_line_every_fifteen_seconds) {
  ProgressLine line(false, kStart);
  line.say("drawing");
  EXPECT_EQ(line.due(), kStart + 15s);
  EXPECT_EQ(line.show(kStart + 14'999ms), "");
  EXPECT_EQ(line.show(kStart + 15s), "qsp: drawing, 15 s\n");
  EXPECT_EQ(line.show(kStart + 29'999ms), "");
  EXPECT_EQ(line.show(kStart + 61s), "qsp: drawing, 61 s\n");
  EXPECT_EQ(line.due(), kStart + 75s);
  EXPECT_EQ(line.clear(), "") << "what is written stays";
}

TEST(ProgressLine, that_was_never_shown_leaves_nothing_to_clear) {
  ProgressLine line(true, kStart);
  line.say("quick");
  EXPECT_EQ(line.clear(), "");
}

/// Ends with the work, however often that is asked for. A machine that stands still for seconds may have it shown.
// files::Unfinished removes what was made in part: only the thread that makes it knows all of it.
TEST(Progress, signals_are_for_the_thread_that_works) {
  sigset_t of_progress;
  sigemptyset(&of_progress);
  {
    const Progress progress([&](std::string_view) { pthread_sigmask(SIG_SETMASK, nullptr, &of_progress); });
  }
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EQ(sigismember(&of_progress, number), 1) << number;
    EXPECT_EQ(sigismember(&own, number), 0) << number;
  }
}

TEST(Progress, ends_with_the_work) {
  std::string written;
  {
    Progress progress([&written](std::string_view text) { written += text; });
    progress.say("quick");
    progress.finish();
    progress.finish();
  }
  EXPECT_TRUE(written.empty() || written.contains("qsp: quick, ")) << written;
}

}  // namespace
}  // namespace qsp::text

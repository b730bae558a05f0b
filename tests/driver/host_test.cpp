// What the library leaves alone in the program that holds it, and what it makes of a program that does odd things.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "driver/world.hpp"
#include "files/descriptor.hpp"

namespace qsp::tcp::test {
namespace {

using Task = std::move_only_function<void()>;

struct Host : testing::Test, World {
  void listen() { listening.emplace(serve({.host = "127.0.0.1", .port = 0}, make_provider(), server()).value()); }
};

/// A program's loop that was stopped: what is posted to it never runs.
class Stopped {
 public:
  [[nodiscard]] Post post() {
    return [this](Task task) {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      if (!std::exchange(some_, true)) came_.set_value();
    };
  }
  void wait() { came_.get_future().wait(); }
  void drop() { tasks_.clear(); }

 private:
  std::mutex mutex_;
  std::vector<Task> tasks_;
  bool some_ = false;
  std::promise<void> came_;
};

/// The signals that a thread blocks, as proc_pid_status(5) has them: bit 0 is signal 1.
std::uint64_t blocked_in(const std::filesystem::path& thread) {
  constexpr std::string_view kName = "SigBlk:\t";
  std::ifstream file(thread / "status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(kName)) continue;
    std::uint64_t mask = 0;
    std::from_chars(line.data() + kName.size(), line.data() + line.size(), mask, 16);
    return mask;
  }
  return 0;
}

std::set<std::string> threads() {
  std::set<std::string> found;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/task")) found.insert(each.path());
  return found;
}

bool has(std::uint64_t mask, int signal) { return (mask >> (signal - 1) & 1U) != 0; }

TEST_F(Host, its_threads_take_no_signal_of_the_programs_and_leave_faults_to_its_handlers) {
  const std::set<std::string> before = threads();
  const auto ends = meet();
  std::set<std::string> its = threads();
  for (const std::string& each : before) its.erase(each);
  EXPECT_EQ(its.size(), 2U) << "one of the dialled session, one of the server";
  for (const std::string& each : its) {
    const std::uint64_t mask = blocked_in(each);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE, SIGUSR1}) EXPECT_TRUE(has(mask, signal));
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) EXPECT_FALSE(has(mask, fault));
  }
}

TEST_F(Host, a_program_that_is_started_inherits_no_socket) {
  const auto ends = meet();
  int sockets = 0;
  for (int fd = 0; fd < 1'000; ++fd) {
    struct stat info{};
    if (::fstat(fd, &info) != 0 || !S_ISSOCK(info.st_mode) || fd <= STDERR_FILENO) continue;
    ++sockets;
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << fd;
  }
  EXPECT_GE(sockets, 3) << "a listener and two ends";
}

TEST_F(Host, without_descriptors_nothing_is_thrown_and_the_failure_says_so) {
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "the sanitizer needs a descriptor itself to look at an object";
#endif
#endif
  listen();
  const Address address = listening->address();
  auto provider = make_provider();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const files::Descriptor next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const rlimit none{.rlim_cur = static_cast<rlim_t>(next.get()) + 1, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto session = connect(address, std::move(provider), client());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().kind, ErrorKind::Environment);
  EXPECT_NE(session.error().text.find("ulimit -n"), std::string::npos) << session.error().text;
}

TEST_F(Host, as_much_time_as_there_is_may_be_given_to_a_call) {
  listen();
  const auto session = connect(listening->address(), make_provider(), client(), {.timeout = Instant::max()});
  EXPECT_TRUE(session) << session.error().text;
}

TEST_F(Host, a_session_whose_answer_is_dropped_ends) {
  listen();
  Stopped loop;
  start_connect(listening->address(), make_provider(), client(), {}, loop.post(), [](Result<Session, Failure>) {});
  loop.wait();
  Session bob_end = listening->accept().value();
  loop.drop();
  std::array<std::uint8_t, 10> buffer{};
  EXPECT_EQ(bob_end.read(buffer).error().reason, Reason::Normal);
}

TEST_F(Host, a_second_wait_for_a_session_is_misuse_and_leaves_the_first_alone) {
  listen();
  const Post at_once = [](Task task) { task(); };  // nothing here waits in an answer
  std::optional<bool> first;
  std::optional<ErrorKind> second;
  listening->start_accept(at_once, [&](const Result<Session, Failure>& made) { first = made.has_value(); });
  listening->start_accept(at_once, [&](const Result<Session, Failure>& made) { second = made.error().kind; });
  EXPECT_EQ(second, ErrorKind::ApiMisuse);
  listening->stop();
  EXPECT_EQ(first, false);
}

}  // namespace
}  // namespace qsp::tcp::test

#include "bench/child.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <thread>
#include <utility>

namespace qsp::bench {
namespace {

constexpr std::chrono::milliseconds kLook{1};

/// In the child: dies with its parent, which may be gone already.
void follow(pid_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
}

/// Puts the standard descriptors in place without overwriting one that has yet to move.
void redirect(const std::array<int, 3>& standard) noexcept {
  std::array<int, 3> moved{};
  for (std::size_t i = 0; i < 3; ++i) moved[i] = ::fcntl(standard[i], F_DUPFD, 3);
  for (std::size_t i = 0; i < 3; ++i) {
    ::dup2(moved[i], static_cast<int>(i));
    ::close(moved[i]);
  }
}

}  // namespace

Outcome<Child> Child::copy(const std::function<int()>& work) {
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) return std::unexpected("a second process cannot be started");
  if (process == 0) {
    follow(parent);
    ::_exit(work());
  }
  return Child(process);
}

Outcome<Child> Child::run(const Program& program) {
  std::vector<std::string> words = program.arguments;
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::string libraries = "LD_LIBRARY_PATH=" + program.library_folder;
  std::vector<char*> environment;
  if (!program.library_folder.empty()) environment.push_back(libraries.data());
  environment.push_back(nullptr);

  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) return std::unexpected("a second process cannot be started");
  if (process == 0) {
    // Other threads may exist: until the program runs, only calls that a signal handler could make.
    follow(parent);
    for (const int descriptor : program.kept) ::fcntl(descriptor, F_SETFD, 0);
    redirect(program.standard);
    ::execve(argv.front(), argv.data(), environment.data());
    ::_exit(127);
  }
  return Child(process);
}

Child::~Child() { kill(); }

bool Child::succeeds(std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  int status = 0;
  while (process_ > 0 && std::chrono::steady_clock::now() < deadline) {
    const pid_t ended = ::waitpid(process_, &status, WNOHANG);
    if (ended == process_) {
      process_ = -1;
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    if (ended < 0 && errno != EINTR) break;
    std::this_thread::sleep_for(kLook);
  }
  kill();
  return false;
}

double Child::cpu_seconds() const noexcept {
  clockid_t clock{};
  std::timespec time{};
  if (process_ <= 0 || ::clock_getcpuclockid(process_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

bool Child::ends(std::chrono::seconds patience) const noexcept {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) return false;
    if (info.si_pid == process_) return true;
    std::this_thread::sleep_for(kLook);
  }
  return false;
}

void Child::kill() noexcept {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

}  // namespace qsp::bench

#include "text/progress.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

#include "text/terminal.hpp"

namespace qsp::text {
namespace {

/// To the beginning of the line, which is then erased.
constexpr std::string_view kErase = "\r\033[K";

}  // namespace

std::string ProgressLine::show(Clock::time_point now) {
  if (now < due_) return {};
  const auto pace = terminal_ ? kPaceOnTerminal : kPace;
  // By whole steps from when it was due: late calls do not make it drift.
  due_ += ((now - due_) / pace + 1) * pace;
  shown_ = true;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - start_).count();
  return terminal_ ? fmt::format("{}qsp: {}, {} s", kErase, text_, seconds)
                   : fmt::format("qsp: {}, {} s\n", text_, seconds);
}

std::string ProgressLine::clear() {
  return std::exchange(shown_, false) && terminal_ ? std::string(kErase) : std::string();
}

Progress::Progress(Write write)
    : write_(std::move(write)), line_(is_terminal(STDERR_FILENO), ProgressLine::Clock::now()) {
  // A signal is for the thread that works: it knows what it has made and would have to remove, and when it may be
  // disturbed.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Progress::say(std::string text) {
  const std::scoped_lock lock(mutex_);
  line_.say(std::move(text));
}

void Progress::finish() {
  {
    const std::scoped_lock lock(mutex_);
    finished_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Progress::run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_until(lock, line_.due(), [this] { return finished_; })) {
    write_(line_.show(ProgressLine::Clock::now()));
  }
  write_(line_.clear());
}

}  // namespace qsp::text

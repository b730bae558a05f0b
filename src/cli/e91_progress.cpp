#include "cli/e91_progress.hpp"

#include "cli/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <utility>

namespace qsp::cli {
namespace {

volatile std::sig_atomic_t stop_came = 0;

extern "C" void on_stop(int) { stop_came = 1; }

}  // namespace

Progress::Progress() : thread_([this] { run(); }) {}

void Progress::say(std::string text) {
  const std::scoped_lock lock(mutex_);
  text_ = std::move(text);
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
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds kPatience{2};
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  const auto pace = terminal ? std::chrono::milliseconds(500) : std::chrono::milliseconds(15'000);
  const auto start = Clock::now();
  bool shown = false;
  std::unique_lock lock(mutex_);
  auto next = start + std::max<std::chrono::milliseconds>(pace, kPatience);
  while (!changed_.wait_until(lock, next, [this] { return finished_; })) {
    next += pace;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start).count();
    if (terminal) {
      print_err("\r\033[Kqsp: {}, {} s", text_, seconds);
    } else {
      print_err("qsp: {}, {} s\n", text_, seconds);
    }
    shown = true;
  }
  if (shown && terminal) print_err("\r\033[K");
}

StopRequest::StopRequest() noexcept {
  stop_came = 0;
  struct sigaction action{};
  action.sa_handler = on_stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

StopRequest::~StopRequest() {
  std::signal(SIGINT, SIG_DFL);   // NOLINT(bugprone-unused-return-value)
  std::signal(SIGTERM, SIG_DFL);  // NOLINT(bugprone-unused-return-value)
}

bool StopRequest::came() noexcept { return stop_came != 0; }

}  // namespace qsp::cli

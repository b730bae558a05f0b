#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace qsp::text {

/// What a long piece of work shows of itself, and when: nothing in the first two seconds; then on a terminal a line
/// that is written over twice a second, elsewhere a line of its own every 15 seconds. It reads no clock and writes
/// nothing.
class ProgressLine {
 public:
  using Clock = std::chrono::steady_clock;

  ProgressLine(bool terminal, Clock::time_point start) noexcept
      : terminal_(terminal), start_(start), due_(start + (terminal ? kPatience : kPace)) {}

  /// What is going on now. Of text from elsewhere, text::terminal_escape().
  void say(std::string text) { text_ = std::move(text); }
  /// What to write at this time; empty before it is due.
  [[nodiscard]] std::string show(Clock::time_point now);
  /// What takes the line off a terminal; empty where none stands there.
  [[nodiscard]] std::string clear();
  /// When show() has something to write.
  [[nodiscard]] Clock::time_point due() const noexcept { return due_; }

 private:
  static constexpr std::chrono::milliseconds kPatience{2'000};
  static constexpr std::chrono::milliseconds kPaceOnTerminal{500};
  static constexpr std::chrono::milliseconds kPace{15'000};

  bool terminal_;
  Clock::time_point start_;
  Clock::time_point due_;
  std::string text_;
  bool shown_ = false;
};

/// A ProgressLine for standard error, on a thread of its own, so that nothing has to call it while the work goes on.
class Progress {
 public:
  /// Called with what is to go to standard error, by any thread, by one at a time.
  using Write = std::function<void(std::string_view)>;

  explicit Progress(Write write);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { finish(); }

  /// As ProgressLine::say. Thread-safe.
  void say(std::string text);
  /// Clears its line and says no more. To be called before anything else is printed.
  void finish();

 private:
  void run();

  Write write_;
  std::mutex mutex_;
  std::condition_variable changed_;
  ProgressLine line_;
  bool finished_ = false;
  std::thread thread_;
};

}  // namespace qsp::text

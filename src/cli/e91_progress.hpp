#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace qsp::cli {

/// Tells on stderr what a long run is doing, from two seconds on: a line that moves on a terminal, a line every 15
/// seconds elsewhere. On a thread of its own, so that nothing has to call it.
class Progress {
 public:
  Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { finish(); }

  /// What is going on now.
  void say(std::string text);
  /// Clears its line and says no more. Before anything else is printed.
  void finish();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  bool finished_ = false;
  std::thread thread_;
};

/// While it lives, the first SIGINT or SIGTERM only asks to stop; the second ends the process as ever. One at a time.
class StopRequest {
 public:
  StopRequest() noexcept;
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;
  ~StopRequest();

  [[nodiscard]] static bool came() noexcept;
};

}  // namespace qsp::cli

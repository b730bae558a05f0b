#pragma once

#include <functional>

#include "net/loop.hpp"
#include "qsp/endpoint.hpp"

namespace qsp::keysource {

/// The event loop and the clock of a source; a test has its own.
class Schedule {
 public:
  using Task = std::move_only_function<void()>;

  virtual ~Schedule() = default;
  [[nodiscard]] virtual Instant now() const noexcept = 0;
  /// From any thread: runs `task` on the loop, never within this call.
  virtual void post(Task task) = 0;
  /// From the loop's thread: runs `task` at this time.
  virtual void run_at(Instant at, Task task) = 0;
};

/// Over a loop that outlives it, and every task.
class LoopSchedule final : public Schedule {
 public:
  explicit LoopSchedule(net::Loop& loop) noexcept : loop_(loop) {}
  [[nodiscard]] Instant now() const noexcept override { return net::Loop::now(); }
  void post(Task task) override;
  void run_at(Instant at, Task task) override;

 private:
  net::Loop& loop_;
};

}  // namespace qsp::keysource

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "net/loop.hpp"

namespace qsp::https {

/// Calls back once a time limit has passed. Limits move often and are rarely reached: a timer that would fire too early
/// is left alone, and looks again then.
class Watchdog {
 public:
  explicit Watchdog(net::Loop& loop) : timer_(loop.executor()) {}

  /// Whom to tell. `owner` holds this object, and is kept alive during the call only.
  void start(std::weak_ptr<void> owner, std::function<void()> late) {
    owner_ = std::move(owner);
    late_ = std::move(late);
  }
  void within(std::chrono::nanoseconds limit) {
    deadline_ = net::Loop::now() + limit;
    if (deadline_ < armed_) arm();
  }
  void off() noexcept { deadline_ = Instant::max(); }
  /// Nothing is called from here on, and nothing keeps the loop running.
  void stop() {
    off();
    timer_.cancel();
  }

 private:
  void arm() {
    armed_ = deadline_;
    timer_.expires_at(net::Loop::time_point(deadline_));
    timer_.async_wait([this, owner = owner_](const net::error_code& cancelled) {
      const std::shared_ptr<void> alive = owner.lock();
      if (cancelled || !alive) return;
      armed_ = Instant::max();
      if (deadline_ == Instant::max()) return;
      if (net::Loop::now() < deadline_) {
        arm();
      } else {
        off();
        late_();
      }
    });
  }

  net::Timer timer_;
  Instant deadline_ = Instant::max();
  Instant armed_ = Instant::max();
  std::weak_ptr<void> owner_;
  std::function<void()> late_;
};

}  // namespace qsp::https

#include "keysource/etsi014/schedule.hpp"

#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

namespace qsp::keysource {

void LoopSchedule::post(Task task) { net::asio::post(loop_.executor(), std::move(task)); }

void LoopSchedule::run_at(Instant at, Task task) {
  auto timer = std::make_unique<net::Timer>(loop_.executor());
  timer->expires_at(net::Loop::time_point(at));
  net::Timer& waiting = *timer;
  waiting.async_wait([kept = std::move(timer), run = std::move(task)](const net::error_code& cancelled) mutable {
    if (!cancelled) run();
  });
}

}  // namespace qsp::keysource

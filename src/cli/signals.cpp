#include "cli/signals.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <utility>

#include "cli/app.hpp"
#include "net/loop.hpp"

namespace qsp::cli {

void stop_on_signals(boost::asio::signal_set& signals, std::function<void()> stop, std::function<void()> at_once) {
  signals.async_wait(
      [&signals, stop = std::move(stop), at_once = std::move(at_once)](const net::error_code& cancelled, int) {
        if (cancelled) return;
        spdlog::info("stopping; a second signal stops at once");
        signals.async_wait([at_once](const net::error_code& gone, int) {
          if (gone) return;
          if (at_once) at_once();
          ::_exit(kFailed);
        });
        stop();
      });
}

}  // namespace qsp::cli

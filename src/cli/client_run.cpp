#include "cli/client_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <csignal>
#include <utility>

#include "cli/app.hpp"
#include "cli/process.hpp"
#include "net/dial.hpp"
#include "net/outcome.hpp"

namespace qsp::cli {
namespace {

constexpr std::chrono::nanoseconds kDialTimeout = std::chrono::seconds(10);
constexpr std::chrono::nanoseconds kShortestDial = std::chrono::milliseconds(1);

/// A terminal that goes away ends the session in good order too, unless whoever started this wants it to live on
/// (nohup).
void watch_hangup(ClientRun& run) {
  if (is_ignored(SIGHUP)) return;
  net::error_code ignored;  // it ends the process then, as it always did
  run.signals.add(SIGHUP, ignored);
}

void close_on_signal(ClientRun& run) {
  run.signals.async_wait([&run](const net::error_code& cancelled, int) {
    if (cancelled) return;
    const bool again = std::exchange(run.interrupted, true);
    if (!again && !run.client) run.common.interrupt(run);
    if (again || !run.client) {
      run.common.discard();
      ::_exit(kFailed);
    }
    run.client->close(Reason::Normal, "interrupted");
    close_on_signal(run);
  });
}

/// The handshake has its own limit; this is that of dialling altogether.
void end_handshake_in_time(ClientRun& run) {
  if (run.common.dial_by == Instant::max()) return;
  run.timer.expires_at(net::Loop::time_point(run.common.dial_by));
  run.timer.async_wait([&run](const net::error_code& cancelled) {
    if (cancelled || run.client->endpoint().phase() != Phase::Handshake) return;
    run.out_of_time = true;
    run.client->close(Reason::Timeout, "the time for dialling is over");
  });
}

void start_session(ClientRun& run, net::Dialled&& dialled, std::unique_ptr<Endpoint> endpoint, net::Watch&& watch) {
  const ClientSetup& common = run.common;
  // Output may still be on its way; from here on a signal ends the process as it would any other. Where there was no
  // session another dial may follow, and has the signals that come meanwhile.
  const auto finished = [&run] {
    run.timer.cancel();
    net::error_code ignored;  // it has nothing left to fail at
    if (run.client->established()) run.signals.clear(ignored);
    run.signals.cancel(ignored);
  };
  if (common.check_echo) {
    EchoClient::Files files{
        .input = common.input, .watch = std::move(watch), .output = common.output ? common.output->get() : -1};
    files.show = !common.output && ::isatty(common.input) == 1 && ::isatty(STDOUT_FILENO) == 1;
    auto* const echo =
        new EchoClient(run.loop, std::move(dialled.socket), dialled.peer, std::move(endpoint), std::move(files),
                       {.half_close = common.profile().half_close, .window = common.window}, run.report);
    run.client = echo;
    echo->when_finished(finished);
  } else {
    run.pipe = new PipeClient(run.loop, std::move(dialled.socket), dialled.peer, std::move(endpoint),
                              common.setup.stall_limit(), run.pipe_report);
    run.client = run.pipe;
    run.pipe->when_finished(finished);
  }
  if (auto* const delivery = common.sessions.delivery(); delivery != nullptr) run.client->set_key_delivery(*delivery);
  end_handshake_in_time(run);
  run.client->start();
}

boost::asio::awaitable<void> connect_to_peer(ClientRun& run, std::chrono::nanoseconds pause) {
  if (pause > std::chrono::nanoseconds::zero()) {
    run.timer.expires_after(pause);
    co_await run.timer.async_wait(net::kOutcome);
  }
  const std::chrono::nanoseconds limit = std::clamp(run.common.dial_by - net::Loop::now(), kShortestDial, kDialTimeout);
  std::expected<net::Dialled, std::string> dialled = co_await net::dial(run.loop, run.common.target, limit);
  if (!dialled) {
    run.failure = dialled.error();
    run.signals.cancel();
    co_return;
  }
  Result<std::unique_ptr<Endpoint>> endpoint = run.common.sessions.make(run.without_qkd);
  std::expected<net::Watch, net::error_code> watch = net::Watch::open(run.loop, run.common.input);
  if (!endpoint || !watch) {
    run.failure = endpoint ? fmt::format("cannot watch the input: {}", watch.error().message())
                           : fmt::format("cannot make a session: {}", endpoint.error().where);
    run.signals.cancel();
    co_return;
  }
  start_session(run, std::move(*dialled), std::move(*endpoint), std::move(*watch));
}

}  // namespace

void dial_once(ClientRun& run, std::chrono::nanoseconds pause) {
  watch_hangup(run);
  close_on_signal(run);
  boost::asio::co_spawn(run.loop.executor(), connect_to_peer(run, pause), boost::asio::detached);
  run.loop.run();
}

}  // namespace qsp::cli

#include "cli/client_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <csignal>
#include <utility>

#include "cli/app.hpp"
#include "cli/process.hpp"
#include "net/dial.hpp"

namespace qsp::cli {
namespace {

constexpr std::chrono::seconds kDialTimeout{10};

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
    if (std::exchange(run.interrupted, true) || !run.client) {
      if (run.common.output) run.common.output->discard();
      ::_exit(kFailed);
    }
    run.client->close(Reason::Normal, "interrupted");
    close_on_signal(run);
  });
}

void start_session(ClientRun& run, net::Dialled&& dialled, std::unique_ptr<Endpoint> endpoint, net::Watch&& watch) {
  const ClientSetup& common = run.common;
  // Output may still be on its way; from here on a signal ends the process as it would any other.
  const auto finished = [&run] {
    net::error_code ignored;  // it has nothing left to fail at
    run.signals.clear(ignored);
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
  run.client->start();
}

boost::asio::awaitable<void> connect_to_peer(ClientRun& run) {
  std::expected<net::Dialled, std::string> dialled = co_await net::dial(run.loop, run.common.target, kDialTimeout);
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

void dial_once(ClientRun& run) {
  watch_hangup(run);
  close_on_signal(run);
  boost::asio::co_spawn(run.loop.executor(), connect_to_peer(run), boost::asio::detached);
  run.loop.run();
}

}  // namespace qsp::cli

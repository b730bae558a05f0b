#include "cli/client_dials.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "cli/client_explain.hpp"

namespace qsp::cli {
namespace {

/// How long to wait before another dial, after one that only came too soon; nothing where none may help.
std::optional<std::chrono::nanoseconds> pause_after(const ClientRun& run, Redial& redial) {
  const Instant now = net::Loop::now();
  const std::string target = net::to_string(run.common.target);
  std::optional<std::chrono::nanoseconds> pause;
  std::string why;
  if (run.interrupted) return std::nullopt;
  if (server_is_full(run)) {
    pause = redial.pause_for_room(now);
    why = target + " is full";
  } else if (budget_is_spent(run)) {
    pause = redial.pause_for_budget(now);
    why = run.closed()->by_peer ? target + "'s budget of QKD keys is spent, or it has no room now"
                                : "this end's budget of QKD keys is spent";
  }
  if (pause) spdlog::warn("{}: trying again in {:.1f} s", why, std::chrono::duration<double>(*pause).count());
  return pause;
}

}  // namespace

std::unique_ptr<ClientRun> dial_until_there(const ClientSetup& common, bool without_qkd, Redial& redial) {
  for (;;) {
    // In place: its members point to each other.
    std::unique_ptr<ClientRun> run(new ClientRun{.common = common, .without_qkd = without_qkd});
    dial_once(*run);
    const auto pause = pause_after(*run, redial);
    if (!pause) return run;
    run.reset();
    std::this_thread::sleep_for(*pause);
  }
}

}  // namespace qsp::cli

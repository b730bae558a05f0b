#include "cli/client_dials.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "cli/client_explain.hpp"

namespace qsp::cli {
namespace {

struct Pause {
  std::chrono::nanoseconds length;
  std::string why;
};

/// How long to wait before another dial, after one that only came too soon; nothing where none may help.
std::optional<Pause> pause_after(const ClientRun& run, Redial& redial) {
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
  if (!pause) return std::nullopt;
  spdlog::warn("{}: trying again in {:.1f} s", why, std::chrono::duration<double>(*pause).count());
  return Pause{.length = *pause, .why = std::move(why)};
}

}  // namespace

std::unique_ptr<ClientRun> dial_until_there(const ClientSetup& common, bool without_qkd, Redial& redial,
                                            const std::function<void(const ClientRun&)>& repeated) {
  // In place: its members point to each other.
  const auto make_run = [&](std::string before) {
    return std::unique_ptr<ClientRun>(
        new ClientRun{.common = common, .without_qkd = without_qkd, .before = std::move(before)});
  };
  auto run = make_run({});
  std::chrono::nanoseconds length{};
  for (;;) {
    dial_once(*run, length);
    auto pause = pause_after(*run, redial);
    if (!pause) return run;
    repeated(*run);
    length = pause->length;
    // The next one is there before this one goes: there is always one that a signal finds.
    run = make_run(std::move(pause->why));
  }
}

}  // namespace qsp::cli

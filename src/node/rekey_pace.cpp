#include "node/rekey_pace.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text/escape.hpp"
#include "text/units.hpp"

namespace qsp::node {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kLowPart = 10;
constexpr std::chrono::seconds kShortestLook{1};

std::string seconds_text(nanoseconds time) {
  return fmt::format("{:.3g} s", std::chrono::duration<double>(time).count());
}

}  // namespace

nanoseconds RekeyPace::interval(const keysource::Supply& supply) const noexcept {
  if (!supply.keys || supply.age > kMaxAge) return target;
  const std::uint64_t mark = low.value_or(supply.capacity / kLowPart);
  if (*supply.keys >= mark) return target;
  // In floating point: no count of keys makes it overflow, and no rekey needs the last nanosecond.
  const double slowed =
      static_cast<double>(target.count()) * static_cast<double>(mark) / static_cast<double>(*supply.keys);
  if (*supply.keys == 0 || slowed >= static_cast<double>(floor.count())) return floor;
  return nanoseconds(static_cast<nanoseconds::rep>(slowed));
}

Instant RekeyPace::next(nanoseconds interval, Instant epoch_began, Instant now) const noexcept {
  const Instant due = epoch_began + interval;
  return std::min(due, now + std::max<nanoseconds>(target, kShortestLook));
}

nanoseconds PeerPaces::follow(const std::string& sae_id, const keysource::Supply& supply) {
  const nanoseconds interval = pace_.interval(supply);
  // Told once the mutex is free: who listens may ask for the counts.
  const Change change = note(sae_id, supply, interval);
  const std::string sae = text::terminal_escape(sae_id);
  if (change.began_to_fail) {
    log_.warn("the KME does not tell its supply of keys for SAE {}: {}", sae, text::terminal_escape(supply.problem));
  }
  if (change.works_again) log_.info("the KME tells its supply of keys for SAE {} again", sae);
  if (change.recovered) {
    log_.info("the supply of QKD keys for SAE {} has recovered: rekey every {} again", sae, seconds_text(interval));
  }
  if (change.slowed) {
    log_.warn("the supply of QKD keys for SAE {} is low, {} left: rekey every {} instead of {}", sae,
              text::grouped(supply.keys.value_or(0)), seconds_text(interval), seconds_text(pace_.target));
  }
  return interval;
}

PeerPaces::Change PeerPaces::note(const std::string& sae_id, const keysource::Supply& supply, nanoseconds interval) {
  const bool failing = !supply.problem.empty();
  const std::lock_guard lock(mutex_);
  Told& told = told_.try_emplace(sae_id, Told{.interval = pace_.target}).first->second;
  const Change change{
      .began_to_fail = failing && !told.failing,
      .works_again = !failing && told.failing,
      .recovered = interval == pace_.target && told.interval != pace_.target,
      .slowed = interval > told.interval && (interval == pace_.floor || 2 * interval >= 3 * told.interval)};
  told.failures = supply.failures;
  told.failing = failing;
  if (change.recovered || change.slowed) told.interval = interval;
  return change;
}

SupplyCounts PeerPaces::counts() const {
  SupplyCounts counts;
  const std::lock_guard lock(mutex_);
  for (const auto& [sae_id, told] : told_) {
    counts.slowed_peers += told.interval > pace_.target ? 1 : 0;
    counts.failed_questions += told.failures;
  }
  return counts;
}

}  // namespace qsp::node

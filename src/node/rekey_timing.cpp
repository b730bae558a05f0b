#include "node/rekey_timing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "text/units.hpp"

namespace qsp::node {

/// No epoch may live longer because its rekey was put off: the floor becomes the sessions' own interval, and their hard
/// life, which counts from there, so much shorter. It must stay twice the rekey timer (SPEC §8.5).
std::expected<RekeyTiming, Refused> rekey_timing(const EndConfig& config) {
  RekeyPolicy rekey;
  rekey.light = config.light;
  rekey.interval = config.rekey_interval;
  rekey.bytes = config.rekey_bytes;
  rekey.timer = config.rekey_timer;
  rekey.hard_life = std::max<std::chrono::nanoseconds>(
      config.dangerous_short_timers ? 2 * rekey.timer : RekeyPolicy{}.hard_life, 2 * rekey.timer);
  rekey.dangerous_short_timers = config.dangerous_short_timers;
  RekeyPace pace{.target = rekey.interval, .floor = rekey.interval, .low = config.qkd_low_supply};
  if (config.kme.urls.empty()) {
    if (!config.qkd_rekey_max && !config.qkd_low_supply) return RekeyTiming{.policy = rekey, .pace = pace};
    return refuse_config(fmt::format("{} and {} are for the keys of a KME: give {} URL too",
                                     config.name(Setting::QkdRekeyMax), config.name(Setting::QkdLowSupply),
                                     config.name(Setting::KmeUrls)));
  }
  // An interval below that is refused with the other options of a session.
  if (rekey.interval <= std::chrono::nanoseconds::zero()) return RekeyTiming{.policy = rekey, .pace = pace};
  const std::chrono::nanoseconds most = rekey.interval + rekey.hard_life - 2 * rekey.timer;
  pace.floor = config.qkd_rekey_max.value_or(most);
  if (pace.floor < rekey.interval || pace.floor > most) {
    return refuse_config(
        fmt::format("{} {}: takes a time from {} ({}) to {} (what the hard life of an epoch leaves room for; a shorter "
                    "{} leaves more)",
                    config.name(Setting::QkdRekeyMax), text::time_text(pace.floor), text::time_text(rekey.interval),
                    config.name(Setting::RekeyInterval), text::time_text(most), config.name(Setting::RekeyTimer)));
  }
  rekey.hard_life -= pace.floor - rekey.interval;
  rekey.interval = pace.floor;
  return RekeyTiming{.policy = rekey, .pace = pace};
}

}  // namespace qsp::node

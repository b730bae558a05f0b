#include "e91/link/expected.hpp"

#include <algorithm>
#include <numbers>

namespace qsp::e91::link {

namespace {

/// The share of `pattern` (0 to 3) whose bit is `bit`: half of a double click.
double share(std::size_t pattern, std::size_t bit) noexcept {
  if (pattern == 3) return 0.5;
  return pattern == bit + 1 ? 1 : 0;
}

SettingsExpected of_settings(const Patterns& patterns) noexcept {
  SettingsExpected result;
  for (std::size_t k = 0; k < kPatterns; ++k) {
    const std::size_t alice = k & 3;
    const std::size_t bob = k >> 2;
    if (alice == 0 || bob == 0) continue;
    result.gain += patterns[k];
    for (std::size_t bit = 0; bit < 2; ++bit) result.equal += patterns[k] * share(alice, bit) * share(bob, bit);
  }
  return result;
}

/// How often each side clicks in a slot.
struct Singles {
  double alice = 0;
  double bob = 0;
};

Singles singles_of(const ClickTables& tables, const std::array<std::array<double, kMaxSettings>, kMaxSettings>& use) {
  Singles singles;
  for (std::size_t i = 0; i < tables.alice; ++i) {
    for (std::size_t j = 0; j < tables.bob; ++j) {
      for (std::size_t k = 1; k < kPatterns; ++k) {
        const double p = use.at(i).at(j) * tables.patterns.at(i).at(j)[k];
        if ((k & 3) != 0) singles.alice += p;
        if (k >> 2 != 0) singles.bob += p;
      }
    }
  }
  return singles;
}

/// The fraction of its clicks that a station is ready for: after each it misses dead_slots − 1 slots.
double ready(double clicks_per_slot, std::uint64_t dead_slots) noexcept {
  return 1 / (1 + clicks_per_slot * static_cast<double>(std::max<std::uint64_t>(dead_slots, 1) - 1));
}

bool is_key(const Stations& stations, Mode mode, std::size_t i, std::size_t j) noexcept {
  if (mode == Mode::Biased) return i == 0 && j == 0;
  return stations.alice.angles[i] == stations.bob.angles[j];
}

}  // namespace

Expected expected(const LinkConfig& config, const Eve& eve) {
  const Stations stations = stations_of(config);
  const ClickTables tables = eve.attack(light_of(config), stations);
  const Weights alice = weights(config.mode, Side::Alice, config.p_z);
  const Weights bob = weights(config.mode, Side::Bob, config.p_z);

  Expected result;
  std::array<std::array<double, kMaxSettings>, kMaxSettings> use{};
  double gain = 0;
  double key = 0;
  double errors = 0;
  for (std::size_t i = 0; i < tables.alice; ++i) {
    for (std::size_t j = 0; j < tables.bob; ++j) {
      const SettingsExpected& one = result.settings.at(i).at(j) = of_settings(tables.patterns.at(i).at(j));
      use.at(i).at(j) = alice.at(i) / 65536.0 * bob.at(j) / 65536.0;
      gain += use.at(i).at(j) * one.gain;
      if (is_key(stations, config.mode, i, j)) {
        key += use.at(i).at(j) * one.gain;
        errors += use.at(i).at(j) * one.equal;
      }
    }
  }
  const bool biased = config.mode == Mode::Biased;
  const auto& first = result.settings[0];
  const auto& last = result.settings.at(biased ? 1 : 2);
  const std::size_t b1 = biased ? 2 : 0;
  const std::size_t b3 = biased ? 3 : 2;
  result.s =
      first.at(b1).correlation() - first.at(b3).correlation() + last.at(b1).correlation() + last.at(b3).correlation();
  result.qber = key > 0 ? errors / key : 0;
  result.phase_error = biased ? (1 + result.settings[1][1].correlation()) / 2 : result.qber;

  const Singles singles = singles_of(tables, use);
  const double alice_ready = ready(singles.alice, stations.alice.dead_slots);
  const double bob_ready = ready(singles.bob, stations.bob.dead_slots);
  const double together = gain * static_cast<double>(std::min(stations.alice.dead_slots, stations.bob.dead_slots));
  const double most_ready =
      std::min({alice_ready, bob_ready, together < 1 ? alice_ready * bob_ready / (1 - together) : 1.0});
  result.alice_singles_per_s = singles.alice * alice_ready * config.slots_per_s;
  result.bob_singles_per_s = singles.bob * bob_ready * config.slots_per_s;
  result.coincidences_per_s = gain * alice_ready * bob_ready * config.slots_per_s;
  result.key_pairs_per_s = key * alice_ready * bob_ready * config.slots_per_s;
  result.most_key_pairs_per_s = key * most_ready * config.slots_per_s;
  return result;
}

}  // namespace qsp::e91::link

#include "e91/link/config.hpp"

#include <array>
#include <cmath>
#include <numbers>
#include <string_view>

namespace qsp::e91::link {

namespace {

/// A field, the range it must be in, and the text for one that is not. NaN is in no range.
struct Rule {
  double value;
  double least;
  double most;
  std::string_view text;
};

Result<void> check(std::span<const Rule> rules) {
  for (const Rule& rule : rules) {
    if (!(rule.value >= rule.least && rule.value <= rule.most)) {
      return fail(ErrorKind::ApiMisuse, Reason::InternalError, rule.text);
    }
  }
  return {};
}

Result<void> validate_alice(const ArmConfig& arm) {
  return check(std::array<Rule, 6>{{
      {arm.fibre_km, 0, 100'000, "alice's fibre_km is from 0 to 100000"},
      {arm.loss_db_per_km, 0, 100, "alice's loss_db_per_km is from 0 to 100"},
      {arm.extra_loss_db, 0, 200, "alice's extra_loss_db is from 0 to 200"},
      {arm.detector_efficiency, 0, 1, "alice's detector_efficiency is from 0 to 1"},
      {arm.dark_counts_per_s, 0, 1e9, "alice's dark_counts_per_s is from 0 to 1e9"},
      {arm.dead_time_ns, 0, 1e9, "alice's dead_time_ns is from 0 to 1e9"},
  }});
}

Result<void> validate_bob(const ArmConfig& arm) {
  return check(std::array<Rule, 6>{{
      {arm.fibre_km, 0, 100'000, "bob's fibre_km is from 0 to 100000"},
      {arm.loss_db_per_km, 0, 100, "bob's loss_db_per_km is from 0 to 100"},
      {arm.extra_loss_db, 0, 200, "bob's extra_loss_db is from 0 to 200"},
      {arm.detector_efficiency, 0, 1, "bob's detector_efficiency is from 0 to 1"},
      {arm.dark_counts_per_s, 0, 1e9, "bob's dark_counts_per_s is from 0 to 1e9"},
      {arm.dead_time_ns, 0, 1e9, "bob's dead_time_ns is from 0 to 1e9"},
  }});
}

Station station_of(const LinkConfig& config, const ArmConfig& arm, Side side) {
  const double loss_db = arm.fibre_km * arm.loss_db_per_km + arm.extra_loss_db;
  return {.angles = angles(config.mode, side),
          .efficiency = arm.detector_efficiency * std::pow(10, -loss_db / 10),
          .dark_probability = -std::expm1(-arm.dark_counts_per_s / config.slots_per_s),
          .dead_slots = static_cast<std::uint64_t>(std::llround(arm.dead_time_ns * 1e-9 * config.slots_per_s))};
}

}  // namespace

Result<void> validate(const LinkConfig& config) {
  constexpr double kPi = std::numbers::pi;
  if (auto arm = validate_alice(config.alice); !arm) return arm;
  if (auto arm = validate_bob(config.bob); !arm) return arm;
  return check(std::array<Rule, 6>{{
      {config.p_z, 0.01, 0.99, "p_z is from 0.01 to 0.99"},
      {config.slots_per_s, 1, kMaxSlotsPerSecond, "slots_per_s is from 1 to 1e12"},
      {config.mean_pairs, 0, kMaxMeanPairs, "mean_pairs is from 0 to 1 (pairs per slot)"},
      {config.visibility, 0, 1, "visibility is from 0 to 1"},
      {config.intrinsic_error, 0, 1, "intrinsic_error is from 0 to 1"},
      {config.misalignment_rad, -kPi, kPi, "misalignment_rad is from -pi to pi"},
  }});
}

Light light_of(const LinkConfig& config) {
  const Axis across = Axis::UnitY();  // of the plane of all analysers: half a turn about it exchanges every bit
  return {.statistics = config.statistics,
          .mean_pairs = config.mean_pairs,
          .pair = State::singlet(),
          .source = Channel::depolarising(config.visibility),
          .alice = {},
          .bob = Channel::rotation(across, std::numbers::pi)
                     .for_fraction(config.intrinsic_error)
                     .then(Channel::rotation(across, config.misalignment_rad))};
}

Stations stations_of(const LinkConfig& config) {
  return {.alice = station_of(config, config.alice, Side::Alice), .bob = station_of(config, config.bob, Side::Bob)};
}

}  // namespace qsp::e91::link

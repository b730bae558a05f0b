#include "e91/link/config.hpp"

#include <array>
#include <cmath>
#include <numbers>
#include <string_view>

namespace qsp::e91::link {

namespace {

/// A field, where it must be, and the text for one that is not. NaN is within no bounds.
struct Rule {
  double value;
  Bounds bounds;
  std::string_view text;
};

Result<void> check(std::span<const Rule> rules) {
  for (const Rule& rule : rules) {
    if (!(rule.value >= rule.bounds.least && rule.value <= rule.bounds.most)) {
      return fail(ErrorKind::ApiMisuse, Reason::InternalError, rule.text);
    }
  }
  return {};
}

Result<void> validate_alice(const ArmConfig& arm) {
  return check(std::array<Rule, 6>{{
      {arm.fibre_km, bounds::kFibreKm, "alice's fibre_km is from 0 to 100000"},
      {arm.loss_db_per_km, bounds::kLossDbPerKm, "alice's loss_db_per_km is from 0 to 100"},
      {arm.extra_loss_db, bounds::kExtraLossDb, "alice's extra_loss_db is from 0 to 200"},
      {arm.detector_efficiency, bounds::kShare, "alice's detector_efficiency is from 0 to 1"},
      {arm.dark_counts_per_s, bounds::kDarkCountsPerSecond, "alice's dark_counts_per_s is from 0 to 1e9"},
      {arm.dead_time_ns, bounds::kDeadTimeNs, "alice's dead_time_ns is from 0 to 1e9"},
  }});
}

Result<void> validate_bob(const ArmConfig& arm) {
  return check(std::array<Rule, 6>{{
      {arm.fibre_km, bounds::kFibreKm, "bob's fibre_km is from 0 to 100000"},
      {arm.loss_db_per_km, bounds::kLossDbPerKm, "bob's loss_db_per_km is from 0 to 100"},
      {arm.extra_loss_db, bounds::kExtraLossDb, "bob's extra_loss_db is from 0 to 200"},
      {arm.detector_efficiency, bounds::kShare, "bob's detector_efficiency is from 0 to 1"},
      {arm.dark_counts_per_s, bounds::kDarkCountsPerSecond, "bob's dark_counts_per_s is from 0 to 1e9"},
      {arm.dead_time_ns, bounds::kDeadTimeNs, "bob's dead_time_ns is from 0 to 1e9"},
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
  if (auto arm = validate_alice(config.alice); !arm) return arm;
  if (auto arm = validate_bob(config.bob); !arm) return arm;
  return check(std::array<Rule, 6>{{
      {config.p_z, bounds::kPz, "p_z is from 0.01 to 0.99"},
      {config.slots_per_s, bounds::kSlotsPerSecond, "slots_per_s is from 1 to 1e12"},
      {config.mean_pairs, bounds::kMeanPairs, "mean_pairs is from 0 to 1 (pairs per slot)"},
      {config.visibility, bounds::kShare, "visibility is from 0 to 1"},
      {config.intrinsic_error, bounds::kShare, "intrinsic_error is from 0 to 1"},
      {config.misalignment_rad, bounds::kMisalignmentRad, "misalignment_rad is from -pi to pi"},
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

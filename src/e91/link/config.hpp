#pragma once

#include <cstdint>
#include <numbers>

#include "e91/link/light.hpp"

/// What a link is built of: the numbers that a laboratory would write down. Noise follows from them; an error rate is
/// never put in.
namespace qsp::e91::link {

/// The way from the source to one station, and its detectors.
struct ArmConfig {
  double fibre_km = 0;
  double loss_db_per_km = 0.2;
  double extra_loss_db = 0;        ///< couplers, filters, air, misfit of a time window: whatever else loses photons
  double detector_efficiency = 1;  ///< of a photon that arrives
  double dark_counts_per_s = 0;    ///< of each of the two detectors, stray light included
  double dead_time_ns = 0;         ///< of both detectors, after a click of either
};

struct LinkConfig {
  Mode mode = Mode::Biased;
  double p_z = 0.9;  ///< see `weights`
  PairStatistics statistics = PairStatistics::Spdc;
  double slots_per_s = 100e6;   ///< the pulse rate, or 1 / coincidence window of a source that runs continuously
  double mean_pairs = 0.05;     ///< per slot, at the source; of PairStatistics::Single the probability of a pair
  double visibility = 1;        ///< of the source, in every basis alike
  double intrinsic_error = 0;   ///< e_d: how often a pulse arrives with all its bits at Bob's exchanged
  double misalignment_rad = 0;  ///< of Bob's analyser, on the Bloch sphere (twice the angle in the laboratory)
  ArmConfig alice{};
  ArmConfig bob{};
};

inline constexpr double kMaxMeanPairs = 1;
inline constexpr double kMaxSlotsPerSecond = 1e12;

/// What a field may be; both ends are allowed.
struct Bounds {
  double least, most;
};
namespace bounds {
inline constexpr Bounds kFibreKm{0, 100'000};
inline constexpr Bounds kLossDbPerKm{0, 100};
inline constexpr Bounds kExtraLossDb{0, 200};
inline constexpr Bounds kDarkCountsPerSecond{0, 1e9};
inline constexpr Bounds kDeadTimeNs{0, 1e9};
inline constexpr Bounds kPz{0.01, 0.99};
inline constexpr Bounds kSlotsPerSecond{1, kMaxSlotsPerSecond};
inline constexpr Bounds kMeanPairs{0, kMaxMeanPairs};
inline constexpr Bounds kMisalignmentRad{-std::numbers::pi, std::numbers::pi};
inline constexpr Bounds kShare{0, 1};  ///< of whatever is a share or a probability
}  // namespace bounds

/// Error: ApiMisuse, with the name and the range of the first field that is out of it.
Result<void> validate(const LinkConfig& config);

/// What leaves the source towards each arm, and the stations. Precondition: validate(config) passed.
Light light_of(const LinkConfig& config);
Stations stations_of(const LinkConfig& config);

}  // namespace qsp::e91::link

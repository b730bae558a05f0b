#pragma once

#include "e91/link/channel.hpp"
#include "e91/link/detectors.hpp"
#include "e91/link/state.hpp"

namespace qsp::e91::link {

/// How many pairs a slot brings.
enum class PairStatistics : std::uint8_t {
  Single,  ///< one pair with probability `mean_pairs`, else none
  Spdc,    ///< n with probability (n+1)λⁿ/(1+λ)^(n+2), λ = mean_pairs / 2, as parametric down-conversion makes them
};

/// What a source sends into the two arms in one slot, and what happens to its polarisation on the way. Loss treats all
/// polarisations alike, so where on the way it happens makes no difference: it is part of Station::efficiency.
struct Light {
  PairStatistics statistics = PairStatistics::Single;
  double mean_pairs = 1;
  /// Of a single pair. Pairs of down-conversion are made as singlets: n of them are one singlet of two spins n/2.
  State pair = State::singlet();
  Channel source{};  ///< what the source itself does wrong, as seen on Bob's photons
  Channel alice{};   ///< on the way to Alice
  Channel bob{};     ///< on the way to Bob
};

/// How likely the detectors click, for each pair of settings. An average over everything that is drawn by nature.
ClickTables measure(const Light& light, const Stations& stations);

}  // namespace qsp::e91::link

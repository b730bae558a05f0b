#pragma once

#include "e91/link/config.hpp"
#include "e91/link/eve.hpp"

namespace qsp::e91::link {

/// What to expect of one pair of settings. Probabilities are per slot in which both sides use these settings.
struct SettingsExpected {
  double gain = 0;   ///< that both sides click
  double equal = 0;  ///< that both sides click and have equal bits
  /// E(a, b): equal bits less different ones, of the coincidences. Zero where there are none.
  [[nodiscard]] double correlation() const noexcept { return gain > 0 ? 2 * equal / gain - 1 : 0; }
};

/// What a link shows on average, worked out and not sampled.
struct Expected {
  /// [Alice's][Bob's], by `angles`. Without dead time.
  std::array<std::array<SettingsExpected, kMaxSettings>, kMaxSettings> settings{};
  /// S = E(a1,b1) − E(a1,b3) + E(a3,b1) + E(a3,b3), −2√2 at best.
  double s = 0;
  /// Errors among the key pairs, Bob's bit inverted. Key pairs are Z/Z, in Classic equal angles.
  double qber = 0;
  /// Errors where both sides use X. In Classic the same as `qber`.
  double phase_error = 0;
  double alice_singles_per_s = 0;
  double bob_singles_per_s = 0;
  double coincidences_per_s = 0;
  double key_pairs_per_s = 0;  ///< the coincidences that become sifted key
  /// Of these at most, where both stations are silent together as much as they can be.
  double most_key_pairs_per_s = 0;
};

/// Precondition: validate(config) passed. Rates are lowered by dead times as if the clicks of the two stations had
/// nothing to do with each other. Those of a coincidence are silent together, so there are more coincidences than that,
/// up to as many times as `most_key_pairs_per_s` is more than `key_pairs_per_s`.
Expected expected(const LinkConfig& config, const Eve& eve);

}  // namespace qsp::e91::link

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "e91/keyrate/statistics.hpp"

namespace qsp::e91::keyrate {

/// Whether a block may become key, and if not, the first rule that it breaks.
enum class Verdict : std::uint8_t {
  Accept,
  NoSample,         ///< no disclosed sample, or a pair of settings of the CHSH test never occurred
  NoBellViolation,  ///< |S|, less its uncertainty, is not above 2: the pairs need not be entangled
  ChshBelowFloor,   ///< |S| is below the floor
  ErrorRate,        ///< the bound on the error rate is above the tolerance
  NoKey,            ///< the key length is zero
};

/// "accept", "no sample", …
std::string_view name(Verdict verdict) noexcept;

/// What a link has to keep. The defaults are where the asymptotic rate at f = 1 is zero.
struct Thresholds {
  double max_error_rate = 0.11;  ///< tolerance of the bound on the error rate
  double chsh_floor = 2.206;     ///< of |S|; that |S| be above 2 is not to be had lower
  double sigmas = 3;             ///< standard deviations of the bounds
};

/// What a block showed.
struct Findings {
  Sample sample;                 ///< what was disclosed: the phase test, or in Ekert's mode a sample of the key
  std::optional<Estimate> chsh;  ///< as `chsh` gives it
  std::uint64_t length = 0;      ///< ℓ, by the rule of the block's mode
};

/// The rules, in the order of Verdict. QBER alone would not do: in Ekert's mode an eavesdropper midway between the two
/// key bases causes 7.3 % only. Nor would S > 2: it holds until more than half of all pairs are measured on the way,
/// while the key is gone at 2.206. What certifies is ℓ; the other rules name the cause, and stop what ℓ cannot see.
[[nodiscard]] Verdict judge(const Findings& findings, const Thresholds& thresholds) noexcept;

}  // namespace qsp::e91::keyrate

#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace qsp::e91::keyrate {

/// What a sample says of a quantity: its value, and the standard deviation of that.
struct Estimate {
  double value = 0;
  double deviation = 0;
};

/// A sample of key bits, or of test rounds, that both sides disclosed. A disclosed bit never reaches the key.
struct Sample {
  std::uint64_t bits = 0;
  std::uint64_t errors = 0;
};

/// The share of errors (QBER) with its binomial error bar. Precondition: errors <= bits. Nothing for an empty sample.
[[nodiscard]] std::optional<Estimate> error_rate(const Sample& sample) noexcept;

/// What the share of errors is not above, at so many standard deviations of a one-sided test: the upper end of Wilson's
/// interval, which does not vanish where no error was seen. 1 for an empty sample. Preconditions: errors <= bits,
/// sigmas >= 0.
[[nodiscard]] double error_rate_bound(const Sample& sample, double sigmas) noexcept;

/// The outcomes of one pair of settings: how often the two bits were the same, and how often not.
struct Coincidences {
  std::uint64_t same = 0;
  std::uint64_t different = 0;
};

/// The pairs of settings of a CHSH test, as angles on the Bloch sphere: Alice 0 or π/2, Bob π/4 or 3π/4.
struct ChshCounts {
  Coincidences a1_b1;  ///< 0, π/4
  Coincidences a1_b3;  ///< 0, 3π/4
  Coincidences a3_b1;  ///< π/2, π/4
  Coincidences a3_b3;  ///< π/2, 3π/4
};

/// S = E(a1,b1) − E(a1,b3) + E(a3,b1) + E(a3,b3), E = (same − different) / all; −2√2 for perfect singlets. The variance
/// is Σ (1 − E²) / all, which for N rounds of Ekert's protocol at visibility V is 18 (2 − V²) / N.
/// Nothing where a pair of settings never occurred.
[[nodiscard]] std::optional<Estimate> chsh(const ChshCounts& counts) noexcept;

/// The phase error rate behind |S| and the bit error rate, where the devices are trusted to measure at their angles:
/// 1 − |S| / (2√2) − e_bit, within [0, 1/2].
[[nodiscard]] double phase_error(double s, double bit_error) noexcept;

}  // namespace qsp::e91::keyrate

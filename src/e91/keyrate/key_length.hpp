#pragma once

#include <cstdint>

namespace qsp::e91::keyrate {

inline constexpr double kSecrecy = 1e-10;      ///< ε_sec, unless told otherwise
inline constexpr double kCorrectness = 1e-15;  ///< ε_cor, which the verification hash has to meet

/// No sample or key is longer, in bits: counts and their products are then exact enough for a length to the bit.
inline constexpr std::uint64_t kMaxBlock = std::uint64_t{1} << 40;

/// What the length of a key follows from.
struct Block {
  std::uint64_t key_bits = 0;   ///< n: reconciled bits, none of them disclosed
  std::uint64_t test_bits = 0;  ///< k: rounds of the phase test, drawn at random among all n + k
  /// δ: the share of errors in the phase test. Tomamichel and Leverrier prove their bound for a δ that is fixed before
  /// the run, where the run ends without a key if the test shows more errors. Passing the share that was seen lets the
  /// length follow the link, as is common; their theorem does not cover that step.
  double test_error_rate = 0;
  std::uint64_t disclosed = 0;     ///< leak: parities that reconciliation told
  std::uint64_t verification = 0;  ///< t: bits of the verification hash, all of which are told
  double secrecy = kSecrecy;       ///< ε_sec
};

struct KeyLength {
  std::uint64_t bits = 0;  ///< ℓ; 0 if the block yields no key
  double deviation = 0;    ///< ν: by how much the phase error rate of the key may exceed δ; 0 if there is no key
};

/// The longest key that is ε_sec-secret (Tomamichel and Leverrier 2017, doi:10.22331/q-2017-07-14-14): the largest
/// integer ℓ for which some ν > 0 with δ + ν < 1/2 fulfils
///   ε_sec ≥ ½ √(2^(−n (1 − h(δ + ν)) + leak + t + ℓ)) + 2 exp(−n k² ν² / ((n + k)(k + 1))).
/// ν is searched for so that ℓ is within 1e-6 bits of the best before it is rounded down. The same block gives the same
/// bits on every machine, so both stations and an audit may demand equality.
/// Without a key, or for what no block can be (more than kMaxBlock of anything, ε_sec outside (0, 1)), ℓ is 0.
[[nodiscard]] KeyLength key_length(const Block& block) noexcept;

}  // namespace qsp::e91::keyrate

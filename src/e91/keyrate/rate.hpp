#pragma once

#include <cstdint>

#include "e91/keyrate/key_length.hpp"
#include "e91/keyrate/statistics.hpp"

namespace qsp::e91::keyrate {

/// Secret bits for each sifted bit of an endless run, 1 − h(e_phase) − f · h(e_bit), where f is the efficiency of
/// reconciliation, 1 at Shannon's limit. Below zero there is no key. At e_phase = e_bit and f = 1 it is zero at 11.0 %,
/// where |S| = 2.206.
[[nodiscard]] double asymptotic_rate(double phase_error, double bit_error, double efficiency) noexcept;

/// The same where the devices need not be trusted (Acín et al. 2007): 1 − h(Q) − h((1 + √((S/2)² − 1)) / 2), and −h(Q)
/// for |S| ≤ 2. A diagnostic: it assumes detectors without loss, which no link here has, and no key is made by it.
[[nodiscard]] double device_independent_rate(double bit_error, double s) noexcept;

/// What the asymptotic length of Ekert's own mode follows from.
struct ClassicBlock {
  std::uint64_t key_bits = 0;      ///< n: reconciled bits, none of them disclosed
  Estimate chsh;                   ///< S of the same block
  double bit_error = 0;            ///< the share of errors in the key
  std::uint64_t disclosed = 0;     ///< parities that reconciliation told
  std::uint64_t verification = 0;  ///< bits of the verification hash
  double secrecy = kSecrecy;       ///< what hashing may fall short of a perfect key by
  double sigmas = 3;               ///< how far |S| is taken below its estimate
};

/// The key length of Ekert's own mode: n (1 − h(e_phase)) − leak − t − 2 log2(1 / (2 ε_sec)), rounded down, with
/// e_phase from |S| less `sigmas` standard deviations. ASYMPTOTIC: the phase error is a normal approximation from a
/// CHSH value, no proof bounds it for a finite block, and a program that shows the length says so. As reproducible as
/// `key_length`; 0 for what yields no key.
[[nodiscard]] std::uint64_t asymptotic_length(const ClassicBlock& block) noexcept;

}  // namespace qsp::e91::keyrate

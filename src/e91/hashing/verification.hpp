#pragma once

#include <cstdint>

#include "e91/bits.hpp"
#include "e91/hashing/carryless.hpp"

namespace qsp::e91::hashing {

/// The bits that `verification_hash` discloses of a key. The key length has to pay for them.
inline constexpr std::size_t kVerificationBits = 64;

/// A 64-bit hash by which two parties see whether reconciliation left them with one key: with words w_1 … w_W, h = Σ_i
/// w_i · point^(W − i + 1) + size in GF(2^64).
///
/// Two different keys of at most W words have the same hash at no more than W of the 2^64 points, so for a point drawn
/// evenly after reconciliation they collide with probability at most W / 2^64: 2^-50 = 8.9e-16 for keys of 1 Mbit,
/// which is below an ε_cor of 1e-15. The point may be told to anybody once it is drawn; both messages must be
/// authenticated.
[[nodiscard]] std::uint64_t verification_hash(const Bits& key, std::uint64_t point,
                                              const Carryless& arithmetic = carryless()) noexcept;

/// The bound above for keys of at most `size` bits.
[[nodiscard]] constexpr double verification_failure(std::size_t size) noexcept {
  return static_cast<double>(Bits::words_of(size)) * 0x1p-64;
}

}  // namespace qsp::e91::hashing

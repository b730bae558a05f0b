#pragma once

#include <cstddef>

#include "e91/bits.hpp"
#include "e91/hashing/carryless.hpp"
#include "qsp/error.hpp"

namespace qsp::e91::hashing {

/// The longest key that one call amplifies, in bits. It bounds memory to 5 MiB and time to a fraction of a second.
inline constexpr std::size_t kMaxToeplitzInput = std::size_t{1} << 22;

/// Privacy amplification: `input` times the Toeplitz matrix over GF(2) that `seed` describes. With n = input.size() and
/// l = `size`, bit i of the result is y_i = ⊕_j seed[i − j + n − 1] · input[j] for 0 ≤ i < l, 0 ≤ j < n: the bits of
/// the seed are the diagonals, from the upper right corner (i = 0, j = n − 1) to the lower left.
///
/// Any two different inputs have the same result under exactly 2^(n − 1) of the 2^(n + l − 1) seeds, so the family is
/// 2-universal: they collide with probability 2^-l. The seed is drawn evenly after reconciliation and may be told to
/// anybody then; its message must be authenticated. Time depends on n and l alone.
/// Errors: ApiMisuse unless 1 ≤ l ≤ n ≤ kMaxToeplitzInput and seed.size() = n + l − 1.
Result<Bits> toeplitz(const Bits& input, const Bits& seed, std::size_t size, const Carryless& arithmetic = carryless());

}  // namespace qsp::e91::hashing

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "qsp/bytes.hpp"

namespace qsp::e91::hashing {

/// A polynomial over GF(2) of less than 128 coefficients: coefficient i is bit i of `low`, 64 + i bit i of `high`. Also
/// an element of GF(2^128) = GF(2)[X] / (X^128 + X^7 + X^2 + X + 1).
struct Wide {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Wide&) const = default;
};

/// The inner loops over GF(2), in one of the forms that the processor allows. The time of each depends on the sizes
/// alone, never on the bits. All forms give the same results.
struct Carryless {
  std::string_view name;

  /// A Toeplitz matrix of words times a vector of words, as a matrix of polynomials: out[i] = Σ_j diagonals[i − j +
  /// columns − 1] · vector[j] for i < rows, each a Wide in two words. Preconditions: rows is a multiple of 4, columns
  /// of 2; there are rows + columns − 1 diagonals; `out`, of 2 · rows words, overlaps nothing.
  void (*toeplitz)(std::size_t rows, std::size_t columns, const std::uint64_t* diagonals, const std::uint64_t* vector,
                   std::uint64_t* out) noexcept;

  /// Horner's rule over GF(2^64) = GF(2)[X] / (X^64 + X^4 + X^3 + X + 1): for each word, sum ← (sum + word) · point.
  std::uint64_t (*evaluate64)(std::uint64_t sum, std::uint64_t point, std::span<const std::uint64_t> words) noexcept;

  /// The same over GF(2^128) for each block of 16 bytes, least significant byte first. Precondition: blocks.size() is a
  /// multiple of 16.
  Wide (*evaluate128)(Wide sum, Wide point, Bytes blocks) noexcept;
};

/// The forms that this processor has, the fastest first; the last is the portable one.
std::span<const Carryless> carryless_forms() noexcept;

/// The fastest of them.
const Carryless& carryless() noexcept;

}  // namespace qsp::e91::hashing

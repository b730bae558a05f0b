#pragma once

#include "e91/link/detectors.hpp"

namespace qsp::e91 {

/// Draws one of 16 outcomes at the cost of one look-up (Walker 1977). Outcome k is drawn from column k, or taken over
/// by the column's other outcome.
class AliasTable {
 public:
  /// Draws nothing but 0.
  AliasTable() = default;
  /// Precondition: no weight is negative, and not all are zero. Only their proportions count.
  explicit AliasTable(const Patterns& weights) noexcept;

  /// Uses the word's 4 high bits and the 58 after them. The two low bits are left to the caller, for `bit_of`.
  [[nodiscard]] Pattern draw(std::uint64_t word) const noexcept {
    const std::uint64_t column = word >> 60;
    const std::uint64_t cell = cells_[column];
    const std::uint64_t height = (word >> 2) & ((std::uint64_t{1} << kHeightBits) - 1);
    return static_cast<Pattern>(height < cell >> 4 ? column : cell & 15);
  }

 private:
  static constexpr unsigned kHeightBits = 58;

  /// The height below which the column's own outcome is drawn, in units of 2^-58, and in the 4 low bits the other one.
  std::array<std::uint64_t, kPatterns> cells_{};
};

/// The bit that a station takes from its two detectors; `coin` in its lowest bit decides where both clicked.
inline bool bit_of(unsigned pattern, std::uint64_t coin) noexcept {
  return ((pattern >> 1) & (~pattern | static_cast<unsigned>(coin)) & 1) != 0;
}

}  // namespace qsp::e91

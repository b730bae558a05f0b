#pragma once

#include "e91/link/detectors.hpp"
#include "e91/random.hpp"

namespace qsp::e91::link {

/// Draws one of 16 outcomes at the cost of one look-up (Walker 1977). Outcome k is drawn from column k, or taken over
/// by the column's other outcome.
class AliasTable {
 public:
  /// Draws nothing but 0.
  AliasTable() = default;
  /// Precondition: no weight is negative, and not all are zero. Only their proportions count.
  explicit AliasTable(const Patterns& weights) noexcept;

  /// Uses the word's 4 high bits and the 26 after them. The two low bits are left to the caller, for `bit_of`. Where 26
  /// bits do not decide, which is once in 2^26 draws, 32 more come from `random`: so the outcome is as fine as one
  /// of 58.
  [[nodiscard]] Pattern draw(std::uint32_t word, RandomStream& random) const noexcept {
    const std::uint32_t column = word >> 28;
    const std::uint64_t cell = cells_[column];
    const std::uint64_t height = (word >> 2) & ((std::uint32_t{1} << kCoarseBits) - 1);
    const std::uint64_t coarse = cell >> (4 + kFineBits);
    bool own = height < coarse;
    if (height == coarse) [[unlikely]]
      own = random.next() >> (64 - kFineBits) < ((cell >> 4) & UINT32_MAX);
    // Which of the two it is, a branch predictor cannot know.
    const std::uint64_t other = cell & 15;
    return static_cast<Pattern>(other ^ ((other ^ column) & (0 - std::uint64_t{own})));
  }

 private:
  static constexpr unsigned kCoarseBits = 26;
  static constexpr unsigned kFineBits = 32;

  /// The height below which the column's own outcome is drawn, in units of 2^-58, and in the 4 low bits the other one.
  std::array<std::uint64_t, kPatterns> cells_{};
};

/// The bit that a station takes from its two detectors; `coin` in its lowest bit decides where both clicked.
constexpr bool bit_of(unsigned pattern, unsigned coin) noexcept {
  return ((pattern >> 1) & (~pattern | coin) & 1) != 0;
}

}  // namespace qsp::e91::link

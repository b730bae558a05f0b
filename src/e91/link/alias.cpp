#include "e91/link/alias.hpp"

#include <cmath>

namespace qsp::e91::link {

AliasTable::AliasTable(const Patterns& weights) noexcept {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  Patterns heights{};
  for (std::size_t i = 0; i < kPatterns; ++i) heights[i] = weights[i] / sum * kPatterns;

  std::array<std::size_t, kPatterns> other{};
  std::array<std::size_t, kPatterns> low{};
  std::array<std::size_t, kPatterns> high{};
  std::size_t lows = 0;
  std::size_t highs = 0;
  for (std::size_t i = 0; i < kPatterns; ++i) {
    other[i] = i;
    (heights[i] < 1 ? low[lows++] : high[highs++]) = i;
  }
  while (lows > 0 && highs > 0) {
    const std::size_t giver = high[highs - 1];
    const std::size_t taker = low[--lows];
    other[taker] = giver;
    heights[giver] -= 1 - heights[taker];
    if (heights[giver] < 1) {
      --highs;
      low[lows++] = giver;
    }
  }
  // A column that is left without a giver lacks no more than rounding took from it.
  for (std::size_t i = 0; i < kPatterns; ++i) {
    const double height = other[i] == i ? 1 : heights[i];
    cells_[i] = static_cast<std::uint64_t>(std::ldexp(height, kCoarseBits + kFineBits)) << 4 | other[i];
  }
}

}  // namespace qsp::e91::link

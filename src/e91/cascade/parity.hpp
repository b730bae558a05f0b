#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace qsp::e91::cascade {

/// The largest node that a syndrome is asked of, as the logarithm of its size: it lies within one word.
inline constexpr unsigned kMaxSyndromeLevel = 6;

/// Whether a word has an odd number of ones. Folded by hand: without a target's own instruction std::popcount is a
/// call. And to the last bit: the word is secret, and a constant shifted by what is left of it may become a look-up.
[[nodiscard]] constexpr bool odd(std::uint64_t word) noexcept {
  word ^= word >> 32;
  word ^= word >> 16;
  word ^= word >> 8;
  word ^= word >> 4;
  word ^= word >> 2;
  word ^= word >> 1;
  return (word & 1) != 0;
}

/// The lowest `count` bits. Precondition: count <= 64.
[[nodiscard]] constexpr std::uint64_t low_bits(std::size_t count) noexcept {
  return count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

/// The parity of bits begin..end. Precondition: they lie within the words.
[[nodiscard]] inline bool range_parity(std::span<const std::uint64_t> words, std::size_t begin,
                                       std::size_t end) noexcept {
  const std::size_t first = begin / 64;
  const std::size_t last = end / 64;
  std::uint64_t sum = 0;
  for (std::size_t i = first; i < last; ++i) sum ^= words[i];
  if (begin % 64 != 0) sum ^= words[first] & low_bits(begin % 64);
  if (end % 64 != 0) sum ^= words[last] & low_bits(end % 64);
  return odd(sum);
}

/// The Hamming syndrome of the node of 2^level bits at `begin`: bit b is the parity of those whose offset has bit b
/// set. Where just one bit of the node is wrong, the difference of two syndromes is its offset. Precondition: level <=
/// kMaxSyndromeLevel, begin is a multiple of 2^level.
[[nodiscard]] inline unsigned syndrome(std::span<const std::uint64_t> words, std::size_t begin,
                                       unsigned level) noexcept {
  constexpr std::array<std::uint64_t, kMaxSyndromeLevel> kOffsetBit{0xAAAAAAAAAAAAAAAA, 0xCCCCCCCCCCCCCCCC,
                                                                    0xF0F0F0F0F0F0F0F0, 0xFF00FF00FF00FF00,
                                                                    0xFFFF0000FFFF0000, 0xFFFFFFFF00000000};
  const std::uint64_t node = (words[begin / 64] >> (begin % 64)) & low_bits(std::size_t{1} << level);
  unsigned found = 0;
  for (unsigned b = 0; b < level; ++b) found |= (odd(node & kOffsetBit.at(b)) ? 1U : 0U) << b;
  return found;
}

}  // namespace qsp::e91::cascade

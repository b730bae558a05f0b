#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "e91/random.hpp"

namespace qsp::e91::cascade {

/// A public permutation of the places of a bit string whose length is a multiple of 4096.
///
/// Three random permutations of the words, the first two with a random rotation of each word, and after each of those
/// two a 64 × 64 transposition of every group of 64 words. Two bits meet in a block as often as by chance. It moves 64
/// bits at a time, so shuffling a key costs a fraction of what a gather of single bits would, and one place is found in
/// five look-ups.
class Shuffle {
 public:
  static constexpr std::size_t kGroupWords = 64;
  static constexpr std::size_t kMaxWords = std::size_t{1} << 16;

  /// Precondition: words is a multiple of kGroupWords, at most kMaxWords.
  Shuffle(RandomStream& stream, std::size_t words);

  /// Writes the shuffled `in` to `out`. Precondition: both have the words of the constructor.
  void apply(std::span<const std::uint64_t> in, std::span<std::uint64_t> out) const;

  /// Where bit `index` goes, and which bit came to `place`. Precondition: below 64 times the words.
  [[nodiscard]] std::uint32_t place(std::uint32_t index) const noexcept;
  [[nodiscard]] std::uint32_t index(std::uint32_t place) const noexcept;

 private:
  struct Stage {
    std::vector<std::uint16_t> to;    ///< where a word goes
    std::vector<std::uint16_t> from;  ///< its inverse
    std::vector<std::uint8_t> turn;   ///< how far the word is rotated on the way
  };

  std::array<Stage, 3> stages_;
};

}  // namespace qsp::e91::cascade

#pragma once

#include <cstddef>
#include <cstdint>

#include "e91/bits.hpp"
#include "e91/cascade/parity.hpp"

namespace qsp::e91::cascade {

/// Writes answers of a few bits each one behind the other. Precondition: they fit into the bits, which are zero.
class AnswerWriter {
 public:
  explicit AnswerWriter(Bits& bits) noexcept : words_(bits.writable_words()) {}
  /// Precondition: 1 <= count <= 32, value < 2^count.
  void put(std::uint64_t value, unsigned count) noexcept {
    const std::size_t word = next_ / 64;
    const std::size_t shift = next_ % 64;
    words_[word] |= value << shift;
    if (shift + count > 64) words_[word + 1] |= value >> (64 - shift);
    next_ += count;
  }

 private:
  std::span<std::uint64_t> words_;
  std::size_t next_ = 0;
};

/// Reads them again. Precondition: no more is read than the bits hold.
class AnswerReader {
 public:
  explicit AnswerReader(const Bits& bits) noexcept : words_(bits.words()) {}
  /// Precondition: 1 <= count <= 32.
  std::uint32_t take(unsigned count) noexcept {
    const std::size_t word = next_ / 64;
    const std::size_t shift = next_ % 64;
    std::uint64_t value = words_[word] >> shift;
    // NOLINTNEXTLINE(clang-analyzer-core.BitwiseShift): count <= 32, so shift is not 0 here
    if (shift + count > 64) value |= words_[word + 1] << (64 - shift);
    next_ += count;
    return static_cast<std::uint32_t>(value & low_bits(count));
  }

 private:
  std::span<const std::uint64_t> words_;
  std::size_t next_ = 0;
};

}  // namespace qsp::e91::cascade

#pragma once

#include <cstddef>
#include <cstdint>

#include "qsp/bytes.hpp"

/// Numbers that follow from a seed on any machine: for models, measurements and tests, never for secrets.
namespace qsp {

/// A bijection of 64-bit words: SplitMix64's finaliser (Steele, Lea and Flood, 2014).
constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30U)) * 0xbf58'476d'1ce4'e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d0'49bb'1331'11ebU;
  return x ^ (x >> 31U);
}

/// SplitMix64's step from one state to the next.
inline constexpr std::uint64_t kSplitMixStep = 0x9e37'79b9'7f4a'7c15U;

/// Fills `out` with the words that `next` returns, the least significant byte first; the last one may be cut.
constexpr void fill_from_words(MutableBytes out, auto&& next) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < out.size(); ++i, word >>= 8U) {
    if (i % 8 == 0) word = next();
    out[i] = static_cast<std::uint8_t>(word);
  }
}

class SplitMix64 {
 public:
  constexpr explicit SplitMix64(std::uint64_t state) noexcept : state_(state) {}

  constexpr std::uint64_t next() noexcept { return mix64(state_ += kSplitMixStep); }
  constexpr void fill(MutableBytes out) noexcept {
    fill_from_words(out, [this] { return next(); });
  }

 private:
  std::uint64_t state_;
};

}  // namespace qsp

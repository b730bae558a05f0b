#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "e91/bits.hpp"

namespace qsp::e91::hashing {

inline std::vector<std::uint64_t> draw_words(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 source(seed);
  std::vector<std::uint64_t> words(count);
  for (std::uint64_t& word : words) word = source();
  return words;
}

inline std::vector<std::uint8_t> draw_bytes(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 source(seed);
  std::vector<std::uint8_t> bytes(count);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(source());
  return bytes;
}

inline Bits draw_bits(std::size_t size, std::uint64_t seed) {
  return Bits::from_bytes(draw_bytes((size + 7) / 8, seed), size);
}

}  // namespace qsp::e91::hashing

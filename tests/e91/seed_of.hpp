#pragma once

#include <algorithm>
#include <cstdint>

#include "e91/random.hpp"

namespace qsp::e91 {

/// A seed of one byte over and over: for runs that repeat.
inline Seed seed_of(std::uint8_t byte) {
  Seed seed;
  std::ranges::fill(seed.writable(), byte);
  return seed;
}

}  // namespace qsp::e91

#pragma once

#include <cstdint>

/// Comparisons of secret characters that neither branch nor look anything up: the answer is a mask.
namespace qsp {

/// All ones where `low` <= `value` <= `high`, else zero; of values up to 255.
constexpr std::uint32_t within(std::uint32_t value, std::uint32_t low, std::uint32_t high) noexcept {
  return (((value - low) | (high - value)) >> 31) - 1;
}

/// All ones where the two are equal, else zero.
constexpr std::uint32_t same(char one, char other) noexcept {
  return within(static_cast<unsigned char>(one), static_cast<unsigned char>(other), static_cast<unsigned char>(other));
}

}  // namespace qsp

#include "keysource/crc64.hpp"

#include <array>
#include <cstddef>

// Keys pass through here, so no table is looked up at a place that depends on their bits.

namespace qsp::keysource {
namespace {

constexpr std::uint64_t kPolynomial = 0xC96C5795D7870F42;

/// What each bit of a byte, the lowest first, comes to eight steps later. What a byte comes to is the sum of its bits'.
constexpr std::array<std::uint64_t, 8> kBits = [] {
  std::array<std::uint64_t, 8> bits{};
  for (std::size_t i = 0; i < bits.size(); ++i) {
    std::uint64_t value = std::uint64_t{1} << i;
    for (int step = 0; step < 8; ++step) value = (value & 1U) != 0 ? value >> 1U ^ kPolynomial : value >> 1U;
    bits[i] = value;
  }
  return bits;
}();

}  // namespace

std::uint64_t crc64(Bytes bytes, std::uint64_t start) noexcept {
  std::uint64_t crc = ~start;
  for (const std::uint8_t byte : bytes) {
    const std::uint64_t low = crc ^ byte;
    crc >>= 8U;
    for (std::size_t i = 0; i < kBits.size(); ++i) crc ^= kBits[i] & -(low >> i & 1U);
  }
  return ~crc;
}

}  // namespace qsp::keysource

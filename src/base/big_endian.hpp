#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "qsp/bytes.hpp"

/// Whole numbers as bytes, the most significant first, as every format here has them.
namespace qsp {

/// The low out.size() bytes of a value. Precondition: out.size() <= 8.
constexpr void store_big_endian(std::uint64_t value, MutableBytes out) noexcept {
  for (std::size_t i = out.size(); i-- > 0; value >>= 8U) out[i] = static_cast<std::uint8_t>(value);
}

/// A value whose bytes stand in memory with the most significant first, or such a value as it is.
constexpr std::uint64_t swap_to_big_endian(std::uint64_t value) noexcept {
  return std::endian::native == std::endian::little ? std::byteswap(value) : value;
}

/// The low `Size` bytes of a value. Every frame has some, and no compiler sees through a loop over bytes.
template <std::size_t Size>
constexpr std::array<std::uint8_t, Size> big_endian(std::uint64_t value) noexcept {
  static_assert(Size > 0 && Size <= 8);
  const auto bytes = std::bit_cast<std::array<std::uint8_t, 8>>(swap_to_big_endian(value << (8 * (8 - Size))));
  std::array<std::uint8_t, Size> low;
  std::copy_n(bytes.begin(), Size, low.begin());
  return low;
}

/// The value of `Size` bytes.
template <std::size_t Size>
constexpr std::uint64_t load_big_endian(std::span<const std::uint8_t, Size> bytes) noexcept {
  static_assert(Size > 0 && Size <= 8);
  std::array<std::uint8_t, 8> padded{};
  std::copy_n(bytes.begin(), Size, padded.begin());
  return swap_to_big_endian(std::bit_cast<std::uint64_t>(padded)) >> (8 * (8 - Size));
}

/// Appends the low `size` bytes of a value to a vector of bytes. Precondition: size <= 8.
constexpr void append_big_endian(auto& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

/// The value of at most 8 bytes; of more, that of the last 8.
constexpr std::uint64_t load_big_endian(Bytes bytes) noexcept {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8U | byte;
  return value;
}

}  // namespace qsp

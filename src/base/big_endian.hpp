#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "qsp/bytes.hpp"

/// Whole numbers as bytes, the most significant first, as every format here has them.
namespace qsp {

/// The low out.size() bytes of a value. Precondition: out.size() <= 8.
constexpr void store_big_endian(std::uint64_t value, MutableBytes out) noexcept {
  for (std::size_t i = out.size(); i-- > 0; value >>= 8U) out[i] = static_cast<std::uint8_t>(value);
}

/// The low `Size` bytes of a value.
template <std::size_t Size>
constexpr std::array<std::uint8_t, Size> big_endian(std::uint64_t value) noexcept {
  static_assert(Size <= 8);
  std::array<std::uint8_t, Size> bytes{};
  for (std::size_t i = 0; i < Size; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * (Size - 1 - i)));
  return bytes;
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

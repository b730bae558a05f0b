#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "qsp/bytes.hpp"

/// Whole numbers with seven bits to a byte, the low ones first (LEB128): the highest bit of a byte says that more
/// follow.
namespace qsp::e91 {

inline void put_varint(std::vector<std::uint8_t>& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

/// Takes the next number off the front of `bytes`, or nothing where it is cut, over 63 bits or longer than it need be.
inline std::optional<std::uint64_t> take_varint(Bytes& bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 9; ++i) {
    const std::uint8_t byte = bytes[i];
    value |= static_cast<std::uint64_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) != 0) continue;
    if (byte == 0 && i > 0) return std::nullopt;
    bytes = bytes.subspan(i + 1);
    return value;
  }
  return std::nullopt;
}

}  // namespace qsp::e91

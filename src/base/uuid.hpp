#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "qsp/bytes.hpp"

namespace qsp {

/// RFC 9562. Key IDs are compared as these, not as text: the case of hex digits says nothing.
using Uuid = std::array<std::uint8_t, 16>;

/// Exactly 36 characters, 8-4-4-4-12 hex digits of either case.
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text) noexcept;

/// True where parse_uuid reads it.
[[nodiscard]] bool is_uuid(std::string_view text) noexcept;
/// True if both are UUIDs of the same value, whatever the case of their digits.
[[nodiscard]] bool same_uuid(std::string_view a, std::string_view b) noexcept;

/// In lower case.
std::string uuid_text(const Uuid& uuid);

/// A UUID out of bits that are random (`version` 4, RFC 9562 §5.4) or its maker's own (8, §5.8): all but the six bits
/// of version and variant stay.
constexpr Uuid uuid_of(Uuid bits, unsigned version) noexcept {
  bits[6] = static_cast<std::uint8_t>((bits[6] & 0x0FU) | version << 4U);
  bits[8] = static_cast<std::uint8_t>((bits[8] & 0x3FU) | 0x80U);
  return bits;
}

}  // namespace qsp

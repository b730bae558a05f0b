#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qsp::keysource {

/// RFC 9562. Key IDs are compared as these, not as text: the case of hex digits says nothing.
using Uuid = std::array<std::uint8_t, 16>;

/// Exactly 36 characters, 8-4-4-4-12 hex digits of either case.
std::optional<Uuid> parse_uuid(std::string_view text) noexcept;

/// In lower case.
std::string to_text(const Uuid& uuid);

}  // namespace qsp::keysource

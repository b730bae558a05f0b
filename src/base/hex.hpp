#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qsp/bytes.hpp"

/// Bytes as hexadecimal digits. Time, branches and addresses depend on lengths alone, so secrets may pass through.
namespace qsp {

/// Appends two lower-case digits for each byte. A text that has reserved the room is not moved.
void append_hex(std::string& text, Bytes bytes);

/// Two lower-case digits for each byte.
std::string to_hex(Bytes bytes);

/// Fills `out` from exactly two digits for each byte, of either case. False where the text is anything else; `out` is
/// then all zeros.
[[nodiscard]] bool from_hex(std::string_view text, MutableBytes out) noexcept;

/// The bytes that an even number of digits stands for; nothing where the text is anything else. The vector is not
/// wiped: not for secrets.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

}  // namespace qsp

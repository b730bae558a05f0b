#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "qsp/bytes.hpp"

/// Base64 with padding (RFC 4648 §4). Keys pass through here, so no table is looked up at, and no branch taken on, a
/// place that depends on their bits.
namespace qsp {

/// How long the text of so many bytes is.
constexpr std::size_t base64_size(std::size_t bytes) noexcept { return (bytes + 2) / 3 * 4; }

/// Writes the text of `bytes`. Precondition: `text` has base64_size(bytes.size()) characters.
void to_base64(Bytes bytes, std::span<char> text) noexcept;

/// Bytes that canonical base64 `text` stands for: their number, or nothing where it is not exact (alphabet, padding,
/// stray bits) or more than `out` has room for. On failure `out` is wiped.
std::optional<std::size_t> from_base64(std::string_view text, MutableBytes out) noexcept;

}  // namespace qsp

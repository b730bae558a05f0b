#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "qsp/bytes.hpp"

/// Base64 (RFC 4648 §4), with padding. Time, branches and addresses depend on lengths alone, and on whether a text is
/// Base64, so secrets may pass through.
namespace qsp {

/// The characters that so many bytes take.
[[nodiscard]] constexpr std::size_t base64_size(std::size_t bytes) noexcept { return (bytes + 2) / 3 * 4; }

/// Precondition: out.size() == base64_size(bytes.size()).
void to_base64(Bytes bytes, std::span<char> out) noexcept;

/// Bytes that canonical Base64 `text` stands for: their number, or nothing where it is not exact (alphabet, padding,
/// stray bits) or more than `out` has room for. On failure `out` is wiped.
[[nodiscard]] std::optional<std::size_t> from_base64(std::string_view text, MutableBytes out) noexcept;

}  // namespace qsp

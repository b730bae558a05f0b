#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace qsp {

/// A view of bytes that somebody else owns. It lives as long as its owner says, never longer than the call unless
/// documented.
using Bytes = std::span<const std::uint8_t>;

/// A view of bytes that the callee may overwrite.
using MutableBytes = std::span<std::uint8_t>;

/// The bytes of a string, without a terminator.
inline Bytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Bytes seen as text. Whether they are valid UTF-8 is not checked.
inline std::string_view as_text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace qsp

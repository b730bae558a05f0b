#pragma once

#include <cstdint>

#include "base/declassified.hpp"
#include "base/masks.hpp"

namespace qsp::crypto {

/// What a character of PEM text is to its layout.
enum class Mark : std::uint32_t { None = 0, Return = 1, LineFeed = 2, White = 4, Foreign = 8 };

/// Public: of a private key's text it tells the layout alone, which is that of every such text, and of no character of
/// Base64 which one it is.
inline Mark mark_of(char c) noexcept {
  const std::uint32_t white = same(c, ' ') | same(c, '\t') | same(c, '\v') | same(c, '\f');
  const std::uint32_t foreign = within(static_cast<unsigned char>(c), 0x80, 0xFF);
  return Mark{declassified((same(c, '\r') & 1) | (same(c, '\n') & 2) | (white & 4) | (foreign & 8))};
}

constexpr bool ends_line(Mark mark) noexcept { return mark == Mark::Return || mark == Mark::LineFeed; }

}  // namespace qsp::crypto

#include "base/base64.hpp"

#include <algorithm>
#include <cstdint>

#include "base/declassified.hpp"
#include "base/masks.hpp"
#include "qsp/secret.hpp"

namespace qsp {
namespace {

constexpr char character(std::uint32_t sextet) noexcept {
  const std::uint32_t code = (within(sextet, 0, 25) & (sextet + 'A')) | (within(sextet, 26, 51) & (sextet - 26 + 'a')) |
                             (within(sextet, 52, 61) & (sextet - 52 + '0')) | (within(sextet, 62, 62) & '+') |
                             (within(sextet, 63, 63) & '/');
  return static_cast<char>(code);
}

/// A character's six bits; above 63 if it is not in the alphabet.
constexpr std::uint32_t sextet(char character) noexcept {
  const std::uint32_t code = static_cast<unsigned char>(character);
  const std::uint32_t upper = within(code, 'A', 'Z'), lower = within(code, 'a', 'z'), digit = within(code, '0', '9');
  const std::uint32_t plus = within(code, '+', '+'), slash = within(code, '/', '/');
  return (upper & (code - 'A')) | (lower & (code - 'a' + 26)) | (digit & (code - '0' + 52)) | (plus & 62) |
         (slash & 63) | (~(upper | lower | digit | plus | slash) & 64);
}

/// How many characters of padding end a text. Public: it follows from the number of bytes.
std::size_t padding_of(std::string_view text) noexcept {
  if (text.size() < 2) return 0;
  const std::uint32_t last = same(text[text.size() - 1], '=');
  const std::uint32_t both = last & same(text[text.size() - 2], '=');
  return declassified((last & 1) + (both & 1));
}

}  // namespace

void to_base64(Bytes bytes, std::span<char> out) noexcept {
  for (std::size_t from = 0, to = 0; from < bytes.size(); from += 3, to += 4) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - from);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (i < count ? bytes[from + i] : 0U);
    for (std::size_t i = 0; i < 4; ++i) out[to + i] = i <= count ? character(group >> (18 - 6 * i) & 63) : '=';
  }
}

std::optional<std::size_t> from_base64(std::string_view text, MutableBytes out) noexcept {
  const auto refused = [&out]() -> std::optional<std::size_t> {
    wipe(out);
    return std::nullopt;
  };
  if (text.size() % 4 != 0) return refused();
  const std::size_t size = text.size() / 4 * 3 - padding_of(text);
  if (size > out.size()) return refused();

  std::uint32_t wrong = 0;
  for (std::size_t from = 0, to = 0; from < text.size(); from += 4, to += 3) {
    const std::size_t count = std::min<std::size_t>(3, size - to);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::uint32_t bits = i <= count ? sextet(text[from + i]) : 0;
      wrong |= bits & 64;
      group = group << 6 | (bits & 63);
    }
    for (std::size_t i = 0; i < count; ++i) out[to + i] = static_cast<std::uint8_t>(group >> (16 - 8 * i));
    wrong |= count < 3 ? group & (0xffffffU >> (8 * count)) : 0;
  }
  // Public: what is refused is nobody's key.
  return declassified(wrong) == 0 ? std::optional(size) : refused();
}

}  // namespace qsp

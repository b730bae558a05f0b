#include "base/hex.hpp"

#include <cstddef>

#include "base/declassified.hpp"
#include "qsp/secret.hpp"

namespace qsp {
namespace {

/// Set where a character is no digit.
constexpr unsigned kNoDigit = 0x100;

/// 9 < nibble gives 'a' − '0' − 10 = 39 more.
constexpr char digit_of(unsigned nibble) noexcept {
  return static_cast<char>('0' + nibble + (((9U - nibble) >> 8U) & 39U));
}

/// The value of a digit, or kNoDigit. A difference below zero fills the upper bits, which become a mask.
constexpr unsigned value_of(char digit) noexcept {
  const unsigned code = static_cast<unsigned char>(digit);
  const unsigned number = code ^ unsigned { '0' };                           // 0…9 for those digits alone
  const unsigned letter = ((code & 0xDFU) - (unsigned{'A'} - 10U)) & 0xFFU;  // 10…15 for a…f and A…F alone
  const unsigned is_number = (number - 10U) >> 8U;                           // all ones or zero
  const unsigned is_letter = ((letter - 10U) ^ (letter - 16U)) >> 8U;        // all ones or zero
  const unsigned is_neither = ((is_number | is_letter) & 1U) ^ 1U;
  return (number & is_number) | (letter & is_letter) | is_neither * kNoDigit;
}

}  // namespace

void append_hex(std::string& text, Bytes bytes) {
  text.reserve(text.size() + 2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text += digit_of(byte >> 4U);
    text += digit_of(byte & 15U);
  }
}

std::string to_hex(Bytes bytes) {
  std::string text;
  append_hex(text, bytes);
  return text;
}

bool from_hex(std::string_view text, MutableBytes out) noexcept {
  unsigned seen = text.size() == 2 * out.size() ? 0 : kNoDigit;
  for (std::size_t i = 0; i < out.size() && 2 * i + 1 < text.size(); ++i) {
    const unsigned high = value_of(text[2 * i]);
    const unsigned low = value_of(text[2 * i + 1]);
    seen |= high | low;
    out[i] = static_cast<std::uint8_t>((high << 4U) | low);
  }
  // Public: what is refused is nobody's key.
  if (declassified(seen & kNoDigit) == 0) return true;
  wipe(out);
  return false;
}

std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes(text.size() / 2);
  if (!from_hex(text, bytes)) return std::nullopt;
  return bytes;
}

}  // namespace qsp

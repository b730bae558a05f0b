#include "base/uuid.hpp"

#include <cstddef>

#include "base/hex.hpp"

namespace qsp {
namespace {

constexpr std::size_t kTextSize = 36;

constexpr bool is_dash(std::size_t position) noexcept {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

}  // namespace

std::optional<Uuid> parse_uuid(std::string_view text) noexcept {
  if (text.size() != kTextSize) return std::nullopt;
  std::array<char, 32> digits{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < kTextSize; ++i) {
    if (!is_dash(i)) {
      digits[count++] = text[i];
    } else if (text[i] != '-') {
      return std::nullopt;
    }
  }
  Uuid uuid{};
  if (!from_hex({digits.data(), digits.size()}, uuid)) return std::nullopt;
  return uuid;
}

bool is_uuid(std::string_view text) noexcept { return parse_uuid(text).has_value(); }

bool same_uuid(std::string_view a, std::string_view b) noexcept {
  const std::optional<Uuid> first = parse_uuid(a);
  return first && first == parse_uuid(b);
}

std::string uuid_text(const Uuid& uuid) {
  std::string text;
  text.reserve(kTextSize);
  for (const std::uint8_t& byte : uuid) {
    if (is_dash(text.size())) text += '-';
    append_hex(text, {&byte, 1});
  }
  return text;
}

}  // namespace qsp

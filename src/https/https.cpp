#include "https/https.hpp"

#include <optional>
#include <utility>

namespace qsp::https {
namespace {

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

/// RFC 3986 §2.1. A '+' is a plus: only HTML forms make it a space.
std::optional<std::string> unescape(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const std::optional<unsigned> high = hex_value(text[i + 1]);
      const std::optional<unsigned> low = hex_value(text[i + 2]);
      if (!high || !low) return std::nullopt;
      c = static_cast<char>(*high << 4 | *low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    plain.push_back(c);
  }
  return plain;
}

/// Calls `take` with each piece of `text` between separators, until one is refused.
template <class Take>
bool split(std::string_view text, char separator, Take take) {
  for (;;) {
    const std::size_t at = text.find(separator);
    if (!take(text.substr(0, at))) return false;
    if (at == std::string_view::npos) return true;
    text.remove_prefix(at + 1);
  }
}

}  // namespace

std::optional<Target> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return std::nullopt;
  Target parsed;
  const std::size_t question = target.find('?');
  const bool path_is_good = split(target.substr(1, question == std::string_view::npos ? question : question - 1), '/',
                                  [&](std::string_view segment) {
                                    std::optional<std::string> plain = unescape(segment);
                                    if (plain) parsed.path.push_back(std::move(*plain));
                                    return plain.has_value();
                                  });
  if (!path_is_good) return std::nullopt;
  if (question == std::string_view::npos || question + 1 == target.size()) return parsed;
  const bool query_is_good = split(target.substr(question + 1), '&', [&](std::string_view field) {
    const std::size_t equals = field.find('=');
    std::optional<std::string> name = unescape(field.substr(0, equals));
    std::optional<std::string> value =
        unescape(equals == std::string_view::npos ? std::string_view() : field.substr(equals + 1));
    if (name && value) parsed.query.emplace_back(std::move(*name), std::move(*value));
    return name && value;
  });
  if (!query_is_good) return std::nullopt;
  return parsed;
}

}  // namespace qsp::https

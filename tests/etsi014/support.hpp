#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "etsi014/etsi014.hpp"

namespace qsp::etsi014 {

/// The error, or "accepted".
template <class T>
std::string refusal(const Parsed<T>& parsed) {
  return parsed ? "accepted" : parsed.error();
}

/// `text` with the first `what` replaced.
inline std::string with(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  if (at == std::string::npos) return "the test's text lacks what it replaces";
  return text.replace(at, what.size(), by);
}

/// "[ITEM,ITEM,…]".
inline std::string list_of(std::size_t count, std::string_view item) {
  std::string list = "[";
  for (std::size_t i = 0; i < count; ++i) list.append(i == 0 ? "" : ",").append(item);
  return list + ']';
}

template <class T>
std::string text_of(const T& message) {
  return std::string(to_json(message).reveal_text());
}

}  // namespace qsp::etsi014

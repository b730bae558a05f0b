#include "cli/close_text.hpp"

#include <fmt/format.h>

#include <string_view>

#include "text/escape.hpp"

namespace qsp::cli {

std::string close_text(const Closed& closed) {
  constexpr std::string_view kHere = "this end";
  constexpr std::string_view kThere = "the other end";
  std::string text = text::terminal_escape(closed.text);
  if (closed.by_peer) {
    for (std::size_t at = text.find(kHere); at != std::string::npos; at = text.find(kHere, at + kThere.size())) {
      text.replace(at, kHere.size(), kThere);
    }
  }
  return text.empty() ? std::string(name(closed.reason)) : fmt::format("{}: {}", name(closed.reason), text);
}

}  // namespace qsp::cli

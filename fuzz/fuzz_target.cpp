// The target of an HTTP request, as text.

#include <cstdint>
#include <string>
#include <string_view>

#include "check.hpp"
#include "https/https.hpp"
#include "text/escape.hpp"

namespace {

using namespace qsp;
using fuzz::check;

/// The target that says the same with nothing escaped that need not be.
std::string rebuilt(const https::Target& target) {
  std::string text;
  for (const std::string& segment : target.path) text.append("/").append(text::url_escape(segment));
  char separator = '?';
  for (const auto& [name, value] : target.query) {
    text.append(1, separator).append(text::url_escape(name)).append("=").append(text::url_escape(value));
    separator = '&';
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto target = https::parse_target(text);
  if (!target) return 0;
  check(text.starts_with('/'), "a target that does not begin with a slash");
  check(!target->path.empty(), "a path without segments");
  for (const std::string& segment : target->path) {
    check(segment.find('\0') == std::string::npos, "a NUL in the path");
    check(segment.size() <= text.size(), "a segment that grew");
  }
  for (const auto& [name, value] : target->query) {
    check(name.find('\0') == std::string::npos && value.find('\0') == std::string::npos, "a NUL in the query");
  }
  const auto again = https::parse_target(rebuilt(*target));
  check(again && again->path == target->path && again->query == target->query, "another target when written again");
  return 0;
}

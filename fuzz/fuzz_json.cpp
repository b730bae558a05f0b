// The strict reader of JSON that may hold keys, and base64. First byte: the depth allowed, or base64; the rest: the
// text.

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <vector>

#include "base/base64.hpp"
#include "check.hpp"
#include "json/json.hpp"

namespace {

using namespace qsp;
using fuzz::check;

void try_base64(std::string_view text) {
  std::vector<std::uint8_t> out(text.size());
  const auto size = from_base64(text, out);
  check(size || std::ranges::all_of(out, [](std::uint8_t byte) { return byte == 0; }), "refused and not wiped");
  if (!size) return;
  const auto again = json::to_base64(Bytes(out).first(*size));
  check(std::string_view(again) == text, "base64 that is not canonical was accepted");
}

/// Boost reads and writes these approximately.
bool has_double(const boost::json::value& value) {
  if (const auto* const list = value.if_array()) return std::ranges::any_of(*list, has_double);
  if (const auto* const object = value.if_object()) {
    return std::ranges::any_of(*object, [](const auto& member) { return has_double(member.value()); });
  }
  return value.is_double();
}

void try_json(std::string_view text, std::size_t depth) {
  const auto value = json::parse(text, depth);
  if (!value) return check(!value.error().empty(), "an error without a text");
  const auto written = json::serialize(*value);
  const auto again = json::parse(written.reveal_text(), depth);
  check(again.has_value(), "what was written cannot be read");
  check(has_double(*value) || *again == *value, "it reads as something else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = as_text(Bytes(data + 1, size - 1));
  if (data[0] == 'b') {
    try_base64(text);
  } else {
    try_json(text, data[0] % 20U);
  }
  return 0;
}

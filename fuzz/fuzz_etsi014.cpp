// The readers of ETSI GS QKD 014's messages. First byte: which; the rest: the text.

#include <algorithm>

#include "check.hpp"
#include "etsi014/etsi014.hpp"

namespace {

using namespace qsp;
using namespace qsp::etsi014;
using fuzz::check;

/// What was read writes as a text that reads and writes the same.
template <class T>
void try_reader(Parsed<T> (*read)(std::string_view), std::string_view text) {
  const auto first = read(text);
  if (!first) {
    check(!first.error().empty() && first.error().size() < 200, "an error without a text, or with too much");
    return;
  }
  const auto written = to_json(*first);
  const auto second = read(written.reveal_text());
  check(second.has_value(), "what was written cannot be read");
  check(to_json(*second).reveal_text() == written.reveal_text(), "it reads as something else");
}

void check_bounds(std::string_view text) {
  const auto container = parse_key_container(text);
  if (!container) return;
  check(container->keys.size() <= kMaxKeysPerMessage, "too many keys");
  check(std::ranges::all_of(container->keys,
                            [](const Key& key) { return key.key.size() > 0 && key.key_id.size() <= kMaxTextSize; }),
        "a key without bytes, or with too long an ID");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = as_text(Bytes(data + 1, size - 1));
  switch (data[0] % 5) {
    case 0:
      try_reader(parse_status, text);
      break;
    case 1:
      try_reader(parse_key_request, text);
      break;
    case 2:
      try_reader(parse_key_container, text), check_bounds(text);
      break;
    case 3:
      try_reader(parse_key_ids, text);
      break;
    default:
      try_reader(parse_error, text);
      break;
  }
  return 0;
}

// What a KME reads from the KME at the other end of its link: the first byte says which message it is.
#include <cstddef>
#include <cstdint>

#include "check.hpp"
#include "kme/link/messages.hpp"
#include "qsp/bytes.hpp"

namespace {

/// What was read is written and read again: nothing may change on the way.
template <class Parse, class Write>
void round_trip(std::string_view text, Parse parse, Write write) {
  const auto message = parse(text);
  if (!message) return;
  const auto written = write(*message);
  const auto again = parse(written.reveal_text());
  qsp::fuzz::check(again.has_value(), "what was written cannot be read");
  qsp::fuzz::check(write(*again).reveal_text() == written.reveal_text(), "it reads as something else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace kme = qsp::kme;
  if (size == 0) return 0;
  const std::string_view text = qsp::as_text({data + 1, size - 1});
  const auto write = [](const auto& message) { return kme::link::to_json(message); };
  if (data[0] % 3 == 0) {
    round_trip(text, kme::link::parse_ids, write);
  } else if (data[0] % 3 == 1) {
    round_trip(text, kme::link::parse_grants, write);
  } else {
    const auto parse = [](std::string_view json) { return kme::link::parse_keys(json, 'b'); };
    round_trip(text, parse, [](const kme::link::KeysMessage& message) { return kme::link::to_json(message, 'b'); });
  }
  return 0;
}

// The parsers of REKEY and CLOSE plaintexts. First byte: which one; the rest: the plaintext.

#include <algorithm>
#include <vector>

#include "base/uuid.hpp"
#include "check.hpp"
#include "wire/handshake.hpp"
#include "wire/rekey.hpp"

namespace {

using namespace qsp;
using fuzz::check;

/// There is one way to write a message: what was read encodes to the bytes that were read.
template <class T>
bool canonical(const T& message, Bytes plaintext) {
  std::vector<std::uint8_t> again(plaintext.size() + 8);
  again.resize(encode(message, again));
  return std::ranges::equal(again, plaintext);
}

void rekey(Bytes plaintext) {
  const auto message = wire::parse_rekey(plaintext);
  if (!message) return;
  check(std::visit([&](const auto& parsed) { return canonical(parsed, plaintext); }, *message), "two ways to write it");
  if (const auto* init = std::get_if<wire::RekeyInit>(&*message)) {
    check(init->key_id.empty() || is_uuid(init->key_id), "a key_ID that is no UUID");
  }
  if (const auto* nak = std::get_if<wire::RekeyNak>(&*message)) {
    check(nak->reason == Reason::QkdUnavailable, "a NAK for another reason");
  }
}

void close(Bytes plaintext) {
  const auto message = wire::parse_close(plaintext);
  if (!message) return;
  check(message->text.size() <= wire::kMaxCloseText, "a text beyond its bound");
  check(name(message->reason) != "UNKNOWN", "a reason that no CLOSE has");
  check(canonical(*message, plaintext), "two ways to write it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes plaintext(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    rekey(plaintext);
  } else {
    close(plaintext);
  }
  return 0;
}

// Every parser of a handshake message. First byte: which one; the rest: the message.

#include <algorithm>
#include <vector>

#include "base/uuid.hpp"
#include "check.hpp"
#include "wire/handshake.hpp"

namespace {

using namespace qsp;
using fuzz::check;

bool within(Bytes whole, Bytes part) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

template <class List>
void check_list(const List& list) {
  check(list.size() >= 1 && list.size() <= wire::kMaxListItems, "a list out of bounds");
}

void client_hello(Bytes message) {
  const auto hello = wire::parse_client_hello(message);
  if (!hello) return;
  check_list(hello->versions);
  check_list(hello->shares);
  check_list(hello->signatures);
  check_list(hello->aeads);
  check(hello->qkd_offer <= 2, "qkd_offer");
  for (const wire::KemShare& share : hello->shares) check(within(message, share.public_key), "a share elsewhere");
  for (const Bytes name : hello->applications) check(!name.empty() && within(message, name), "a name elsewhere");
  // Unknown extensions are not kept; everything else is.
  const auto encoded = encode(*hello);
  const auto again = wire::parse_client_hello(encoded);
  check(again && encode(*again) == encoded, "reads back as something else");
}

void server_hello(Bytes message) {
  const auto hello = wire::parse_server_hello(message);
  if (!hello) return;
  check(hello->qkd_mode <= 1, "qkd_mode");
  check(within(message, hello->kem_ciphertext), "a ciphertext elsewhere");
  const auto encoded = encode(*hello);
  const auto again = wire::parse_server_hello(encoded);
  check(again && encode(*again) == encoded, "reads back as something else");
}

void server_auth(Bytes message, bool qkd) {
  const auto auth = wire::parse_server_auth(message, qkd);
  if (!auth) return;
  check_list(auth->signatures);
  check(qkd != auth->sae_id.empty(), "an SAE ID in the wrong mode");
  check(auth->signed_part.data() == message.data(), "a signed part elsewhere");
  check(auth->signed_part.size() + 2 + auth->signature.size() == message.size(), "a signed part of another size");
}

void client_auth(Bytes message, bool qkd) {
  const auto auth = wire::parse_client_auth(message, qkd);
  if (!auth) return;
  check(qkd != auth->sae_id.empty() && qkd == is_uuid(auth->key_id), "QKD fields in the wrong mode");
  check(auth->up_to_confirm.size() + auth->confirm.size() == message.size(), "a confirm elsewhere");
  check(auth->signed_part.size() + 2 + auth->signature.size() == auth->up_to_confirm.size(), "a signed part");
}

void server_finish(Bytes message) {
  const auto finish = wire::parse_server_finish(message);
  if (finish) check(finish->up_to_confirm.size() + finish->confirm.size() == message.size(), "a confirm elsewhere");
}

void alert(Bytes message) {
  const auto parsed = wire::parse_alert(message);
  if (!parsed) return;
  check(parsed->reason != Reason::Normal && name(parsed->reason) != "UNKNOWN", "a reason that no ALERT has");
  check(parsed->text.size() <= wire::kMaxCloseText, "a text beyond its bound");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes message(data + 1, size - 1);
  static_cast<void>(wire::message_type(message));
  switch (data[0] % 8) {
    case 0:
      client_hello(message);
      break;
    case 1:
      server_hello(message);
      break;
    case 2:
    case 3:
      server_auth(message, data[0] % 8 == 3);
      break;
    case 4:
    case 5:
      client_auth(message, data[0] % 8 == 5);
      break;
    case 6:
      server_finish(message);
      break;
    default:
      alert(message);
  }
  return 0;
}

#include "wire/handshake.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/big_endian.hpp"
#include "base/uuid.hpp"
#include "wire/cursor.hpp"

namespace qsp::wire {
namespace {

constexpr std::string_view kHandshakeMagic = "QSP1";
constexpr std::uint16_t kExtensionApplications = 1;
constexpr std::size_t kAny = 0xffff;

std::unexpected<Error> malformed(std::string_view where) noexcept {
  return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, where);
}

/// A reader behind the header of a message of the wanted type.
Reader body_of(Bytes message, MessageType type) noexcept {
  Reader reader(message);
  if (reader.u8() != std::to_underlying(type)) reader.fail();
  if (reader.u24() != reader.remaining()) reader.fail();
  return reader;
}

template <std::size_t N>
std::array<std::uint8_t, N> array_of(Reader& reader) noexcept {
  std::array<std::uint8_t, N> result{};
  std::ranges::copy(reader.bytes(N), result.begin());
  return result;
}

/// `u8 count ‖ items`, 1…8 of them, no repeats.
template <class T, class ReadItem, class Same>
List<T> list_of(Reader& reader, ReadItem read_item, Same same) noexcept {
  List<T> list;
  const std::size_t count = reader.u8();
  if (count < 1 || count > kMaxListItems) reader.fail();
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    const T item = read_item(reader);
    if (std::ranges::any_of(list, [&](const T& other) { return same(item, other); })) reader.fail();
    list.push_back(item);
  }
  return list;
}

CodeList codes(Reader& reader) noexcept {
  return list_of<std::uint16_t>(reader, [](Reader& r) { return r.u16(); }, std::equal_to<>{});
}

NameList names(Reader& reader) noexcept {
  return list_of<Bytes>(
      reader, [](Reader& r) { return r.lp8(1, kMaxName); }, [](Bytes a, Bytes b) { return std::ranges::equal(a, b); });
}

/// Reads the extensions block and returns the data of extension 1, if it is there.
std::optional<Bytes> applications_extension(Reader& reader) noexcept {
  std::optional<Bytes> found;
  Reader block(reader.lp16(0, kAny));
  std::optional<std::uint16_t> previous;
  while (block.ok() && block.remaining() > 0) {
    const std::uint16_t type = block.u16();
    const Bytes data = block.lp16(0, kAny);
    if (previous && type <= *previous) block.fail();
    previous = type;
    if (type == kExtensionApplications) found = data;
  }
  if (!block.finished()) reader.fail();
  return found;
}

/// An extensions block in a message that defines none: extension 1 is misplaced there.
void no_known_extension(Reader& reader) noexcept {
  if (applications_extension(reader)) reader.fail();
}

/// Of `confirm`, with which CLIENT_AUTH ends, behind its signature, and SERVER_FINISH (SPEC §5.1).
constexpr std::size_t kConfirmSize = 32;

/// Grows with its content; the length field is set by `finish`.
class MessageBuilder {
 public:
  explicit MessageBuilder(MessageType type) : bytes_{std::to_underlying(type), 0, 0, 0} {}

  void integer(std::uint64_t value, std::size_t size) { append_big_endian(bytes_, value, size); }
  void append(Bytes value) { bytes_.insert(bytes_.end(), value.begin(), value.end()); }
  void lp8(Bytes value) {
    integer(value.size(), 1);
    append(value);
  }
  void lp16(Bytes value) {
    integer(value.size(), 2);
    append(value);
  }
  void list(const CodeList& codes) {
    integer(codes.size(), 1);
    for (const std::uint16_t code : codes) integer(code, 2);
  }
  /// An extensions block with extension 1, or an empty one.
  void applications(Bytes data) {
    if (data.empty()) return integer(0, 2);
    integer(4 + data.size(), 2);
    integer(kExtensionApplications, 2);
    lp16(data);
  }
  /// The message, whose length counts `more` bytes that the caller appends.
  std::vector<std::uint8_t> finish(std::size_t more = 0) && {
    const std::size_t length = bytes_.size() - kMessageHeaderSize + more;
    Writer(MutableBytes(bytes_).subspan(1, 3)).u24(static_cast<std::uint32_t>(length));
    return std::move(bytes_);
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// The bytes from the start of `message` to what `reader` has not read yet.
Bytes read_so_far(Bytes message, const Reader& reader) noexcept {
  return message.first(message.size() - std::min(message.size(), reader.remaining()));
}

}  // namespace

std::string_view cut_text(std::string_view text) noexcept {
  if (text.size() <= kMaxCloseText) return text;
  std::size_t end = kMaxCloseText;
  // 10xxxxxx continues a UTF-8 sequence, which has at most three such bytes.
  for (int i = 0; i < 3 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U; ++i) --end;
  return text.substr(0, end);
}

Result<MessageType> message_type(Bytes message) noexcept {
  Reader reader(message);
  const auto type = static_cast<MessageType>(reader.u8());
  if (reader.u24() != reader.remaining() || !reader.ok()) return malformed("handshake message: length");
  switch (type) {
    case MessageType::ClientHello:
    case MessageType::ServerHello:
    case MessageType::ServerAuth:
    case MessageType::ClientAuth:
    case MessageType::ServerFinish:
    case MessageType::Alert:
      return type;
  }
  return malformed("handshake message: unknown type");
}

Result<ClientHello> parse_client_hello(Bytes message) noexcept {
  Reader reader = body_of(message, MessageType::ClientHello);
  ClientHello hello;
  reader.expect(as_bytes(kHandshakeMagic));
  hello.versions = codes(reader);
  hello.nonce = array_of<32>(reader);
  hello.shares = list_of<KemShare>(
      reader,
      [](Reader& r) {
        const std::uint16_t kem = r.u16();
        // §5.1: "each share of any length"; an empty one, too. Its content is checked if it is chosen.
        return KemShare{kem, r.lp16(0, kAny)};
      },
      [](const KemShare& a, const KemShare& b) { return a.kem == b.kem; });
  hello.signatures = codes(reader);
  hello.aeads = codes(reader);
  hello.qkd_offer = reader.u8();
  if (hello.qkd_offer > 2) reader.fail();
  if (const auto data = applications_extension(reader)) {
    Reader block(*data);
    hello.applications = names(block);
    if (!block.finished()) reader.fail();
  }
  if (!reader.finished()) return malformed("CLIENT_HELLO");
  return hello;
}

Result<ServerHello> parse_server_hello(Bytes message) noexcept {
  Reader reader = body_of(message, MessageType::ServerHello);
  ServerHello hello;
  hello.version = reader.u16();
  hello.nonce = array_of<32>(reader);
  hello.session_id = reader.u64();
  hello.kem = reader.u16();
  hello.signature = reader.u16();
  hello.aead = reader.u16();
  hello.qkd_mode = reader.u8();
  if (hello.qkd_mode > 1) reader.fail();
  hello.kem_ciphertext = reader.lp16(0, kAny);
  no_known_extension(reader);
  if (!reader.finished()) return malformed("SERVER_HELLO");
  return hello;
}

Result<ServerAuth> parse_server_auth(Bytes message, bool qkd) noexcept {
  Reader reader = body_of(message, MessageType::ServerAuth);
  ServerAuth auth;
  auth.identity = array_of<32>(reader);
  auth.signatures = codes(reader);
  if (qkd) auth.sae_id = as_text(reader.lp8(1, kMaxName));
  if (const auto data = applications_extension(reader)) {
    Reader block(*data);
    auth.application = as_text(block.lp8(1, kMaxName));
    if (!block.finished()) reader.fail();
  }
  auth.signed_part = read_so_far(message, reader);
  auth.signature = reader.lp16(0, kAny);
  if (!reader.finished()) return malformed("SERVER_AUTH");
  return auth;
}

Result<ClientAuth> parse_client_auth(Bytes message, bool qkd) noexcept {
  Reader reader = body_of(message, MessageType::ClientAuth);
  ClientAuth auth;
  auth.identity = array_of<32>(reader);
  auth.signature_algorithm = reader.u16();
  if (qkd) {
    auth.sae_id = as_text(reader.lp8(1, kMaxName));
    auth.key_id = as_text(reader.lp8(kKeyIdSize, kKeyIdSize));
    if (!is_uuid(auth.key_id)) reader.fail();
  }
  no_known_extension(reader);
  auth.signed_part = read_so_far(message, reader);
  auth.signature = reader.lp16(0, kAny);
  auth.up_to_confirm = read_so_far(message, reader);
  auth.confirm = array_of<kConfirmSize>(reader);
  if (!reader.finished()) return malformed("CLIENT_AUTH");
  return auth;
}

Result<ServerFinish> parse_server_finish(Bytes message) noexcept {
  Reader reader = body_of(message, MessageType::ServerFinish);
  ServerFinish finish;
  no_known_extension(reader);
  finish.up_to_confirm = read_so_far(message, reader);
  finish.confirm = array_of<kConfirmSize>(reader);
  if (!reader.finished()) return malformed("SERVER_FINISH");
  return finish;
}

Result<Alert> parse_alert(Bytes message) noexcept {
  Reader reader = body_of(message, MessageType::Alert);
  // §5.8: "An ALERT that says NORMAL, or an unassigned reason, is PROTOCOL_ERROR": this end's failure, not the peer's
  // word.
  const auto reason = reason_from_wire(reader.u16());
  if (!reason || *reason == Reason::Normal) return malformed("ALERT: reason");
  const std::string_view text = as_text(reader.lp16(0, kMaxCloseText));
  if (!reader.finished()) return malformed("ALERT");
  return Alert{*reason, text};
}

std::vector<std::uint8_t> encode(const ClientHello& message) {
  MessageBuilder builder(MessageType::ClientHello);
  builder.append(as_bytes(kHandshakeMagic));
  builder.list(message.versions);
  builder.append(message.nonce);
  builder.integer(message.shares.size(), 1);
  for (const KemShare& share : message.shares) {
    builder.integer(share.kem, 2);
    builder.lp16(share.public_key);
  }
  builder.list(message.signatures);
  builder.list(message.aeads);
  builder.integer(message.qkd_offer, 1);
  std::vector<std::uint8_t> applications;
  if (message.applications.size() > 0) applications.push_back(static_cast<std::uint8_t>(message.applications.size()));
  for (const Bytes application : message.applications) {
    applications.push_back(static_cast<std::uint8_t>(application.size()));
    applications.insert(applications.end(), application.begin(), application.end());
  }
  builder.applications(applications);
  return std::move(builder).finish();
}

std::vector<std::uint8_t> encode(const ServerHello& message) {
  MessageBuilder builder(MessageType::ServerHello);
  builder.integer(message.version, 2);
  builder.append(message.nonce);
  builder.integer(message.session_id, 8);
  builder.integer(message.kem, 2);
  builder.integer(message.signature, 2);
  builder.integer(message.aead, 2);
  builder.integer(message.qkd_mode, 1);
  builder.lp16(message.kem_ciphertext);
  builder.applications({});
  return std::move(builder).finish();
}

std::vector<std::uint8_t> encode(const Alert& message) {
  MessageBuilder builder(MessageType::Alert);
  builder.integer(std::to_underlying(message.reason), 2);
  builder.lp16(as_bytes(message.text.substr(0, kMaxCloseText)));
  return std::move(builder).finish();
}

std::vector<std::uint8_t> encode_to_signature(const ServerAuth& message, bool qkd, std::size_t signature_size) {
  MessageBuilder builder(MessageType::ServerAuth);
  builder.append(message.identity);
  builder.list(message.signatures);
  if (qkd) builder.lp8(as_bytes(message.sae_id));
  std::vector<std::uint8_t> application;
  if (!message.application.empty()) {
    application.push_back(static_cast<std::uint8_t>(message.application.size()));
    application.insert(application.end(), message.application.begin(), message.application.end());
  }
  builder.applications(application);
  return std::move(builder).finish(2 + signature_size);
}

std::vector<std::uint8_t> encode_to_signature(const ClientAuth& message, bool qkd, std::size_t signature_size) {
  MessageBuilder builder(MessageType::ClientAuth);
  builder.append(message.identity);
  builder.integer(message.signature_algorithm, 2);
  if (qkd) {
    builder.lp8(as_bytes(message.sae_id));
    builder.lp8(as_bytes(message.key_id));
  }
  builder.applications({});
  return std::move(builder).finish(2 + signature_size + kConfirmSize);
}

void append_signature(std::vector<std::uint8_t>& message, Bytes signature) {
  append_big_endian(message, signature.size(), 2);
  message.insert(message.end(), signature.begin(), signature.end());
}

std::vector<std::uint8_t> encode_server_finish_to_confirm() {
  MessageBuilder builder(MessageType::ServerFinish);
  builder.applications({});
  return std::move(builder).finish(kConfirmSize);
}

}  // namespace qsp::wire

#include "rc155/messages.hpp"

#include <algorithm>
#include <utility>

#include "wire/cursor.hpp"

namespace qsp::rc155 {
namespace {

constexpr std::string_view kClientHelloMagic = "CHLO";
constexpr std::string_view kServerHelloMagic = "SHLO";
constexpr std::string_view kRekeyMagic = "RK54";

constexpr std::uint32_t sealed(std::size_t plaintext) noexcept {
  return static_cast<std::uint32_t>(kNoncePrefixSize + plaintext + crypto::kTagSize);
}

std::unexpected<Error> malformed(std::string_view where) noexcept {
  return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, where);
}

HelloNonce copy_nonce(Bytes from) noexcept {
  HelloNonce nonce{};
  std::ranges::copy(from, nonce.begin());
  return nonce;
}

}  // namespace

wire::FrameBounds frame_bounds(Role receiver) noexcept {
  const auto hello = static_cast<std::uint32_t>(receiver == Role::Server ? kClientHelloSize : kServerHelloSize);
  return {{
      {hello, hello, 0},
      {sealed(0), sealed(Endpoint::kMaxPlaintext), 0},
      {sealed(kRekeyMessageSize), sealed(kRekeyMessageSize), 0},
      {sealed(2), sealed(2 + kMaxCloseText), 0},
  }};
}

void encode_client_hello(const HelloNonce& nonce, std::span<std::uint8_t, kClientHelloSize> out) noexcept {
  wire::Writer writer(out);
  writer.bytes(as_bytes(kClientHelloMagic));
  writer.bytes(nonce);
}

void encode_server_hello(const ServerHello& hello, std::span<std::uint8_t, kServerHelloSize> out) noexcept {
  wire::Writer writer(out);
  writer.bytes(as_bytes(kServerHelloMagic));
  writer.bytes(hello.nonce);
  writer.u64(hello.session_id);
}

Result<HelloNonce> decode_client_hello(Bytes payload) noexcept {
  wire::Reader reader(payload);
  reader.expect(as_bytes(kClientHelloMagic));
  const Bytes nonce = reader.bytes(kHelloNonceSize);
  if (!reader.finished()) return malformed("client hello");
  return copy_nonce(nonce);
}

Result<ServerHello> decode_server_hello(Bytes payload) noexcept {
  wire::Reader reader(payload);
  reader.expect(as_bytes(kServerHelloMagic));
  const Bytes nonce = reader.bytes(kHelloNonceSize);
  const std::uint64_t session_id = reader.u64();
  if (!reader.finished()) return malformed("server hello");
  if (session_id == 0) return malformed("server hello: session_id 0");
  return ServerHello{copy_nonce(nonce), session_id};
}

void encode_rekey(RekeyType type, std::uint32_t new_epoch, std::span<const std::uint8_t, kRekeyBodySize> body,
                  std::span<std::uint8_t, kRekeyMessageSize> out) noexcept {
  wire::Writer writer(out);
  writer.bytes(as_bytes(kRekeyMagic));
  writer.u8(std::to_underlying(type));
  writer.u32(new_epoch);
  writer.bytes(body);
}

Result<RekeyView> decode_rekey(Bytes plaintext, RekeyType expected) noexcept {
  wire::Reader reader(plaintext);
  reader.expect(as_bytes(kRekeyMagic));
  const std::uint8_t type = reader.u8();
  const std::uint32_t new_epoch = reader.u32();
  const Bytes body = reader.bytes(kRekeyBodySize);
  if (!reader.finished()) return malformed("rekey message");
  if (type != std::to_underlying(expected)) return malformed("rekey message of the wrong type");
  return RekeyView{new_epoch, body.first<kRekeyBodySize>()};
}

Reason wire_reason(Reason reason) noexcept {
  switch (reason) {
    case Reason::Normal:
    case Reason::ProtocolError:
    case Reason::AeadDecryptFailed:
    case Reason::EpochMismatch:
    case Reason::RekeyFailed:
    case Reason::InternalError:
      return reason;
    case Reason::HandshakeFailed:
    case Reason::NoCommonSuite:
    case Reason::QkdUnavailable:
    case Reason::Timeout:
    case Reason::Limit:
      return Reason::InternalError;
  }
  return Reason::InternalError;
}

void encode_close(Reason reason, std::string_view text, MutableBytes out) noexcept {
  wire::Writer writer(out);
  writer.u16(std::to_underlying(wire_reason(reason)));
  writer.bytes(as_bytes(text));
}

Result<CloseView> decode_close(Bytes plaintext) noexcept {
  wire::Reader reader(plaintext);
  const std::uint16_t code = reader.u16();
  const Bytes text = reader.rest();
  if (!reader.finished()) return malformed("close message");
  const Reason reason = reason_from_wire(code).value_or(Reason::ProtocolError);
  const bool known = wire_reason(reason) == reason;
  return CloseView{known ? reason : Reason::ProtocolError, as_text(text)};
}

}  // namespace qsp::rc155

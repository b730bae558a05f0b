#include "wire/rekey.hpp"

#include <algorithm>
#include <utility>

#include "base/uuid.hpp"
#include "wire/cursor.hpp"
#include "wire/handshake.hpp"

namespace qsp::wire {
namespace {

constexpr std::string_view kRekeyMagic = "RK10";
enum class RekeyType : std::uint8_t { Init = 1, Ack = 2, Request = 3, Nak = 4, Done = 5 };

void begin(Writer& writer, RekeyType type, std::uint32_t new_epoch) noexcept {
  writer.bytes(as_bytes(kRekeyMagic));
  writer.u8(std::to_underlying(type));
  writer.u32(new_epoch);
}

std::array<std::uint8_t, 32> array32(Reader& reader) noexcept {
  std::array<std::uint8_t, 32> result{};
  const Bytes bytes = reader.bytes(32);
  std::copy(bytes.begin(), bytes.end(), result.begin());
  return result;
}

RekeyInit read_init(Reader& reader, std::uint32_t new_epoch) noexcept {
  RekeyInit init{.new_epoch = new_epoch,
                 .material = reader.bytes(kMaterialSize),
                 .kem_public_key = reader.lp16(0, 0xffff),
                 .key_id = {}};
  init.key_id = as_text(reader.lp8(0, kKeyIdSize));
  if (!init.key_id.empty() && !is_uuid(init.key_id)) reader.fail();
  return init;
}

RekeyNak read_nak(Reader& reader, std::uint32_t new_epoch) noexcept {
  const auto reason = reason_from_wire(reader.u16());
  // §7: a NAK with a reason other than 60 is PROTOCOL_ERROR.
  if (reason != Reason::QkdUnavailable) reader.fail();
  return {new_epoch, Reason::QkdUnavailable};
}

/// What was read, if it is everything there is.
Result<RekeyMessage> whole(const Reader& reader, RekeyMessage&& message) noexcept {
  if (!reader.finished()) return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, "REKEY");
  return std::move(message);
}

}  // namespace

Result<RekeyMessage> parse_rekey(Bytes plaintext) noexcept {
  Reader reader(plaintext);
  reader.expect(as_bytes(kRekeyMagic));
  const auto type = static_cast<RekeyType>(reader.u8());
  const std::uint32_t new_epoch = reader.u32();
  switch (type) {
    case RekeyType::Init:
      return whole(reader, read_init(reader, new_epoch));
    case RekeyType::Ack:
      return whole(
          reader,
          RekeyAck{.new_epoch = new_epoch, .confirm = array32(reader), .kem_ciphertext = reader.lp16(0, 0xffff)});
    case RekeyType::Request:
      return whole(reader, RekeyRequest{new_epoch});
    case RekeyType::Nak:
      return whole(reader, read_nak(reader, new_epoch));
    case RekeyType::Done:
      return whole(reader, RekeyDone{new_epoch});
  }
  reader.fail();
  return whole(reader, RekeyMessage{});
}

std::size_t encode(const RekeyInit& message, MutableBytes out) noexcept {
  Writer writer(out);
  begin(writer, RekeyType::Init, message.new_epoch);
  writer.bytes(message.material);
  writer.lp16(message.kem_public_key);
  writer.lp8(as_bytes(message.key_id));
  return writer.size();
}

std::size_t encode(const RekeyAck& message, MutableBytes out) noexcept {
  Writer writer(out);
  begin(writer, RekeyType::Ack, message.new_epoch);
  writer.bytes(message.confirm);
  writer.lp16(message.kem_ciphertext);
  return writer.size();
}

std::size_t encode(const RekeyRequest& message, MutableBytes out) noexcept {
  Writer writer(out);
  begin(writer, RekeyType::Request, message.new_epoch);
  return writer.size();
}

std::size_t encode(const RekeyNak& message, MutableBytes out) noexcept {
  Writer writer(out);
  begin(writer, RekeyType::Nak, message.new_epoch);
  writer.u16(std::to_underlying(message.reason));
  return writer.size();
}

std::size_t encode(const RekeyDone& message, MutableBytes out) noexcept {
  Writer writer(out);
  begin(writer, RekeyType::Done, message.new_epoch);
  return writer.size();
}

Result<Close> parse_close(Bytes plaintext) noexcept {
  Reader reader(plaintext);
  // §8.3: a plaintext "with an unassigned reason, is PROTOCOL_ERROR, a failure like any other".
  const auto reason = reason_from_wire(reader.u16());
  if (!reason) reader.fail();
  const std::string_view text = as_text(reader.bytes(std::min(reader.remaining(), kMaxCloseText)));
  if (!reader.finished()) return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, "CLOSE");
  return Close{*reason, text};
}

std::size_t encode(const Close& message, MutableBytes out) noexcept {
  Writer writer(out);
  writer.u16(std::to_underlying(message.reason));
  writer.bytes(as_bytes(message.text.substr(0, kMaxCloseText)));
  return writer.size();
}

}  // namespace qsp::wire

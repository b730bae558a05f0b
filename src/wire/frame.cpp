#include "wire/frame.hpp"

#include "wire/cursor.hpp"

namespace qsp::wire {

void encode(const FrameHeader& header, std::span<std::uint8_t, kFrameHeaderSize> out) noexcept {
  Writer writer(out);
  writer.u8(std::to_underlying(header.type));
  writer.u8(header.flags);
  writer.u64(header.session_id);
  writer.u32(header.epoch);
  writer.u32(header.seq);
  writer.u32(header.payload_len);
}

Result<FrameHeader> decode_header(std::span<const std::uint8_t, kFrameHeaderSize> in) noexcept {
  Reader reader(in);
  const std::uint8_t type = reader.u8();
  if (type < std::to_underlying(FrameType::Handshake) || type > std::to_underlying(FrameType::Close)) {
    return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, "frame header: unknown type");
  }
  FrameHeader header;
  header.type = static_cast<FrameType>(type);
  header.flags = reader.u8();
  header.session_id = reader.u64();
  header.epoch = reader.u32();
  header.seq = reader.u32();
  header.payload_len = reader.u32();
  return header;
}

Result<void> check_bounds(const FrameHeader& header, const FrameBounds& bounds) noexcept {
  const PayloadBounds& bound = bounds[std::to_underlying(header.type) - 1U];
  if ((header.flags & ~bound.allowed_flags) != 0) {
    return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, "frame header: flags");
  }
  if (header.payload_len < bound.min || header.payload_len > bound.max) {
    return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, "frame header: payload_len");
  }
  return {};
}

}  // namespace qsp::wire

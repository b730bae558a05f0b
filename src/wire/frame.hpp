#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>

#include "base/big_endian.hpp"
#include "base/try.hpp"
#include "qsp/bytes.hpp"
#include "qsp/error.hpp"

namespace qsp::wire {

/// `type u8 ‖ flags u8 ‖ session_id u64 ‖ epoch u32 ‖ seq u32 ‖ payload_len u32` (SPEC §2, SPEC_155 §3.2).
inline constexpr std::size_t kFrameHeaderSize = 22;

enum class FrameType : std::uint8_t { Handshake = 1, AppData = 2, Rekey = 3, Close = 4 };

struct FrameHeader {
  FrameType type{};
  std::uint8_t flags{};
  std::uint64_t session_id{};
  std::uint32_t epoch{};
  std::uint32_t seq{};
  std::uint32_t payload_len{};  ///< bytes that follow the header

  bool operator==(const FrameHeader&) const = default;
};

inline void encode(const FrameHeader& header, std::span<std::uint8_t, kFrameHeaderSize> out) noexcept {
  out[0] = std::to_underlying(header.type);
  out[1] = header.flags;
  std::ranges::copy(big_endian<8>(header.session_id), out.subspan<2, 8>().begin());
  std::ranges::copy(big_endian<4>(header.epoch), out.subspan<10, 4>().begin());
  std::ranges::copy(big_endian<4>(header.seq), out.subspan<14, 4>().begin());
  std::ranges::copy(big_endian<4>(header.payload_len), out.subspan<18, 4>().begin());
}

/// The header at the start of `in`. Error: InvalidMessage/PROTOCOL_ERROR for an unassigned type.
inline Result<FrameHeader> decode_header(std::span<const std::uint8_t, kFrameHeaderSize> in) noexcept {
  if (in[0] < std::to_underlying(FrameType::Handshake) || in[0] > std::to_underlying(FrameType::Close)) {
    return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, "frame header: unknown type");
  }
  return FrameHeader{.type = static_cast<FrameType>(in[0]),
                     .flags = in[1],
                     .session_id = load_big_endian(in.subspan<2, 8>()),
                     .epoch = static_cast<std::uint32_t>(load_big_endian(in.subspan<10, 4>())),
                     .seq = static_cast<std::uint32_t>(load_big_endian(in.subspan<14, 4>())),
                     .payload_len = static_cast<std::uint32_t>(load_big_endian(in.subspan<18, 4>()))};
}

/// What a profile lets a frame of one type be. Sizes in bytes of payload, both inclusive.
struct PayloadBounds {
  std::uint32_t min;
  std::uint32_t max;
  std::uint8_t allowed_flags;
};

/// The bounds of each type, in the order of FrameType.
using FrameBounds = std::array<PayloadBounds, 4>;

/// Error: InvalidMessage/PROTOCOL_ERROR for a flag or length outside the bounds of the header's type.
inline Result<void> check_bounds(const FrameHeader& header, const FrameBounds& bounds) noexcept {
  const PayloadBounds& bound = bounds[std::to_underlying(header.type) - 1U];
  if ((header.flags & ~bound.allowed_flags) != 0) {
    return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, "frame header: flags");
  }
  if (header.payload_len < bound.min || header.payload_len > bound.max) {
    return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, "frame header: payload_len");
  }
  return {};
}

/// Not a whole frame yet: offer the same bytes again once at least `total` of them are there.
struct NeedBytes {
  std::size_t total;
};

/// A whole frame. Both views point into the input and live as long as it does.
struct FrameView {
  FrameHeader header;
  std::span<const std::uint8_t, kFrameHeaderSize> header_bytes;
  MutableBytes payload;

  [[nodiscard]] std::size_t size() const noexcept { return kFrameHeaderSize + payload.size(); }
};

/// Splits a byte stream into frames without a buffer of its own.
///
/// `in` starts at a frame boundary. As soon as 22 bytes are there, the header goes to `check_header(header) ->
/// Result<void>`, so a bad frame is refused before anyone waits for, or makes room for, its payload.
template <class CheckHeader>
Result<std::variant<NeedBytes, FrameView>> decode_frame(MutableBytes in, CheckHeader&& check_header) {
  if (in.size() < kFrameHeaderSize) return NeedBytes{kFrameHeaderSize};
  const std::span<const std::uint8_t, kFrameHeaderSize> header_bytes = in.first<kFrameHeaderSize>();
  QSP_TRY(const auto& header, decode_header(header_bytes));
  QSP_TRY(std::forward<CheckHeader>(check_header)(header));
  const std::size_t total = kFrameHeaderSize + header.payload_len;
  if (in.size() < total) return NeedBytes{total};
  return FrameView{header, header_bytes, in.subspan(kFrameHeaderSize, header.payload_len)};
}

}  // namespace qsp::wire

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>

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

void encode(const FrameHeader& header, std::span<std::uint8_t, kFrameHeaderSize> out) noexcept;

/// The header at the start of `in`. Error: InvalidMessage/PROTOCOL_ERROR for an unassigned type.
Result<FrameHeader> decode_header(std::span<const std::uint8_t, kFrameHeaderSize> in) noexcept;

/// What a profile lets a frame of one type be. Sizes in bytes of payload, both inclusive.
struct PayloadBounds {
  std::uint32_t min;
  std::uint32_t max;
  std::uint8_t allowed_flags;
};

/// The bounds of each type, in the order of FrameType.
using FrameBounds = std::array<PayloadBounds, 4>;

/// Error: InvalidMessage/PROTOCOL_ERROR for a flag or length outside the bounds of the header's type.
Result<void> check_bounds(const FrameHeader& header, const FrameBounds& bounds) noexcept;

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
  QSP_TRY(const auto header, decode_header(header_bytes));
  QSP_TRY(std::forward<CheckHeader>(check_header)(header));
  const std::size_t total = kFrameHeaderSize + header.payload_len;
  if (in.size() < total) return NeedBytes{total};
  return FrameView{header, header_bytes, in.subspan(kFrameHeaderSize, header.payload_len)};
}

}  // namespace qsp::wire

#include "record/stream/stream.hpp"

#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "base/try.hpp"

namespace qsp::record::stream {
namespace {

using wire::FrameType;
using wire::kFrameHeaderSize;

constexpr std::array<std::string_view, 4> kLabels{"hs", "app", "rekey", "close"};

Aad aad_of(FrameType type, Bytes header) noexcept { return {kLabels[std::to_underlying(type) - 1U], header}; }

/// The plaintext of a sealed frame that counts towards a key's limit of bytes (SPEC §8.6).
std::uint64_t counted(FrameType type, std::uint64_t size) noexcept { return type == FrameType::Close ? 0 : size; }

/// What a key must have room for before it protects a frame: a key always has a frame left to say goodbye with.
Usage needed(FrameType type, std::uint64_t size) noexcept {
  return {.frames = type == FrameType::Close ? 1U : 2U, .bytes = counted(type, size)};
}

constexpr std::uint64_t kLastCount = std::numeric_limits<std::uint64_t>::max();

}  // namespace

Result<void> Sender::write_clear(FrameType type, MutableBytes frame) {
  if (next_ == kLastCount) return fail(ErrorKind::Internal, Reason::Limit, "frame count");
  const wire::FrameHeader header{.type = type,
                                 .flags = 0,
                                 .session_id = session_id_,
                                 .epoch = 0,
                                 .seq = static_cast<std::uint32_t>(next_),
                                 .payload_len = static_cast<std::uint32_t>(frame.size() - kFrameHeaderSize)};
  wire::encode(header, frame.first<kFrameHeaderSize>());
  ++next_;
  return {};
}

Result<void> Sender::seal(FrameType type, std::uint8_t flags, MutableBytes frame) {
  const std::size_t size = frame.size() - kOverhead;
  if (!key_.ready()) return fail(ErrorKind::Internal, Reason::InternalError, "seal without a key");
  if (!key_.has_room(needed(type, size)) || next_ == kLastCount) {
    return fail(ErrorKind::Internal, Reason::Limit, "hard limit of a sending key");
  }
  const wire::FrameHeader header{.type = type,
                                 .flags = flags,
                                 .session_id = session_id_,
                                 .epoch = key_.epoch(),
                                 .seq = static_cast<std::uint32_t>(next_),
                                 .payload_len = static_cast<std::uint32_t>(size + crypto::kTagSize)};
  wire::encode(header, frame.first<kFrameHeaderSize>());
  const std::uint64_t n = next_++;  // before sealing: an n is spent even if the provider fails half-way
  return key_.seal(n, aad_of(type, frame.first<kFrameHeaderSize>()).view(), frame.subspan(kFrameHeaderSize, size),
                   frame.last<crypto::kTagSize>(), counted(type, size));
}

void Receiver::set_aeads(std::unique_ptr<crypto::Aead> current, std::unique_ptr<crypto::Aead> next,
                         const crypto::AeadInfo& info) noexcept {
  current_.set_aead(std::move(current), info);
  announced_.set_aead(std::move(next), info);
}

Result<void> Receiver::check(const wire::FrameHeader& header) const noexcept {
  if (session_id_ && header.session_id != *session_id_) {
    return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "frame header: session_id");
  }
  const bool is_next = begins_next(header);
  if (header.epoch != current_.epoch() && !is_next) {
    return fail(ErrorKind::PeerMisbehaved, Reason::EpochMismatch, "frame header: epoch");
  }
  // §7: a first server frame of e+1 that is not DONE is PROTOCOL_ERROR; only a REKEY frame can be one.
  if (is_next && header.type != FrameType::Rekey) {
    return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "frame header: the new epoch begins without DONE");
  }
  if (header.seq != static_cast<std::uint32_t>(next_)) {
    return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "frame header: seq");
  }
  const Key& key = is_next ? announced_ : current_;
  if (key.ready() && !key.has_room(needed(header.type, header.payload_len - crypto::kTagSize))) {
    return fail(ErrorKind::PeerMisbehaved, Reason::Limit, "hard limit of a receiving key");
  }
  return {};
}

Result<MutableBytes> Receiver::open(const wire::FrameView& frame) {
  const bool is_next = begins_next(frame.header);
  Key& key = is_next ? announced_ : current_;
  const FrameType type = frame.header.type;
  const MutableBytes data = frame.payload.first(frame.payload.size() - crypto::kTagSize);
  QSP_TRY(key.open(next_, aad_of(type, frame.header_bytes).view(), data, frame.payload.last<crypto::kTagSize>(),
                   counted(type, data.size())));
  ++next_;
  if (is_next) {
    // The peer has moved for good: the old key serves no purpose but an attacker's.
    std::swap(current_, announced_);
    QSP_TRY(announced_.forget());
  }
  return data;
}

}  // namespace qsp::record::stream

#include "record/stream/stream.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "base/try.hpp"

namespace qsp::record::stream {
namespace {

using wire::FrameType;
using wire::kFrameHeaderSize;

constexpr std::array<Label, 4> kLabels{Label("hs"), Label("app"), Label("rekey"), Label("close")};

const Label& label_of(FrameType type) noexcept { return kLabels[std::to_underlying(type) - 1U]; }

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

// Flattened, for a header that is encoded twice as it stands in registers.
[[gnu::flatten]] Result<void> Sender::seal(FrameType type, std::uint8_t flags, MutableBytes frame) {
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
  // Not copied: what was just written field by field cannot be read as one before it has reached the cache.
  Aad aad(label_of(type));
  wire::encode(header, aad.header());
  const std::uint64_t n = next_++;  // before sealing: an n is spent even if the provider fails half-way
  return key_.seal(n, aad.view(), frame.subspan(kFrameHeaderSize, size), frame.last<crypto::kTagSize>(),
                   counted(type, size));
}

void Receiver::set_aeads(std::unique_ptr<crypto::Aead> current, std::unique_ptr<crypto::Aead> next,
                         const crypto::AeadInfo& info) noexcept {
  current_.set_aead(std::move(current), info);
  announced_.set_aead(std::move(next), info);
}

Result<MutableBytes> Receiver::open(const wire::FrameView& frame) {
  const bool is_next = begins_next(frame.header);
  Key& key = is_next ? announced_ : current_;
  const FrameType type = frame.header.type;
  const MutableBytes data = frame.payload.first(frame.payload.size() - crypto::kTagSize);
  Aad aad(label_of(type));
  std::memcpy(aad.header().data(), frame.header_bytes.data(), frame.header_bytes.size());
  QSP_TRY(key.open(next_, aad.view(), data, frame.payload.last<crypto::kTagSize>(), counted(type, data.size())));
  ++next_;
  if (is_next) {
    // The peer has moved for good: the old key serves no purpose but an attacker's.
    std::swap(current_, announced_);
    QSP_TRY(announced_.forget());
  }
  return data;
}

}  // namespace qsp::record::stream

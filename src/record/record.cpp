#include "record/record.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/big_endian.hpp"

namespace qsp::record {
namespace {

using wire::FrameType;
using wire::kFrameHeaderSize;

constexpr std::array<std::string_view, 4> kLabels{"hs", "app", "rekey", "close"};
constexpr std::size_t kMaxLabel = 5;

/// SPEC §2: `aad = label ‖ header(22)`.
class Aad {
 public:
  Aad(FrameType type, Bytes header) noexcept {
    const std::string_view label = kLabels[std::to_underlying(type) - 1U];
    // libstdc++ 12's ranges::copy goes byte by byte where its source is const.
    auto* const end = std::copy(header.begin(), header.end(), std::copy(label.begin(), label.end(), bytes_.begin()));
    size_ = static_cast<std::size_t>(end - bytes_.begin());
  }
  [[nodiscard]] Bytes view() const noexcept { return Bytes(bytes_).first(size_); }

 private:
  std::array<std::uint8_t, kMaxLabel + kFrameHeaderSize> bytes_{};
  std::size_t size_;
};

/// SPEC §2: `nonce = epoch(4) ‖ n(8)`, the full 64-bit n.
crypto::Nonce nonce_of(std::uint32_t epoch, std::uint64_t n) noexcept {
  crypto::Nonce nonce;
  store_big_endian(epoch, MutableBytes(nonce).first(4));
  store_big_endian(n, MutableBytes(nonce).subspan(4));
  return nonce;
}

/// The plaintext of a sealed frame that counts towards a key's limit of bytes (SPEC §8.6).
std::uint64_t counted(const wire::FrameHeader& header) noexcept {
  return header.type == FrameType::Close ? 0 : header.payload_len - crypto::kTagSize;
}

constexpr std::uint64_t kLastCount = std::numeric_limits<std::uint64_t>::max();

}  // namespace

void Sender::set_aead(std::unique_ptr<crypto::Aead> aead, const crypto::AeadInfo& info) noexcept {
  aead_ = std::move(aead);
  max_frames_ = info.max_frames;
  max_bytes_ = info.max_bytes;
}

Result<void> Sender::set_key(std::uint32_t epoch, TrafficKey&& key) {
  keyed_ = false;
  if (const auto set = aead_->set_key(std::move(key)); !set) return set;
  epoch_ = epoch;
  usage_ = {};
  keyed_ = true;
  return {};
}

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
  const std::uint64_t kept = type == FrameType::Close ? 0 : 1;  // a key always has a frame left to say goodbye with
  const std::uint64_t counted = type == FrameType::Close ? 0 : size;
  if (!keyed_) return fail(ErrorKind::Internal, Reason::InternalError, "seal without a key");
  if (usage_.frames + kept >= max_frames_ || usage_.bytes + counted > max_bytes_ || next_ == kLastCount) {
    return fail(ErrorKind::Internal, Reason::Limit, "hard limit of a sending key");
  }
  const wire::FrameHeader header{.type = type,
                                 .flags = flags,
                                 .session_id = session_id_,
                                 .epoch = epoch_,
                                 .seq = static_cast<std::uint32_t>(next_),
                                 .payload_len = static_cast<std::uint32_t>(size + crypto::kTagSize)};
  wire::encode(header, frame.first<kFrameHeaderSize>());
  const crypto::Nonce nonce = nonce_of(epoch_, next_);
  ++next_;  // before sealing: an n is spent even if the provider fails half-way
  ++usage_.frames;
  usage_.bytes += counted;
  return aead_->seal(nonce, Aad(type, frame.first<kFrameHeaderSize>()).view(), frame.subspan(kFrameHeaderSize, size),
                     frame.last<crypto::kTagSize>());
}

void Receiver::set_aeads(std::unique_ptr<crypto::Aead> current, std::unique_ptr<crypto::Aead> next,
                         const crypto::AeadInfo& info) noexcept {
  current_ = std::move(current);
  next_aead_ = std::move(next);
  max_frames_ = info.max_frames;
  max_bytes_ = info.max_bytes;
}

Result<void> Receiver::set_key(std::uint32_t epoch, TrafficKey&& key) {
  keyed_ = false;
  if (const auto set = current_->set_key(std::move(key)); !set) return set;
  epoch_ = epoch;
  usage_ = {};
  keyed_ = true;
  return {};
}

Result<void> Receiver::set_next_key(TrafficKey&& key) {
  if (const auto set = next_aead_->set_key(std::move(key)); !set) return set;
  next_announced_ = true;
  return {};
}

Result<void> Receiver::check(const wire::FrameHeader& header) const noexcept {
  if (session_id_ && header.session_id != *session_id_) {
    return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "frame header: session_id");
  }
  const bool is_next = next_announced_ && header.epoch == epoch_ + 1;
  if (header.epoch != epoch_ && !is_next) {
    return fail(ErrorKind::PeerMisbehaved, Reason::EpochMismatch, "frame header: epoch");
  }
  // §7: a first server frame of e+1 that is not DONE is PROTOCOL_ERROR; only a REKEY frame can be one.
  if (is_next && header.type != FrameType::Rekey) {
    return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "frame header: the new epoch begins without DONE");
  }
  if (header.seq != static_cast<std::uint32_t>(next_)) {
    return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "frame header: seq");
  }
  // SPEC §8.6: the last frame of a key is kept for CLOSE, whose plaintext does not count.
  const Usage used = is_next ? Usage{} : usage_;
  const std::uint64_t kept = header.type == FrameType::Close ? 0 : 1;
  if (keyed_ && (used.frames + kept >= max_frames_ || used.bytes + counted(header) > max_bytes_)) {
    return fail(ErrorKind::PeerMisbehaved, Reason::Limit, "hard limit of a receiving key");
  }
  return {};
}

Result<MutableBytes> Receiver::open(const wire::FrameView& frame) {
  const bool is_next = next_announced_ && frame.header.epoch == epoch_ + 1;
  crypto::Aead& aead = is_next ? *next_aead_ : *current_;
  const MutableBytes data = frame.payload.first(frame.payload.size() - crypto::kTagSize);
  const Usage used = is_next ? Usage{} : usage_;
  const auto opened = aead.open(nonce_of(frame.header.epoch, next_), Aad(frame.header.type, frame.header_bytes).view(),
                                data, frame.payload.last<crypto::kTagSize>());
  if (!opened) return std::unexpected(opened.error());
  if (is_next) {
    // The peer has moved for good: the old key serves no purpose but an attacker's.
    std::swap(current_, next_aead_);
    if (const auto wiped = next_aead_->set_key(TrafficKey()); !wiped) return std::unexpected(wiped.error());
    next_announced_ = false;
    ++epoch_;
  }
  ++next_;
  usage_ = {.frames = used.frames + 1, .bytes = used.bytes + counted(frame.header)};
  return data;
}

}  // namespace qsp::record

#include "rc155/record.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/try.hpp"
#include "wire/cursor.hpp"

namespace qsp::rc155 {
namespace {

/// SPEC_155 §6.2: `nonce = epoch(4) ‖ seq(8)`, of which the header carries the low four bytes of seq.
crypto::Nonce nonce_of(const wire::FrameHeader& header) noexcept {
  crypto::Nonce nonce;
  wire::Writer writer(nonce);
  writer.u32(header.epoch);
  writer.u64(header.seq);
  return nonce;
}

TrafficKey traffic_key(const EpochKey& key) noexcept { return TrafficKey::copy_of(key.reveal()); }

}  // namespace

Result<void> Record::start(std::uint64_t session_id, const EpochKey& key) {
  QSP_TRY(auto aead, provider_->aead(crypto::AeadId::Aes256Gcm));
  QSP_TRY(aead->set_key(traffic_key(key)));
  current_ = std::move(aead);
  session_id_ = session_id;
  epoch_ = 1;
  return {};
}

Result<void> Record::check(const wire::FrameHeader& header) const noexcept {
  if (header.session_id != session_id_) {
    return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "frame of another session");
  }
  if (header.epoch != epoch_ && !(receives_previous_ && header.epoch == epoch_ - 1)) {
    return fail(ErrorKind::PeerMisbehaved, Reason::EpochMismatch, "frame of another epoch");
  }
  if (header.seq != std::uint64_t{received_} + 1) {
    return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "frame out of sequence");
  }
  return {};
}

Result<void> Record::seal(wire::FrameType type, std::string_view label, MutableBytes frame) {
  if (!current_) return fail(ErrorKind::Internal, Reason::InternalError, "record without a key");
  const std::uint32_t last = std::numeric_limits<std::uint32_t>::max() - (type == wire::FrameType::Close ? 0U : 1U);
  if (sent_ >= last) return fail(ErrorKind::PeerIncompatible, Reason::Limit, "sequence numbers used up");

  const auto payload_len = static_cast<std::uint32_t>(frame.size() - wire::kFrameHeaderSize);
  const wire::FrameHeader header{type, 0, session_id_, epoch_, sent_ + 1, payload_len};
  const crypto::Nonce nonce = nonce_of(header);
  wire::encode(header, frame.first<wire::kFrameHeaderSize>());
  std::ranges::copy(nonce, frame.begin() + wire::kFrameHeaderSize);
  ++sent_;
  return current_->seal(nonce, as_bytes(label), frame.subspan(kFrameHead, frame.size() - kFrameHead - kFrameTail),
                        frame.last<kFrameTail>());
}

Result<MutableBytes> Record::open(const wire::FrameView& frame, std::string_view label) {
  const crypto::Nonce nonce = nonce_of(frame.header);
  if (!std::ranges::equal(frame.payload.first(kNoncePrefixSize), nonce)) {
    return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "nonce prefix unlike the header");
  }
  const bool is_current = frame.header.epoch == epoch_;
  crypto::Aead& aead = is_current ? *current_ : *previous_;
  const MutableBytes data =
      frame.payload.subspan(kNoncePrefixSize, frame.payload.size() - kNoncePrefixSize - crypto::kTagSize);
  QSP_TRY(aead.open(nonce, as_bytes(label), data, frame.payload.last<crypto::kTagSize>()));
  received_ = frame.header.seq;
  if (is_current && receives_previous_) {
    receives_previous_ = false;
    // An all-zero key replaces the old one; the object waits for the next rekey.
    QSP_TRY(previous_->set_key(TrafficKey{}));
  }
  return data;
}

Result<void> Record::advance(const EpochKey& next, Previous previous) {
  if (previous == Previous::Receive) {
    if (!previous_) {
      QSP_TRY(auto aead, provider_->aead(crypto::AeadId::Aes256Gcm));
      previous_ = std::move(aead);
    }
    std::swap(current_, previous_);
    receives_previous_ = true;
  }
  ++epoch_;
  return current_->set_key(traffic_key(next));
}

void Record::stop() noexcept {
  current_.reset();
  previous_.reset();
  receives_previous_ = false;
}

}  // namespace qsp::rc155

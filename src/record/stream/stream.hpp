#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "record/key.hpp"
#include "wire/frame.hpp"

/// Sealing and opening the frames of a stream, on which none may be missing, repeated or out of order: strictly next n
/// (SPEC §2, §6, §7). One object per direction.
namespace qsp::record::stream {

/// SPEC §2: payload_len of each type, tag included, and the flags it may carry.
inline constexpr std::uint8_t kFlagEnd = 1;
inline constexpr wire::FrameBounds kBounds{{
    {.min = 4, .max = 16'384, .allowed_flags = 0},
    {.min = 16, .max = 65'552, .allowed_flags = kFlagEnd},
    {.min = 16, .max = 8'192, .allowed_flags = 0},
    {.min = 16, .max = 1'200, .allowed_flags = 0},
}};

inline constexpr std::size_t kOverhead = wire::kFrameHeaderSize + crypto::kTagSize;

/// The plaintext of a sealed frame that counts towards a key's limit of bytes (SPEC §8.6).
inline std::uint64_t counted(wire::FrameType type, std::uint64_t size) noexcept {
  return type == wire::FrameType::Close ? 0 : size;
}

/// What a key must have room for before it protects a frame: a key always has a frame left to say goodbye with.
inline Usage needed(wire::FrameType type, std::uint64_t size) noexcept {
  return {.frames = type == wire::FrameType::Close ? 1U : 2U, .bytes = counted(type, size)};
}

/// The sending direction.
class Sender {
 public:
  /// Before the first key, frames go out clear: the hellos and a clear ALERT. `frame` is header and payload.
  /// Error: Internal/LIMIT past the last count.
  Result<void> write_clear(wire::FrameType type, MutableBytes frame);

  /// Seals the plaintext that stands between 22 bytes of header and 16 of tag in `frame`.
  /// Errors: Internal/LIMIT past a hard limit of the key (CLOSE may use the last frame of it); Provider.
  Result<void> seal(wire::FrameType type, std::uint8_t flags, MutableBytes frame);

  /// Takes the key of an epoch; earlier keys of this direction are gone then. The first call needs `aead`.
  Result<void> set_key(std::uint32_t epoch, TrafficKey&& key) { return key_.set(epoch, std::move(key)); }
  void set_aead(std::unique_ptr<crypto::Aead> aead, const crypto::AeadInfo& info) noexcept {
    key_.set_aead(std::move(aead), info);
  }
  void set_session_id(std::uint64_t session_id) noexcept { session_id_ = session_id; }
  void wipe() noexcept { key_.wipe(); }

  [[nodiscard]] bool sealing() const noexcept { return key_.ready(); }
  [[nodiscard]] bool started() const noexcept { return next_ > 0; }
  [[nodiscard]] std::uint32_t epoch() const noexcept { return key_.epoch(); }
  [[nodiscard]] const Usage& usage() const noexcept { return key_.usage(); }

 private:
  friend struct record::TestAccess;  // sets counts that no test can reach frame by frame
  Key key_;
  std::uint64_t session_id_ = 0;
  std::uint64_t next_ = 0;  ///< n of the next frame, across epochs (SPEC §2)
};

/// The receiving direction.
class Receiver {
 public:
  /// Session, epoch, count and hard limits of a header whose payload_len was checked, in this order (SPEC §2.5).
  /// Errors: PeerMisbehaved with PROTOCOL_ERROR, EPOCH_MISMATCH or LIMIT.
  [[nodiscard]] Result<void> check(const wire::FrameHeader& header) const noexcept {
    if (session_id_ && header.session_id != *session_id_) {
      return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "frame header: session_id");
    }
    const bool is_next = begins_next(header);
    if (header.epoch != current_.epoch() && !is_next) {
      return fail(ErrorKind::PeerMisbehaved, Reason::EpochMismatch, "frame header: epoch");
    }
    // §7: a first server frame of e+1 that is not DONE is PROTOCOL_ERROR; only a REKEY frame can be one.
    if (is_next && header.type != wire::FrameType::Rekey) {
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

  /// Counts a clear frame whose header was checked.
  void accept_clear() noexcept { ++next_; }

  /// Opens a frame whose header was checked, in place, and returns the plaintext.
  /// Errors: DecryptFailed; Provider. Opening the first frame of the announced next epoch forgets the key of the
  /// previous one.
  Result<MutableBytes> open(const wire::FrameView& frame);

  void set_aeads(std::unique_ptr<crypto::Aead> current, std::unique_ptr<crypto::Aead> next,
                 const crypto::AeadInfo& info) noexcept;
  /// Replaces the current key: frames of earlier epochs are refused from now on.
  Result<void> set_key(std::uint32_t epoch, TrafficKey&& key) { return current_.set(epoch, std::move(key)); }
  /// Announces the next epoch's key; the current stays valid until a frame of the next one has been opened.
  Result<void> set_next_key(TrafficKey&& key) { return announced_.set(current_.epoch() + 1, std::move(key)); }
  void set_session_id(std::uint64_t session_id) noexcept { session_id_ = session_id; }
  /// A client does not know its session_id before it has parsed SERVER_HELLO (SPEC §2).
  void accept_any_session_id() noexcept { session_id_.reset(); }
  void wipe() noexcept {
    current_.wipe();
    announced_.wipe();
  }

  [[nodiscard]] bool opening() const noexcept { return current_.ready(); }
  [[nodiscard]] std::uint32_t epoch() const noexcept { return current_.epoch(); }
  [[nodiscard]] bool next_announced() const noexcept { return announced_.ready(); }
  [[nodiscard]] const Usage& usage() const noexcept { return current_.usage(); }

 private:
  friend struct record::TestAccess;  // sets counts that no test can reach frame by frame
  [[nodiscard]] bool begins_next(const wire::FrameHeader& header) const noexcept {
    return announced_.ready() && header.epoch == announced_.epoch();
  }

  Key current_, announced_;
  std::optional<std::uint64_t> session_id_ = 0;
  std::uint64_t next_ = 0;  ///< n of the next frame, across epochs (SPEC §2)
};

}  // namespace qsp::record::stream

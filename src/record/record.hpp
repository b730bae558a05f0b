#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "qsp/crypto.hpp"
#include "qsp/suites.hpp"
#include "wire/frame.hpp"

/// Sealing and opening frames: nonces, the strict count of frames, keys by epoch, and the hard limits of a key
/// (SPEC §2, §6, §7). One object per direction.
namespace qsp::record {

/// What a frame's key has protected so far.
struct Usage {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;  ///< of plaintext
};

/// SPEC §2: payload_len of each type, tag included, and the flags it may carry.
inline constexpr std::uint8_t kFlagEnd = 1;
inline constexpr wire::FrameBounds kBounds{{
    {.min = 4, .max = 16'384, .allowed_flags = 0},
    {.min = 16, .max = 65'552, .allowed_flags = kFlagEnd},
    {.min = 16, .max = 8'192, .allowed_flags = 0},
    {.min = 16, .max = 1'200, .allowed_flags = 0},
}};

inline constexpr std::size_t kOverhead = wire::kFrameHeaderSize + crypto::kTagSize;

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
  Result<void> set_key(std::uint32_t epoch, TrafficKey&& key);
  void set_aead(std::unique_ptr<crypto::Aead> aead, const crypto::AeadInfo& info) noexcept;
  void set_session_id(std::uint64_t session_id) noexcept { session_id_ = session_id; }
  void wipe() noexcept { aead_.reset(); }

  [[nodiscard]] bool sealing() const noexcept { return keyed_; }
  [[nodiscard]] bool started() const noexcept { return next_ > 0; }
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] const Usage& usage() const noexcept { return usage_; }

 private:
  friend struct TestAccess;  // sets counts that no test can reach frame by frame
  std::unique_ptr<crypto::Aead> aead_;
  std::uint64_t max_frames_ = 0, max_bytes_ = 0;
  std::uint64_t session_id_ = 0;
  std::uint64_t next_ = 0;  ///< n of the next frame, across epochs (SPEC §2)
  std::uint32_t epoch_ = 0;
  bool keyed_ = false;
  Usage usage_;
};

/// The receiving direction.
class Receiver {
 public:
  /// Session, epoch, count and hard limits of a header whose payload_len was checked, in this order (SPEC §2.5).
  /// Errors: PeerMisbehaved with PROTOCOL_ERROR, EPOCH_MISMATCH or LIMIT.
  [[nodiscard]] Result<void> check(const wire::FrameHeader& header) const noexcept;

  /// Counts a clear frame whose header was checked.
  void accept_clear() noexcept { ++next_; }

  /// Opens a frame whose header was checked, in place, and returns the plaintext.
  /// Errors: DecryptFailed; Provider. Opening the first frame of the announced next epoch forgets the key of the
  /// previous one.
  Result<MutableBytes> open(const wire::FrameView& frame);

  void set_aeads(std::unique_ptr<crypto::Aead> current, std::unique_ptr<crypto::Aead> next,
                 const crypto::AeadInfo& info) noexcept;
  /// Replaces the current key: frames of earlier epochs are refused from now on.
  Result<void> set_key(std::uint32_t epoch, TrafficKey&& key);
  /// Announces the next epoch's key; the current stays valid until a frame of the next one has been opened.
  Result<void> set_next_key(TrafficKey&& key);
  void set_session_id(std::uint64_t session_id) noexcept { session_id_ = session_id; }
  /// A client does not know its session_id before it has parsed SERVER_HELLO (SPEC §2).
  void accept_any_session_id() noexcept { session_id_.reset(); }
  void wipe() noexcept {
    current_.reset();
    next_aead_.reset();
  }

  [[nodiscard]] bool opening() const noexcept { return keyed_; }
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] bool next_announced() const noexcept { return next_announced_; }
  [[nodiscard]] const Usage& usage() const noexcept { return usage_; }

 private:
  friend struct TestAccess;  // sets counts that no test can reach frame by frame
  std::unique_ptr<crypto::Aead> current_, next_aead_;
  std::uint64_t max_frames_ = 0, max_bytes_ = 0;
  std::optional<std::uint64_t> session_id_ = 0;
  std::uint64_t next_ = 0;
  std::uint32_t epoch_ = 0;
  bool keyed_ = false;
  bool next_announced_ = false;
  Usage usage_;
};

}  // namespace qsp::record

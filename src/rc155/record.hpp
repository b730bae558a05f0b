#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "qsp/crypto.hpp"
#include "rc155/keys.hpp"
#include "wire/frame.hpp"

namespace qsp::rc155 {

/// Seals and opens frames: the AEAD keys of at most two epochs and the sequence number of each direction.
///
/// An epoch has one key for both directions and both count from 1, so frame n of the client and frame n of the server
/// share key and nonce. That is Stage155's gravest defect, kept on purpose (docs/rc155.md).
class Record {
 public:
  /// `provider` outlives this object.
  explicit Record(crypto::Provider& provider) noexcept : provider_(&provider) {}

  /// Begins epoch 1. Error: Provider/INTERNAL_ERROR.
  Result<void> start(std::uint64_t session_id, const EpochKey& key);

  /// What only a header tells, before its payload is there. Errors: PeerMisbehaved with PROTOCOL_ERROR for a foreign
  /// session_id or a seq other than the next, EPOCH_MISMATCH for an epoch without a key here.
  [[nodiscard]] Result<void> check(const wire::FrameHeader& header) const noexcept;

  /// Seals a whole frame in place, whose plaintext stands between kFrameHead and kFrameTail bytes. The last sequence
  /// number is kept for CLOSE. Errors: PeerIncompatible/LIMIT with no number left; Provider/INTERNAL_ERROR.
  Result<void> seal(wire::FrameType type, std::string_view label, MutableBytes frame);

  /// Opens a frame that passed `check`, counts it, and returns its plaintext, in place. The first frame of the current
  /// epoch ends the previous one. Errors: PeerMisbehaved/PROTOCOL_ERROR for a nonce prefix unlike the header's,
  /// DecryptFailed/AEAD_DECRYPT_FAILED, Provider/INTERNAL_ERROR.
  Result<MutableBytes> open(const wire::FrameView& frame, std::string_view label);

  /// Whether the epoch left behind is still received.
  enum class Previous : bool { Refuse, Receive };

  /// Moves to the next epoch. Precondition: epoch() < 2^32 - 1. Error: Provider/INTERNAL_ERROR; no CLOSE can be sealed.
  Result<void> advance(const EpochKey& next, Previous previous);

  /// Forgets the keys. The counters stay readable.
  void stop() noexcept;

  [[nodiscard]] std::uint64_t session_id() const noexcept { return session_id_; }
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] bool receives_previous() const noexcept { return receives_previous_; }
  [[nodiscard]] std::uint32_t sent() const noexcept { return sent_; }
  [[nodiscard]] std::uint32_t received() const noexcept { return received_; }

 private:
  friend struct SessionTestAccess;

  crypto::Provider* provider_;
  std::unique_ptr<crypto::Aead> current_;
  // Made at the first rekey that keeps two epochs, and re-keyed ever after.
  std::unique_ptr<crypto::Aead> previous_;
  std::uint64_t session_id_ = 0;
  std::uint32_t epoch_ = 0;
  std::uint32_t sent_ = 0;  ///< seq of the last frame sealed; SPEC_155 §6.3 increments before use
  std::uint32_t received_ = 0;
  bool receives_previous_ = false;
};

}  // namespace qsp::rc155

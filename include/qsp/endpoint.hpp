#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "qsp/bytes.hpp"
#include "qsp/crypto.hpp"
#include "qsp/error.hpp"
#include "qsp/export.hpp"
#include "qsp/peer.hpp"
#include "qsp/secret.hpp"
#include "qsp/secret_bytes.hpp"

/// One end of a session without I/O: bytes go in and come out, and time is an argument. Any event loop can drive it.
namespace qsp {

/// Time since an origin that the caller chooses and keeps (a monotonic clock's, say).
using Instant = std::chrono::nanoseconds;

enum class Role : std::uint8_t { Client, Server };

/// Both ends hold the keys of epoch 1; application data may flow.
struct Established {
  std::uint64_t session_id;
};

/// Data of one frame, already authenticated and decrypted in place. `data` points into the buffer given to handle_bytes
/// and is valid until the next call of it. `end`: the peer writes no more data (SPEC §8).
struct AppData {
  MutableBytes data;
  bool end;
};

/// A rekey is done at this end. A 1.0 client says so at DONE, though it sends in the epoch from its ACK on.
struct EpochChanged {
  std::uint32_t epoch;
};

/// The session waits for a key of a QKD link: answer with provide_qkd_key or fail_qkd_key.
struct QkdKeyNeeded {
  std::string sae_id;                 ///< the peer's SAE ID, to be escaped where it enters a URL
  std::optional<std::string> key_id;  ///< dec_keys of this one; nothing: enc_keys of a new one
  Instant deadline;                   ///< when this end gives up by itself; a key source may retry until then
};

/// A key of a QKD link, on its way from the source that delivered it to the session that asked: one owner at a time,
/// and moved from hand to hand. Nobody else was given it, nor will be.
struct DeliveredKey {
  std::string key_id;  ///< a UUID of 36 characters; for dec_keys the one asked for
  QkdKey key;
};

/// Why a key source could not deliver.
enum class QkdFailure : std::uint8_t {
  Unavailable,  ///< the KME is down, empty, slow, or its answer was refused
  Budget,       ///< this end's own budget of fetches is spent: never a reason to go on without QKD. A server's rekey
                ///< tries again by itself: say so at once; a client's may wait for the refill until the deadline
};

/// The session is over for good.
struct Closed {
  Reason reason;
  std::string text;        ///< from this end, or untrusted from the peer: escape it before it meets a terminal
  bool by_peer = false;    ///< the peer's CLOSE or ALERT
  bool truncated = false;  ///< the stream ended, or was closed, before the peer had said that its data was complete
};

using Event = std::variant<Established, AppData, EpochChanged, QkdKeyNeeded, Closed>;

/// What went into the keys of one epoch, and what they have carried.
struct EpochStatus {
  std::uint32_t epoch = 0;
  bool kem = false;                   ///< a fresh KEM secret is in the key
  std::optional<std::string> key_id;  ///< the QKD key that is in the key
  Instant confirmed{};                ///< when this end knew that both held it
  std::uint64_t frames_sent = 0, frames_received = 0;
  std::uint64_t bytes_sent = 0, bytes_received = 0;  ///< of plaintext
};

/// The cryptographic libraries at work in this end of a session, each with its version ("OpenSSL 3.5.7").
struct Libraries {
  std::string kem, local_signature, peer_signature, aead;
};

/// What a session is and has agreed on. Before Established, and for a profile that tells nothing of itself (rc155), all
/// but `secure` is empty; after Closed it stays what it was last.
struct ChannelStatus {
  bool secure = false;  ///< the profile proves who the peer is and that what comes is genuine; false for rc155
  crypto::KemId kem{};
  crypto::AeadId aead{};
  crypto::SignatureId local_signature{}, peer_signature{};
  std::string peer;          ///< its pinned name
  std::string application;   ///< agreed application protocol, or empty
  bool qkd_mixed = false;    ///< qkd_mode 1
  bool without_qkd = false;  ///< QKD was preferred, and the current epoch has none
  bool rekey_pending = false;
  EpochStatus current;
  std::optional<EpochStatus> previous;
  Libraries libraries;
};

/// A key for use outside the channel, bound to an epoch (SPEC §6).
struct Exported {
  std::uint32_t epoch;
  SecretBytes key;
};

/// Whom a peer said it is, proved or not.
struct Presented {
  Identity identity;
  std::optional<std::string> sae_id;  ///< where QKD was agreed on: 1…255 bytes of any value, to be escaped
};

/// Where the application's plaintext stands in a frame buffer: behind `head` bytes, before `tail` bytes.
struct FrameRoom {
  std::size_t head;
  std::size_t tail;
};

enum class Phase : std::uint8_t { Handshake, Established, Closed };

/// What a profile's session object offers to the code that drives it. Not thread-safe. Nothing here throws.
///
/// After every call that takes input, the driver drains `poll_event` and then `poll_transmit`. Bytes leave in the order
/// in which they were made; so a driver writes what `poll_transmit` gave before a frame sealed later.
class QSP_EXPORT Endpoint {
 public:
  virtual ~Endpoint() = default;

  /// Takes the stream from the peer. Handles at most one frame, opens it in place, and returns how many bytes it used.
  /// 0: the frame is not whole; call again with the same bytes and more, at least `bytes_needed()` in all. A closed
  /// endpoint swallows everything.
  virtual std::size_t handle_bytes(MutableBytes in, Instant now) = 0;
  /// Size in bytes that the unfinished frame is known to have, header included; at most kMaxFrameSize.
  [[nodiscard]] virtual std::size_t bytes_needed() const noexcept = 0;
  /// The stream from the peer has ended.
  virtual void handle_end_of_stream(Instant now) = 0;

  /// When handle_timeout wants to be called, if at all.
  [[nodiscard]] virtual std::optional<Instant> next_timeout() const noexcept = 0;
  virtual void handle_timeout(Instant now) = 0;

  virtual std::optional<Event> poll_event() = 0;
  /// Copies control bytes that wait to be written and returns their number; 0 when none are left.
  virtual std::size_t poll_transmit(MutableBytes out) = 0;

  [[nodiscard]] virtual FrameRoom frame_room() const noexcept = 0;
  /// Seals `size` bytes of plaintext, which stand in `frame` behind `frame_room().head`, into a whole frame in place.
  /// `frame` is exactly head + size + tail bytes; size <= kMaxPlaintext. `end`: this end writes no more data.
  /// Errors: ApiMisuse before Established, after Closed or `end`, with control bytes not yet polled, or a wrong size;
  /// Provider/INTERNAL_ERROR, which closes the session.
  virtual Result<void> seal_app_data(MutableBytes frame, std::size_t size, bool end, Instant now) = 0;

  /// Asks for new keys now. Error: ApiMisuse where this end, profile or phase cannot.
  virtual Result<void> request_rekey(Instant now) = 0;
  /// Ends the session; `text` (at most 1,024 bytes, cut beyond) goes to the peer. Does nothing once closed.
  virtual void close(Reason reason, std::string_view text) = 0;

  [[nodiscard]] virtual Phase phase() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t session_id() const noexcept = 0;
  /// The epoch that this end sends in; 0 before Established, and after Closed the last one.
  [[nodiscard]] virtual std::uint32_t epoch() const noexcept = 0;

  // What a profile with authentication, QKD keys and exports adds. A profile without (rc155) answers as is said here.

  /// Answers the last QkdKeyNeeded. Error: ApiMisuse if nothing is awaited, which is also so after its deadline, and in
  /// a profile that never asks; the key is wiped in any case.
  virtual Result<void> provide_qkd_key(DeliveredKey&& key, Instant /*now*/) {
    const DeliveredKey taken = std::move(key);
    return not_here();
  }
  /// Likewise, where there is no key.
  virtual Result<void> fail_qkd_key(QkdFailure /*why*/, Instant /*now*/) { return not_here(); }

  /// A key of `size` bytes (1…255·32) for `label` (at most 200 bytes; none that begins with "qsp1 ", which are QSP's
  /// own) and `context`, from the current epoch, or from `epoch` where its exporter is still kept (the previous one).
  /// Error: ApiMisuse, also in a profile that has no exports.
  virtual Result<Exported> export_key(std::string_view /*label*/, Bytes /*context*/, std::size_t /*size*/,
                                      std::optional<std::uint32_t> /*epoch*/ = std::nullopt) {
    return not_here();
  }

  /// True after a handshake that a "preferred" client may repeat once with redial_without_qkd (SPEC §5).
  [[nodiscard]] virtual bool may_redial_without_qkd() const noexcept { return false; }

  /// Never fails; see ChannelStatus for when it is empty.
  [[nodiscard]] virtual ChannelStatus status() const { return {}; }

  /// After a handshake that failed: what the peer presented, if it came so far. For this end's own log: SPEC §5.8 says
  /// what the peer may learn.
  [[nodiscard]] virtual std::optional<Presented> presented() const { return std::nullopt; }

  static constexpr std::size_t kMaxPlaintext = 65'536;
  /// Header, nonce prefix (rc155 only), plaintext and tag.
  static constexpr std::size_t kMaxFrameSize = 22 + 12 + kMaxPlaintext + 16;

 private:
  static std::unexpected<Error> not_here() noexcept {
    return fail(ErrorKind::ApiMisuse, Reason::InternalError, "this profile has no such thing");
  }
};

}  // namespace qsp

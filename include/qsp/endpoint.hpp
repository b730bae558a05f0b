#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "qsp/bytes.hpp"
#include "qsp/error.hpp"

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

/// The session waits for a key of a QKD link: answer with Channel::provide_qkd_key or Channel::fail_qkd_key.
struct QkdKeyNeeded {
  std::string sae_id;                 ///< the peer's SAE ID, to be escaped where it enters a URL
  std::optional<std::string> key_id;  ///< dec_keys of this one; nothing: enc_keys of a new one
  Instant deadline;                   ///< when this end gives up by itself; a key source may retry until then
};

/// The session is over for good.
struct Closed {
  Reason reason;
  std::string text;        ///< from this end, or untrusted from the peer: escape it before it meets a terminal
  bool by_peer = false;    ///< the peer's CLOSE or ALERT
  bool truncated = false;  ///< the stream ended, or was closed, before the peer had said that its data was complete
};

using Event = std::variant<Established, AppData, EpochChanged, QkdKeyNeeded, Closed>;

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
class Endpoint {
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

  static constexpr std::size_t kMaxPlaintext = 65'536;
  /// Header, nonce prefix (rc155 only), plaintext and tag.
  static constexpr std::size_t kMaxFrameSize = 22 + 12 + kMaxPlaintext + 16;
};

}  // namespace qsp

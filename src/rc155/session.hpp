#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "qsp/crypto.hpp"
#include "qsp/endpoint.hpp"
#include "rc155/keys.hpp"
#include "rc155/messages.hpp"
#include "rc155/record.hpp"
#include "wire/frame.hpp"

/// The Stage155 release candidate's profile, byte for byte (protocol.md §11, SPEC_155). It gives no security: anyone
/// who records a session can compute its keys. docs/rc155.md shows how. Kept for reproduction and interoperability.
namespace qsp::rc155 {

/// Makes one end of an rc155 session. `provider` outlives it.
/// Error: Provider/INTERNAL_ERROR.
Result<std::unique_ptr<Endpoint>> dangerous_make_session(Role role, crypto::Provider& provider);

/// SPEC_155 §9. `Rekey`: a server that waits for the ACK, or a client that still receives the previous epoch.
enum class State : std::uint8_t { Handshake, Established, Rekey, Closed };

/// What a test or a fuzzer may see of a session. Nothing secret.
struct Snapshot {
  State state;
  std::uint32_t epoch;           ///< as Endpoint::epoch
  std::uint32_t previous_epoch;  ///< also still received; 0: none
  std::uint32_t sent;            ///< seq of the last sealed frame; 0: none
  std::uint32_t received;        ///< seq of the last opened frame; 0: none

  bool operator==(const Snapshot&) const = default;
};

/// The state machine of both roles. Beyond Endpoint's contract:
/// - The server leads: request_rekey on a client, or while a rekey is in flight, is ApiMisuse.
/// - The handshake's time runs from the first call that carries `now`; until then next_timeout() is already due, so a
///   driver that follows it starts that clock.
/// - Stage155 has no END. `end` given to seal_app_data stops this end's writing and is not told to the peer; CLOSE
/// NORMAL
///   of either end is what calls the data complete, every other end of a session is truncation.
class Session final : public Endpoint {
 public:
  static Result<std::unique_ptr<Session>> dangerous_make(Role role, crypto::Provider& provider);

  std::size_t handle_bytes(MutableBytes in, Instant now) override;
  [[nodiscard]] std::size_t bytes_needed() const noexcept override { return bytes_needed_; }
  void handle_end_of_stream(Instant now) override;
  [[nodiscard]] std::optional<Instant> next_timeout() const noexcept override;
  void handle_timeout(Instant now) override;
  std::optional<Event> poll_event() override;
  std::size_t poll_transmit(MutableBytes out) override;
  [[nodiscard]] FrameRoom frame_room() const noexcept override { return {kFrameHead, kFrameTail}; }
  Result<void> seal_app_data(MutableBytes frame, std::size_t size, bool end, Instant now) override;
  Result<void> request_rekey(Instant now) override;
  void close(Reason reason, std::string_view text) override;
  [[nodiscard]] Phase phase() const noexcept override;
  [[nodiscard]] std::uint64_t session_id() const noexcept override { return record_.session_id(); }
  [[nodiscard]] std::uint32_t epoch() const noexcept override { return record_.epoch(); }

  [[nodiscard]] Snapshot snapshot() const noexcept;

 private:
  friend struct SessionTestAccess;

  Session(Role role, crypto::Provider& provider);

  void start_clock(Instant now) noexcept;
  Result<void> check_header(const wire::FrameHeader& header) const noexcept;
  Result<void> handle_frame(const wire::FrameView& frame);
  Result<void> handle_client_hello(const wire::FrameView& frame);
  Result<void> handle_server_hello(const wire::FrameView& frame);
  Result<void> handle_init(const wire::FrameView& frame);
  Result<void> handle_ack(const wire::FrameView& frame);
  Result<void> handle_close(const wire::FrameView& frame);

  Result<void> establish(const HelloNonce& client, const ServerHello& server);
  Result<void> send_init(Instant now);
  Result<MutableBytes> open(const wire::FrameView& frame, std::string_view label);
  Result<void> commit(std::uint32_t new_epoch, Bytes material, Record::Previous previous);
  MutableBytes queue(std::size_t size);
  void queue_hello(std::uint64_t session_id, std::size_t payload_size);
  Result<void> queue_rekey(RekeyType type, std::uint32_t new_epoch, std::span<const std::uint8_t, kRekeyBodySize> body);
  Result<void> seal_queued(wire::FrameType type, std::string_view label, std::size_t size);

  /// Whether the peer is told; it is not where it reads no more, or said CLOSE itself.
  enum class Farewell : bool { None, SealedClose };
  void end(Closed&& closed, Farewell farewell = Farewell::SealedClose);

  // What a driver has not polled yet. One call of handle_bytes fills at most one of the first three.
  std::optional<std::uint64_t> established_event_;
  std::optional<std::uint32_t> epoch_event_;
  std::optional<MutableBytes> data_event_;
  std::optional<Closed> closed_event_;

  crypto::Provider* provider_;
  Record record_;
  EpochKey epoch_key_;
  Material material_;  ///< of the INIT in flight; zeros otherwise
  HelloNonce client_nonce_{};
  std::vector<std::uint8_t> transmit_;  ///< control frames; the room is kept once they are polled
  std::size_t transmitted_ = 0;
  std::size_t bytes_needed_ = wire::kFrameHeaderSize;
  std::optional<Instant> deadline_;  ///< of the handshake, or of a server's rekey
  wire::FrameBounds bounds_;
  Role role_;
  State state_ = State::Handshake;
  bool wrote_end_ = false;
};

}  // namespace qsp::rc155

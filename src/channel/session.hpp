#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "channel/disclosure.hpp"
#include "handshake/client.hpp"
#include "handshake/server.hpp"
#include "qsp/channel.hpp"
#include "qsp/secret_bytes.hpp"
#include "record/stream/stream.hpp"
#include "schedule/schedule.hpp"
#include "wire/rekey.hpp"

namespace qsp::channel {

/// What lives only until Established: the options, the machine, and its deadlines.
struct Opening {
  Opening(handshake::Environment environment, ClientOptions&& given, Instant now)
      : options(std::move(given)),
        machine(std::in_place_type<handshake::Client>, environment, std::get<ClientOptions>(options)),
        started(now),
        deadline(now + std::get<ClientOptions>(options).handshake_timeout) {}
  Opening(handshake::Environment environment, ServerOptions&& given, Instant now)
      : options(std::move(given)),
        machine(std::in_place_type<handshake::Server>, environment, std::get<ServerOptions>(options)),
        started(now),
        deadline(now + std::get<ServerOptions>(options).handshake_timeout) {}
  Opening(const Opening&) = delete;  // the machine points to the options
  Opening& operator=(const Opening&) = delete;
  ~Opening() = default;

  std::variant<ClientOptions, ServerOptions> options;
  std::variant<handshake::Client, handshake::Server> machine;
  Instant started;
  Instant deadline;
  std::optional<Instant> qkd_deadline;  ///< set while the machine waits for a QKD key
  bool kme_has_fair_time = false;       ///< until then, so that silence is the KME's failure
};

/// SPEC §7.5: "Each KME step of a rekey, including repeated calls … and the wait for the budget, ends after 20 s".
inline constexpr std::chrono::seconds kKmeStep{20};

// The server's part in a rekey (SPEC §7).
struct AwaitEncKey {
  Instant deadline;
};
struct AwaitAck {
  SecretBytes init;  ///< the plaintext of INIT, which holds the rekey's material
  std::unique_ptr<crypto::KemPrivateKey> kem_key;
  std::optional<DeliveredKey> qkd_key;
  Instant deadline;
};
// The client's.
struct AwaitDecKey {
  SecretBytes init;  ///< the plaintext of INIT, which holds the rekey's material
  std::string key_id;
  Instant deadline;
};
struct AwaitDone {
  schedule::Exporter exporter;  ///< not used before DONE (SPEC §6)
  Instant deadline;
};
struct NoRekey {};
using Rekey = std::variant<NoRekey, AwaitEncKey, AwaitAck, AwaitDecKey, AwaitDone>;

/// What both ends have from Established on.
struct Live {
  handshake::Agreement agreement;
  RekeyPolicy policy;
  schedule::Ratchet ratchet;
  schedule::Exporter exporter;
  std::uint32_t exporter_epoch = 1;
  std::optional<schedule::Exporter> previous_exporter;
  EpochStatus current;
  std::optional<EpochStatus> previous;
  Instant epoch_began;
  Rekey rekey;
  /// Server: a rekey is due at this time. It stays set until its epoch ends.
  std::optional<Instant> due;
  bool backing_off = false;  ///< server: `due` is the next attempt after a failed one, which no other trigger hastens
  std::optional<Instant> last_client_request;
  bool requested = false;   ///< client: REQ was sent in this epoch; server: one was received
  bool qkd_outage = false;  ///< the last attempt of this epoch failed at a KME, here or there
  bool ended_here = false, ended_there = false;
};

/// What the KEM refuses of a peer's share or ciphertext is REKEY_FAILED in a rekey (SPEC §3.1); a provider that fails
/// stays what it is.
Error in_rekey(const Error& error, std::string_view where) noexcept;

/// The one implementation of Channel. Its parts stand in one file each: session.cpp (frames in and out, close),
/// opening.cpp (the handshake), rekey_server.cpp, rekey_client.cpp, timers.cpp, status.cpp.
class Session final : public Channel {
 public:
  Session(Role role, crypto::Provider& provider, schedule::DangerousKeyLog* log) noexcept;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() override;

  Result<void> open(ClientOptions options, Instant now);
  Result<void> open(ServerOptions options, Instant now);

  std::size_t handle_bytes(MutableBytes in, Instant now) override;
  [[nodiscard]] std::size_t bytes_needed() const noexcept override { return bytes_needed_; }
  void handle_end_of_stream(Instant now) override;
  [[nodiscard]] std::optional<Instant> next_timeout() const noexcept override;
  void handle_timeout(Instant now) override;
  std::optional<Event> poll_event() override;
  std::size_t poll_transmit(MutableBytes out) override;
  [[nodiscard]] FrameRoom frame_room() const noexcept override;
  Result<void> seal_app_data(MutableBytes frame, std::size_t size, bool end, Instant now) override;
  Result<void> request_rekey(Instant now) override;
  void close(Reason reason, std::string_view text) override;
  [[nodiscard]] Phase phase() const noexcept override;
  [[nodiscard]] std::uint64_t session_id() const noexcept override { return session_id_; }
  [[nodiscard]] std::uint32_t epoch() const noexcept override;

  Result<void> provide_qkd_key(DeliveredKey&& key, Instant now) override;
  Result<void> fail_qkd_key(QkdFailure why, Instant now) override;
  Result<Exported> export_key(std::string_view label, Bytes context, std::size_t size,
                              std::optional<std::uint32_t> epoch) override;
  [[nodiscard]] bool may_redial_without_qkd() const noexcept override { return may_redial_; }
  [[nodiscard]] std::optional<Presented> presented() const override;
  [[nodiscard]] ChannelStatus status() const override;

 private:
  friend struct TestAccess;  ///< tests/channel/access.hpp: epochs and limits that no test could reach by running

  // session.cpp; what is inline is called there once, in every frame
  inline Result<void> check_header(const wire::FrameHeader& header) const;
  inline Result<void> on_app_data(const wire::FrameView& frame, Instant now);
  Result<void> on_control(const wire::FrameView& frame, Instant now);
  Result<void> on_close(Bytes plaintext);
  Result<void> send_control(wire::FrameType type, Bytes plaintext);
  void die(const Error& error);
  void end(Closed closed);
  void say_goodbye(Reason reason, std::string_view text);
  void wipe_secrets() noexcept;
  void count_received(std::uint32_t epoch, std::size_t size) noexcept;
  [[nodiscard]] schedule::Context schedule() const noexcept { return {provider_.hkdf(), log_}; }

  // opening.cpp
  Result<void> on_handshake_message(Bytes message, std::uint64_t frame_session_id, Instant now);
  Result<void> on_alert(Bytes message);
  Result<void> carry_out(handshake::Actions actions, Instant now);
  Result<void> send_handshake(Bytes message);
  Result<void> use_handshake_keys(handshake::UseHandshakeKeys keys);
  Result<void> establish(handshake::Finished finished, Instant now);
  void send_alert(const Disclosure& disclosure);
  [[nodiscard]] bool peer_verified() const noexcept;
  void fail_opening_key(QkdFailure why);
  [[nodiscard]] bool awaits_qkd_key(Instant now) const noexcept;

  // rekey_server.cpp, rekey_client.cpp
  Result<void> on_rekey(Bytes plaintext, bool first_of_epoch, Instant now);
  Result<void> on(const wire::RekeyInit& init, Bytes plaintext, Instant now);
  Result<void> on(const wire::RekeyAck& ack, Bytes plaintext, Instant now);
  Result<void> on(const wire::RekeyRequest& request, Bytes plaintext, Instant now);
  Result<void> on(const wire::RekeyNak& nak, Bytes plaintext, Instant now);
  Result<void> on(const wire::RekeyDone& done, Bytes plaintext, Instant now);
  /// §7's triggers by frames and bytes, after each frame of data either way.
  Result<void> check_triggers(Instant now) {
    const auto spent = [this](const record::Usage& usage) {
      return usage.frames >= live_->policy.frames || usage.bytes >= live_->policy.bytes;
    };
    if (!spent(sender_.usage()) && !spent(receiver_.usage())) return {};
    return on_trigger(now);
  }
  Result<void> on_trigger(Instant now);
  Result<void> start_rekey(Instant now);
  Result<void> send_init(std::optional<DeliveredKey>&& key, bool kem, Instant now);
  Result<void> without_qkd_key(QkdFailure why, Instant now);
  Result<void> commit_server(schedule::NextEpoch next, bool kem, std::optional<std::string> key_id, Instant now);
  Result<void> provide_rekey_key(DeliveredKey&& key, Instant now);
  Result<void> fail_rekey_key(QkdFailure why, Instant now);
  Result<void> send_request();
  Result<void> send_nak();
  Result<void> send_ack(const wire::RekeyInit& init, Bytes init_bytes, std::optional<QkdKey>&& key, Instant now);
  Result<schedule::Digest> rekey_transcript(Bytes init, Bytes ack) const;
  void begin_epoch(std::uint32_t epoch, bool kem, std::optional<std::string> key_id, Instant now);

  // timers.cpp
  [[nodiscard]] std::optional<Instant> rekey_deadline() const noexcept;
  [[nodiscard]] Instant hard_end() const noexcept;
  [[nodiscard]] bool may_start_rekey() const noexcept;
  [[nodiscard]] std::optional<Instant> trigger_time() const noexcept;
  [[nodiscard]] bool qkd_required() const noexcept;
  Result<void> on_rekey_deadline(Instant now);

  const Role role_;
  crypto::Provider& provider_;
  schedule::DangerousKeyLog* log_;
  record::stream::Sender sender_;
  record::stream::Receiver receiver_;
  std::unique_ptr<Opening> opening_;
  std::unique_ptr<Live> live_;
  std::vector<std::uint8_t> transmit_;  ///< control frames, already sealed
  std::size_t transmitted_ = 0;
  std::optional<AppData> data_;  ///< what nearly every frame brings: an event that comes before `events_`
  std::vector<Event> events_;
  std::unique_ptr<ChannelStatus> last_status_;  ///< of a session that has ended
  std::unique_ptr<const Presented> presented_;  ///< by the peer of a handshake that has failed
  std::uint64_t session_id_ = 0;
  std::size_t bytes_needed_ = wire::kFrameHeaderSize;
  bool closed_ = false;
  bool may_redial_ = false;
};

}  // namespace qsp::channel

#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "handshake/handshake.hpp"
#include "wire/handshake.hpp"

namespace qsp::handshake {

/// The client's side: AwaitServerHello → AwaitServerAuth → [AwaitQkdKey →] AwaitServerFinish → Done.
class Client {
 public:
  /// `options` are checked by the channel and outlive the machine; the first action sends CLIENT_HELLO.
  Client(Environment environment, const ClientOptions& options) noexcept;
  Result<Actions> start();

  /// One whole message of the server. `frame_session_id` is that of its frame's header.
  /// Errors: InvalidMessage/PROTOCOL_ERROR for a malformed or unexpected message; PeerMisbehaved or
  /// PeerIncompatible with HANDSHAKE_FAILED or NO_COMMON_SUITE; Provider.
  Result<Actions> on_message(Bytes message, std::uint64_t frame_session_id);

  /// The key that NeedQkdKey asked for. Errors: KeySource/QKD_UNAVAILABLE for a key or key_ID that SPEC §5 refuses;
  /// ApiMisuse where none is awaited.
  Result<Actions> on_qkd_key(DeliveredKey&& key);

  /// SERVER_AUTH has verified: the peer is the one that was dialled.
  [[nodiscard]] bool peer_verified() const noexcept { return peer_verified_; }
  /// Whom the peer says it is, proved or not: nothing before its AUTH.
  [[nodiscard]] const std::optional<Presented>& presented() const noexcept { return presented_; }
  /// SERVER_HELLO was accepted and CLIENT_AUTH not yet written: the only time a client sends an ALERT (SPEC §5).
  [[nodiscard]] bool may_alert() const noexcept;

  /// What CLIENT_HELLO offers.
  [[nodiscard]] QkdPolicy offer() const noexcept;

 private:
  struct Start {};
  struct AwaitServerHello {
    Transcript transcript;
    std::vector<std::unique_ptr<crypto::KemPrivateKey>> keys;  ///< in the order of options.kems
  };
  struct AwaitServerAuth {
    Transcript transcript;
    schedule::HandshakeSecret secret;
    Agreement agreement;
  };
  struct AwaitQkdKey {
    Transcript transcript;
    schedule::HandshakeSecret secret;
    Agreement agreement;
    PeerVerified verified;
  };
  struct AwaitServerFinish {
    Transcript transcript;
    schedule::MasterSecret master;
    schedule::Digest th4;
    Agreement agreement;
    PeerVerified verified;
  };
  struct Done {};

  template <class From, class To>
  static constexpr bool kSuccessor = false;

  [[nodiscard]] Result<wire::CodeList> verifiable() const;
  Result<Actions> on(AwaitServerHello& state, Bytes message, std::uint64_t frame_session_id);
  Result<Actions> on(AwaitServerAuth& state, Bytes message);
  Result<Actions> on(AwaitServerFinish& state, Bytes message);
  Result<void> check_choice(const wire::ServerHello& hello, std::uint64_t frame_session_id) const;
  /// Writes CLIENT_AUTH and goes on to AwaitServerFinish.
  template <class From>
  Result<Actions> authenticate(From& state, PeerVerified verified, std::optional<QkdKey>&& qkd_key);
  template <class To, class From>
  void advance(From& from, To&& to);

  Environment environment_;
  const ClientOptions* options_;
  wire::CodeList offered_signatures_;
  bool peer_verified_ = false;
  std::optional<Presented> presented_;
  std::variant<Start, AwaitServerHello, AwaitServerAuth, AwaitQkdKey, AwaitServerFinish, Done> state_;
};

}  // namespace qsp::handshake

#pragma once

#include <optional>
#include <variant>

#include "handshake/handshake.hpp"
#include "wire/handshake.hpp"

namespace qsp::handshake {

/// The server's side: AwaitClientHello → AwaitClientAuth → [AwaitQkdKey →] Done.
class Server {
 public:
  /// `options` are checked by the channel and outlive the machine.
  Server(Environment environment, const ServerOptions& options) noexcept;

  /// One whole message of the client. Errors: as handshake::Client::on_message.
  Result<Actions> on_message(Bytes message);

  /// The key that NeedQkdKey asked for. Errors: KeySource/QKD_UNAVAILABLE for a key_ID other than the one asked for;
  /// PeerMisbehaved/HANDSHAKE_FAILED where the client's confirm shows another key; ApiMisuse where none is awaited.
  Result<Actions> on_qkd_key(DeliveredKey&& key);

  /// The client's signature has verified. Until then an ALERT tells no precise reason (SPEC §5).
  [[nodiscard]] bool peer_verified() const noexcept { return peer_verified_; }
  /// Whom the peer says it is, proved or not: nothing before its AUTH.
  [[nodiscard]] const std::optional<Presented>& presented() const noexcept { return presented_; }

 private:
  struct AwaitClientHello {};
  struct AwaitClientAuth {
    Transcript transcript;
    schedule::HandshakeSecret secret;
    Agreement agreement;
  };
  /// CLIENT_AUTH has verified; its confirm is not checked yet.
  struct AwaitQkdKey {
    Transcript transcript;  ///< without CLIENT_AUTH's confirm
    schedule::HandshakeSecret secret;
    Agreement agreement;
    std::array<std::uint8_t, 32> confirm;
    PeerVerified verified;
  };
  struct Done {};

  template <class From, class To>
  static constexpr bool kSuccessor = false;

  struct Choice {
    const crypto::Kem* kem = nullptr;
    Bytes share;
    const crypto::Signer* signer = nullptr;
    Agreement agreement;
  };

  Result<Actions> on(AwaitClientHello& state, Bytes message);
  Result<Actions> on(AwaitClientAuth& state, Bytes message);
  [[nodiscard]] Result<Choice> choose(const wire::ClientHello& hello) const;
  [[nodiscard]] Result<std::vector<std::uint8_t>> server_auth(const Choice& choice, const Transcript& transcript) const;
  [[nodiscard]] Result<const Peer*> authorise(const wire::ClientAuth& auth) const;
  [[nodiscard]] Result<void> apply_policy(const Peer& peer, const wire::ClientAuth& auth,
                                          const Agreement& agreement) const;
  Result<Actions> finish(AwaitQkdKey&& state, std::optional<QkdKey>&& qkd_key);
  template <class To, class From>
  void advance(From& from, To&& to);

  Environment environment_;
  const ServerOptions* options_;
  bool peer_verified_ = false;
  std::optional<Presented> presented_;
  std::variant<AwaitClientHello, AwaitClientAuth, AwaitQkdKey, Done> state_;
};

}  // namespace qsp::handshake

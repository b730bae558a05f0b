#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "qsp/crypto.hpp"
#include "qsp/endpoint.hpp"
#include "qsp/export.hpp"
#include "qsp/peer.hpp"

/// QSP 1.0 without I/O: an authenticated handshake from a KEM and a QKD key, epochs, rekey and close (docs/SPEC.md).
namespace qsp {

/// When and how an end changes keys (SPEC §7). The server leads; a client's triggers ask it to.
struct RekeyPolicy {
  bool light = false;  ///< server: without a fresh KEM key (forward secrecy only; a leaked key does not heal)
  std::chrono::nanoseconds interval = std::chrono::seconds(120);
  std::uint64_t frames = std::uint64_t{1} << 24;                   ///< per direction and epoch
  std::uint64_t bytes = std::uint64_t{1} << 36;                    ///< of plaintext, likewise
  std::chrono::nanoseconds timer = std::chrono::seconds(180);      ///< INIT to ACK, ACK to DONE
  std::chrono::nanoseconds hard_life = std::chrono::seconds(420);  ///< of an epoch, beyond `interval`
  bool dangerous_short_timers = false;  ///< admits a timer below 60 s: tests and demonstrations only
};

/// What a client configures, and a server below: fill them by name, ClientOptions{.signer = …, .peer = …}. What they
/// have in common has the same names and defaults. Lists are best first, one to eight items, no repeats.
struct ClientOptions {
  const crypto::Signer* signer = nullptr;   ///< of this end; outlives the channel
  Peer peer{};                              ///< the one that is dialled, and its QKD policy
  bool redial_without_qkd = false;          ///< offer QKD "none" once, where may_redial_without_qkd() allowed it
  std::vector<std::string> applications{};  ///< application protocols, each 1…255 bytes; empty: none offered
  std::string sae_id{};                     ///< this end's SAE ID, 1…255 bytes where QKD is used
  std::vector<crypto::KemId> kems{crypto::KemId::X25519MlKem768};
  std::vector<crypto::AeadId> aeads{crypto::AeadId::Aes256Gcm, crypto::AeadId::ChaCha20Poly1305};
  RekeyPolicy rekey{};
  std::chrono::nanoseconds handshake_timeout = std::chrono::seconds(10);
};

struct ServerOptions {
  std::vector<const crypto::Signer*> signers{};  ///< best first; several while a key is rolled; outlive the channel
  const PeerDirectory* peers = nullptr;          ///< outlives the channel
  QkdPolicy qkd = QkdPolicy::None;               ///< of the listener, before it knows who is calling (SPEC §5)
  std::vector<std::string> applications{};       ///< as ClientOptions has them
  std::string sae_id{};
  std::vector<crypto::KemId> kems{crypto::KemId::X25519MlKem768};
  std::vector<crypto::AeadId> aeads{crypto::AeadId::Aes256Gcm, crypto::AeadId::ChaCha20Poly1305};
  std::vector<crypto::SignatureId> client_signatures{crypto::SignatureId::MlDsa65, crypto::SignatureId::Ed25519MlDsa65,
                                                     crypto::SignatureId::MlDsa87, crypto::SignatureId::MlDsa44};
  RekeyPolicy rekey{};
  std::chrono::nanoseconds handshake_timeout = std::chrono::seconds(10);
};

/// One end of a QSP 1.0 session.
class QSP_EXPORT Channel : public Endpoint {
 public:
  /// Makes a client, whose CLIENT_HELLO waits in poll_transmit, or a server. `provider` outlives the channel.
  /// Of the algorithms in `options` it uses those that the provider has (crypto::Capabilities).
  /// Errors: ApiMisuse for options out of bounds; Provider, also where none is left of a kind.
  static Result<std::unique_ptr<Channel>> client(crypto::Provider& provider, const ClientOptions& options, Instant now);
  static Result<std::unique_ptr<Channel>> server(crypto::Provider& provider, const ServerOptions& options, Instant now);
};

}  // namespace qsp

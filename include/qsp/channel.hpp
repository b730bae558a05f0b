#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qsp/crypto.hpp"
#include "qsp/endpoint.hpp"
#include "qsp/peer.hpp"
#include "qsp/secret.hpp"

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

/// What both roles configure. Lists are best first, one to eight items, no repeats.
struct ChannelOptions {
  std::vector<crypto::KemId> kems{crypto::KemId::X25519MlKem768};
  std::vector<crypto::AeadId> aeads{crypto::AeadId::Aes256Gcm, crypto::AeadId::ChaCha20Poly1305};
  std::vector<std::string> applications;  ///< application protocols, each 1…255 bytes; empty: none offered
  std::string sae_id;                     ///< this end's SAE ID, 1…255 bytes where QKD is used
  RekeyPolicy rekey;
  std::chrono::nanoseconds handshake_timeout = std::chrono::seconds(10);
};

struct ClientOptions : ChannelOptions {
  const crypto::Signer* signer = nullptr;  ///< outlives the channel
  Peer peer;                               ///< the one that is dialled, and its QKD policy
  bool redial_without_qkd = false;         ///< offer QKD "none" once, where may_redial_without_qkd() allowed it
};

struct ServerOptions : ChannelOptions {
  std::vector<const crypto::Signer*> signers;  ///< best first; several while a key is rolled; outlive the channel
  std::vector<crypto::SignatureId> client_signatures{crypto::SignatureId::MlDsa65, crypto::SignatureId::Ed25519MlDsa65,
                                                     crypto::SignatureId::MlDsa87, crypto::SignatureId::MlDsa44};
  const PeerDirectory* peers = nullptr;  ///< outlives the channel
  QkdPolicy qkd = QkdPolicy::None;       ///< of the listener, before it knows who is calling (SPEC §5)
};

/// Why a key source could not deliver.
enum class QkdFailure : std::uint8_t {
  Unavailable,  ///< the KME is down, empty, slow, or its answer was refused
  Budget,       ///< this end's own budget of fetches is spent: never a reason to go on without QKD. A server's rekey
                ///< tries again by itself: say so at once; a client's may wait for the refill until the deadline
};

/// What went into the keys of one epoch, and what they have carried.
struct EpochStatus {
  std::uint32_t epoch = 0;
  bool kem = false;                   ///< a fresh KEM secret is in the key
  std::optional<std::string> key_id;  ///< the QKD key that is in the key
  Instant confirmed{};                ///< when this end knew that both held it
  std::uint64_t frames_sent = 0, frames_received = 0;
  std::uint64_t bytes_sent = 0, bytes_received = 0;  ///< of plaintext
};

struct ChannelStatus {
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
};

/// A key for use outside the channel, bound to an epoch (SPEC §6).
struct Exported {
  std::uint32_t epoch;
  std::vector<std::uint8_t> key;  ///< the caller wipes it
};

/// Whom a peer said it is, proved or not.
struct Presented {
  Identity identity;
  std::optional<std::string> sae_id;  ///< where QKD was agreed on: 1…255 bytes of any value, to be escaped
};

class Channel : public Endpoint {
 public:
  /// Makes a client, whose CLIENT_HELLO waits in poll_transmit, or a server. `provider` outlives the channel.
  /// Errors: ApiMisuse for options out of bounds; Provider.
  static Result<std::unique_ptr<Channel>> client(crypto::Provider& provider, const ClientOptions& options, Instant now);
  static Result<std::unique_ptr<Channel>> server(crypto::Provider& provider, const ServerOptions& options, Instant now);

  /// Answers the last QkdKeyNeeded. `key_id` is a UUID of 36 characters. Error: ApiMisuse if nothing is awaited, which
  /// is also so after its deadline; the key is wiped in any case.
  virtual Result<void> provide_qkd_key(std::string_view key_id, QkdKey&& key, Instant now) = 0;
  virtual Result<void> fail_qkd_key(QkdFailure why, Instant now) = 0;

  /// A key of `size` bytes (1…255·32) for `label` (at most 200 bytes; none that begins with "qsp1 ", which are QSP's
  /// own) and `context`, from the current epoch, or from `epoch` where its exporter is still kept (the previous one).
  /// Error: ApiMisuse.
  virtual Result<Exported> export_key(std::string_view label, Bytes context, std::size_t size,
                                      std::optional<std::uint32_t> epoch = std::nullopt) = 0;

  /// True after a handshake that a "preferred" client may repeat once with redial_without_qkd (SPEC §5).
  [[nodiscard]] virtual bool may_redial_without_qkd() const noexcept = 0;

  [[nodiscard]] virtual ChannelStatus status() const = 0;

  /// After a handshake that failed: what the peer presented, if it came so far. For this end's own log: SPEC §5.8 says
  /// what the peer may learn.
  [[nodiscard]] virtual std::optional<Presented> presented() const { return std::nullopt; }
};

}  // namespace qsp

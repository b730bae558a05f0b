#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "qsp/channel.hpp"
#include "schedule/schedule.hpp"

/// What the two handshake machines of SPEC §5 have in common. A machine takes whole plaintext messages and answers with
/// actions; frames, sealing and time are the channel's. After an error a machine is not used again.
namespace qsp::handshake {

/// What both ends have agreed on, and with whom.
struct Agreement {
  std::uint64_t session_id = 0;
  crypto::KemId kem{};
  crypto::AeadId aead{};
  crypto::SignatureId local_signature{}, peer_signature{};
  bool qkd = false;                    ///< qkd_mode 1
  QkdPolicy offer = QkdPolicy::None;   ///< the client's qkd_offer
  QkdPolicy policy = QkdPolicy::None;  ///< this end's own, for this peer
  std::string peer;                    ///< its pinned name
  std::string peer_sae_id;             ///< mode 1 only
  bool rekey_demands_kem = false;
  std::string application;            ///< empty: none
  std::optional<std::string> key_id;  ///< of the QKD key in epoch 1
};

/// The peer said something that no honest one says.
inline std::unexpected<Error> refused(std::string_view where) noexcept {
  return fail(ErrorKind::PeerMisbehaved, Reason::HandshakeFailed, where);
}

/// What an AUTH says of its sender. `sae_id`: of qkd_mode 1.
inline Presented present(const Identity& identity, std::string_view sae_id, bool qkd) {
  return {.identity = identity, .sae_id = qkd ? std::optional<std::string>(sae_id) : std::nullopt};
}

/// From now on every header carries this session_id.
struct UseSession {
  std::uint64_t session_id;
};
/// A message to send in one HANDSHAKE frame.
struct SendMessage {
  std::vector<std::uint8_t> bytes;
};
/// From now on both directions are sealed under these.
struct UseHandshakeKeys {
  crypto::AeadId aead;
  schedule::TrafficKeys keys;
};
/// The peer is authenticated, and the machine waits for on_qkd_key.
struct NeedQkdKey {
  std::string sae_id;
  std::optional<std::string> key_id;
};
/// Both confirms stand: epoch 1 begins.
struct Finished {
  schedule::EpochSecret epoch;
  Agreement agreement;
};

using Action = std::variant<UseSession, SendMessage, UseHandshakeKeys, NeedQkdKey, Finished>;
/// In the order in which they are to be carried out.
using Actions = std::vector<Action>;

/// What both machines need while they run; all of it outlives them.
struct Environment {
  crypto::Provider& provider;
  schedule::DangerousKeyLog* log = nullptr;

  [[nodiscard]] schedule::Context schedule() const noexcept { return {provider.hkdf(), log}; }
};

/// The messages so far, joined, and TH over them (SPEC §5).
class Transcript {
 public:
  void add(Bytes message) { messages_.insert(messages_.end(), message.begin(), message.end()); }
  /// TH over what was added and, behind it, the first part of a message that was not.
  [[nodiscard]] Result<schedule::Digest> hash(crypto::Hkdf& hkdf, Bytes partial = {}) const {
    return schedule::transcript_hash(hkdf, {messages_, partial});
  }

 private:
  std::vector<std::uint8_t> messages_;
};

/// Exists only where a peer's signature over the transcript has verified under a key pinned for it. Without one there
/// is no QKD fetch and no Finished.
class PeerVerified {
 public:
  /// `context` is "QSP/1.0 server auth" or "QSP/1.0 client auth". Error: PeerMisbehaved/HANDSHAKE_FAILED; Provider.
  static Result<PeerVerified> check(crypto::Provider& provider, const crypto::PublicKey& key, std::string_view context,
                                    const schedule::Digest& transcript, Bytes signature);

 private:
  PeerVerified() = default;
};

/// Signs `context ‖ 0x00 ‖ transcript`.
Result<std::vector<std::uint8_t>> sign(crypto::Provider& provider, const crypto::Signer& signer,
                                       std::string_view context, const schedule::Digest& transcript);

inline constexpr std::string_view kServerAuthContext = "QSP/1.0 server auth";
inline constexpr std::string_view kClientAuthContext = "QSP/1.0 client auth";

/// Whether a list (of versions, algorithms or application protocols) holds `item`.
template <class List, class Item>
bool contains(const List& items, const Item& item) noexcept {
  for (const auto& candidate : items) {
    if (candidate == item) return true;
  }
  return false;
}

}  // namespace qsp::handshake

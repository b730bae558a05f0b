#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "qsp/crypto.hpp"
#include "qsp/export.hpp"

namespace qsp {

/// SHA-256 over the SubjectPublicKeyInfo of a key; for the composite, over both of its in turn (SPEC §4).
using Identity = std::array<std::uint8_t, 32>;

/// What an end wants of QKD keys; the values are those of qkd_offer on the wire (SPEC §5).
enum class QkdPolicy : std::uint8_t { None = 0, Preferred = 1, Required = 2 };

/// A key that a peer may prove, with its identity on the wire.
struct PinnedKey {
  crypto::PublicKey key;
  Identity identity;
};

/// The identity of a key on the wire (SPEC §4). Errors: ApiMisuse where the key has not its algorithm's size; Provider.
QSP_EXPORT Result<Identity> identity_of(const crypto::PublicKey& key, crypto::Hkdf& hkdf);

/// The key together with its identity. Errors as identity_of.
QSP_EXPORT Result<PinnedKey> pin(crypto::PublicKey key, crypto::Hkdf& hkdf);

/// A peer that this end knows and what it may do. Nothing else about it is believed from the wire.
struct Peer {
  std::string name{};             ///< local, for people
  std::vector<PinnedKey> keys{};  ///< best first; more than one only while a key is being rolled
  bool may_connect = false;       ///< may be a client of this end's server
  bool may_serve = false;         ///< may be dialled
  QkdPolicy qkd = QkdPolicy::None;
  std::string sae_id{};            ///< pinned SAE ID, 1…255 bytes where qkd is not None
  bool rekey_demands_kem = false;  ///< refuse a rekey without a fresh KEM key
};

/// The pinned peers of a server.
class QSP_EXPORT PeerDirectory {
 public:
  virtual ~PeerDirectory() = default;
  /// The peer that owns an identity, or null. The pointer lives as long as the directory.
  [[nodiscard]] virtual const Peer* find(const Identity& identity) const = 0;
};

}  // namespace qsp

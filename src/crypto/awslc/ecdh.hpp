#pragma once

#include <openssl/ec_key.h>

#include "base/owned.hpp"
#include "crypto/hybrid_kem.hpp"
#include "qsp/crypto.hpp"

namespace qsp::crypto::awslc {

/// Elliptic-curve Diffie-Hellman with ephemeral keys: the classical half of a hybrid KEM.
class Ecdh {
 public:
  struct PrivateKey {
    Secret<32, struct X25519KeyTag> x25519;
    Owned<EC_KEY, EC_KEY_free> ec;  ///< null for X25519
  };

  explicit Ecdh(Curve curve) noexcept : curve_(curve) {}

  /// Draws the private key from `rng` and writes the public share to `share`: X25519's is the 32 bytes drawn (RFC 7748
  /// §5 clamps them in use); a P-curve's comes from as many bytes as its order has by RFC 9180 §7.1.3's DeriveKeyPair.
  Result<PrivateKey> generate(Rng& rng, MutableBytes share) const;
  /// The shared X coordinate. Error: InvalidMessage/HANDSHAKE_FAILED for a peer's share that is not an uncompressed
  /// point of the curve, or makes X25519's result all zeros (RFC 7748 §6.1).
  Result<void> agree(const PrivateKey& own, Bytes peer_share, MutableBytes secret) const;

 private:
  [[nodiscard]] const EC_GROUP* group() const noexcept;
  [[nodiscard]] Result<void> agree_on_curve(const EC_KEY* own, Bytes peer_share, MutableBytes secret) const;

  Curve curve_;
};

}  // namespace qsp::crypto::awslc

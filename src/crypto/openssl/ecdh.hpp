#pragma once

#include "crypto/hybrid_kem.hpp"
#include "crypto/openssl/library.hpp"
#include "qsp/crypto.hpp"

namespace qsp::crypto::openssl {

/// Elliptic-curve Diffie-Hellman with ephemeral keys: the classical half of a hybrid KEM.
class Ecdh {
 public:
  using PrivateKey = Pkey;

  static Fetched<Ecdh> make(const Library& library, Curve curve);

  /// Draws the private key from `rng` and writes the public share to `share`: X25519's is the 32 bytes drawn (RFC 7748
  /// §5 clamps them in use); a P-curve's comes from as many bytes as its order has by RFC 9180 §7.1.3's DeriveKeyPair.
  Result<Pkey> generate(Rng& rng, MutableBytes share) const;
  /// The shared X coordinate. Error: InvalidMessage/HANDSHAKE_FAILED for a peer's share that is not an uncompressed
  /// point of the curve, or makes X25519's result all zeros (RFC 7748 §6.1).
  Result<void> agree(const Pkey& own, Bytes peer_share, MutableBytes secret) const;

 private:
  /// What OpenSSL calls a curve.
  struct Row {
    Curve curve;
    const char* key_type;
    const char* exchange;
    const char* group;  ///< null where the key type names the curve
  };
  Ecdh(const Library& library, const Row& curve) noexcept : library_(&library), curve_(&curve) {}

  static const Row& row(Curve curve) noexcept;

  const Library* library_;
  const Row* curve_;
};

}  // namespace qsp::crypto::openssl

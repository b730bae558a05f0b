#pragma once

#include "qsp/crypto.hpp"
#include "qsp/secret_bytes.hpp"

namespace qsp::crypto::awslc {

/// One parameter set of ML-KEM (FIPS 203), its randomness taken from the caller's Rng.
class MlKem {
 public:
  using PrivateKey = SecretBytes;

  /// `id`: a pure ML-KEM.
  explicit MlKem(KemId id) noexcept;

  /// Draws d ‖ z (FIPS 203 §7.1) and writes the encapsulation key to `public_key`.
  Result<SecretBytes> generate(Rng& rng, MutableBytes public_key) const;
  /// Draws m (FIPS 203 §7.2). Error: InvalidMessage/HANDSHAKE_FAILED for a key that fails §7.2's checks.
  Result<void> encapsulate(Bytes public_key, Rng& rng, MutableBytes ciphertext, MutableBytes secret) const;
  /// Precondition: `ciphertext` has the right length.
  Result<void> decapsulate(const SecretBytes& key, Bytes ciphertext, MutableBytes secret) const;

  /// AWS-LC's functions of one parameter set.
  struct Functions;

 private:
  const Functions* functions_;
};

}  // namespace qsp::crypto::awslc

#pragma once

#include "crypto/openssl/library.hpp"
#include "qsp/crypto.hpp"

namespace qsp::crypto::openssl {

/// One parameter set of ML-KEM (FIPS 203), its randomness taken from the caller's Rng.
class MlKem {
 public:
  using PrivateKey = Pkey;

  /// `name`: static, as OpenSSL fetches it ("ML-KEM-768").
  static Fetched<MlKem> make(const Library& library, const char* name);

  /// Draws d ‖ z (FIPS 203 §7.1) and writes the encapsulation key to `public_key`.
  Result<Pkey> generate(Rng& rng, MutableBytes public_key) const;
  /// Draws m (FIPS 203 §7.2). Error: InvalidMessage/HANDSHAKE_FAILED for a key that fails §7.2's checks.
  Result<void> encapsulate(Bytes public_key, Rng& rng, MutableBytes ciphertext, MutableBytes secret) const;
  /// Precondition: `ciphertext` has the right length.
  Result<void> decapsulate(const Pkey& key, Bytes ciphertext, MutableBytes secret) const;

 private:
  MlKem(const Library& library, const char* name) noexcept : library_(&library), name_(name) {}

  const Library* library_;
  const char* name_;
};

}  // namespace qsp::crypto::openssl

#pragma once

#include "crypto/openssl/library.hpp"
#include "qsp/crypto.hpp"

namespace qsp::crypto::openssl {

/// One parameter set of ML-KEM (FIPS 203), its randomness taken from the caller's Rng.
class MlKem {
 public:
  struct Sizes {
    std::size_t public_key;
    std::size_t ciphertext;
  };
  static constexpr std::size_t kSecretSize = 32;

  /// `name`: static, as OpenSSL fetches it ("ML-KEM-768").
  static Fetched<MlKem> make(const Library& library, const char* name, Sizes sizes);

  [[nodiscard]] Sizes sizes() const noexcept { return sizes_; }

  /// Draws d ‖ z (FIPS 203 §7.1) and writes the encapsulation key to `public_key`.
  Result<Pkey> generate(Rng& rng, MutableBytes public_key) const;
  /// Draws m (FIPS 203 §7.2). Error: InvalidMessage/HANDSHAKE_FAILED for a key that fails §7.2's checks.
  Result<void> encapsulate(Bytes public_key, Rng& rng, MutableBytes ciphertext, MutableBytes secret) const;
  /// Precondition: `ciphertext` has the right length.
  Result<void> decapsulate(EVP_PKEY* key, Bytes ciphertext, MutableBytes secret) const;

 private:
  MlKem(const Library& library, const char* name, Sizes sizes) noexcept
      : library_(&library), name_(name), sizes_(sizes) {}

  const Library* library_;
  const char* name_;
  Sizes sizes_;
};

}  // namespace qsp::crypto::openssl

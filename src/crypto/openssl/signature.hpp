#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "crypto/openssl/library.hpp"
#include "qsp/crypto.hpp"

namespace qsp::crypto::openssl {

/// The signature algorithms of one provider. The signers and verifiers made here keep what they need and may outlive
/// it; verifiers of one key share a context, so all of them stay on the provider's thread.
class SignatureAlgorithms {
 public:
  /// Fetches what the library has. `library` must outlive the object.
  explicit SignatureAlgorithms(const Library& library);

  [[nodiscard]] bool has(SignatureId id) const;

  // Error of the next three, beside their own: lacks(id).

  /// New private keys: one, or Ed25519's and ML-DSA-65's for the composite.
  Result<std::vector<Pkey>> generate(SignatureId id) const;
  /// A signer over keys that `generate` made or a file held. Error: ApiMisuse where they are not an algorithm of QSP.
  Result<std::unique_ptr<Signer>> signer(std::vector<Pkey> keys) const;
  /// The last kKeptVerifiers keys stay imported: a peer's is asked for at each of its handshakes.
  /// Error: ApiMisuse for a public key of the wrong length.
  Result<std::unique_ptr<Verifier>> verifier(const PublicKey& key);

  /// An algorithm that the library itself knows; the composite is two of them.
  struct Row {
    SignatureId id;
    const char* name;
    std::size_t hedge_size;  ///< randomness of a signature in bytes: rnd (FIPS 204 §3.4), opt_rand (FIPS 205 §9.2)
  };
  static constexpr std::array<Row, 5> kRows{{
      {SignatureId::MlDsa65, "ML-DSA-65", 32},
      {SignatureId::MlDsa87, "ML-DSA-87", 32},
      {SignatureId::MlDsa44, "ML-DSA-44", 32},
      {SignatureId::SlhDsaSha2_128s, "SLH-DSA-SHA2-128s", 16},
      {SignatureId::Ed25519, "ED25519", 0},
  }};

 private:
  /// Null where the library lacks the algorithm.
  [[nodiscard]] EVP_SIGNATURE* method(const Row& row) const noexcept;

  Result<std::unique_ptr<Verifier>> make_verifier(const PublicKey& key) const;

  struct Kept {
    PublicKey key;
    std::shared_ptr<const Verifier> verifier;
  };
  static constexpr std::size_t kKeptVerifiers = 16;

  const Library* library_;
  std::vector<Kept> kept_;                             ///< the last asked for comes first
  std::array<SignatureMethod, kRows.size()> methods_;  ///< of kRows, in its order; null where one is missing
};

}  // namespace qsp::crypto::openssl

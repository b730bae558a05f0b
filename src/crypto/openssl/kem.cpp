#include "crypto/openssl/kem.hpp"

#include <optional>
#include <utility>

#include "base/try.hpp"
#include "crypto/hybrid_kem.hpp"
#include "crypto/openssl/ecdh.hpp"
#include "crypto/openssl/ml_kem.hpp"

namespace qsp::crypto::openssl {

Fetched<std::unique_ptr<Kem>> make_kem(const Library& library, KemId id) {
  const Composition made_of = composition(id);
  // The suite table names ML-KEM as OpenSSL does.
  QSP_TRY(MlKem ml_kem, MlKem::make(library, info(made_of.ml_kem).name.data()));
  std::optional<Ecdh> ecdh;
  if (made_of.curve) {
    QSP_TRY(ecdh, Ecdh::make(library, *made_of.curve));
  }
  return std::make_unique<HybridKem<MlKem, Ecdh>>(id, ml_kem, ecdh);
}

}  // namespace qsp::crypto::openssl

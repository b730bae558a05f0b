#include "crypto/openssl/ml_kem.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>

#include "base/try.hpp"
#include "crypto/openssl/pkey.hpp"

namespace qsp::crypto::openssl {
namespace {

struct SeedTag;
using KeySeed = Secret<64, SeedTag>;      // d ‖ z
using MessageSeed = Secret<32, SeedTag>;  // m

}  // namespace

Fetched<MlKem> MlKem::make(const Library& library, const char* name) {
  const KeyManagement keys(EVP_KEYMGMT_fetch(Library::context(), name, library.query()));
  const KemMethod kem(EVP_KEM_fetch(Library::context(), name, library.query()));
  if (!keys || !kem) return std::unexpected<std::string_view>(name);
  return MlKem(library, name);
}

Result<Pkey> MlKem::generate(Rng& rng, MutableBytes public_key) const {
  KeySeed seed;
  QSP_TRY(rng.fill(seed.writable()));
  const std::array params{
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_ML_KEM_SEED, seed.writable().data(), seed.size()),
      OSSL_PARAM_construct_end()};
  Result<Pkey> key = generate_key(*library_, name_, params.data());
  if (!key) return key;
  if (!encoded_public_key(key->get(), public_key)) return fail_provider("ML-KEM: the public key cannot be read");
  return key;
}

Result<void> MlKem::encapsulate(Bytes public_key, Rng& rng, MutableBytes ciphertext, MutableBytes secret) const {
  const Pkey key = import_public_key(*library_, name_, nullptr, public_key);
  if (!key) {
    return fail_clean(ErrorKind::InvalidMessage, Reason::HandshakeFailed, "ML-KEM: the public key fails FIPS 203 §7.2");
  }
  MessageSeed message;
  QSP_TRY(rng.fill(message.writable()));
  const std::array params{
      OSSL_PARAM_construct_octet_string(OSSL_KEM_PARAM_IKME, message.writable().data(), message.size()),
      OSSL_PARAM_construct_end()};
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(Library::context(), key.get(), library_->query()));
  std::size_t ciphertext_size = ciphertext.size();
  std::size_t secret_size = secret.size();
  if (!context || EVP_PKEY_encapsulate_init(context.get(), params.data()) != 1 ||
      EVP_PKEY_encapsulate(context.get(), ciphertext.data(), &ciphertext_size, secret.data(), &secret_size) != 1 ||
      ciphertext_size != ciphertext.size() || secret_size != secret.size()) {
    return fail_provider("ML-KEM: encapsulation failed");
  }
  return {};
}

Result<void> MlKem::decapsulate(const Pkey& key, Bytes ciphertext, MutableBytes secret) const {
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(Library::context(), key.get(), library_->query()));
  std::size_t secret_size = secret.size();
  if (!context || EVP_PKEY_decapsulate_init(context.get(), nullptr) != 1 ||
      EVP_PKEY_decapsulate(context.get(), secret.data(), &secret_size, ciphertext.data(), ciphertext.size()) != 1 ||
      secret_size != secret.size()) {
    return fail_provider("ML-KEM: decapsulation failed");
  }
  return {};
}

}  // namespace qsp::crypto::openssl

#include "crypto/awslc/ml_kem.hpp"

// AWS-LC gives the caller's randomness to ML-KEM only below its public interface.
#include <aws-lc/ml_kem.h>

#include "base/try.hpp"
#include "crypto/awslc/library.hpp"

namespace qsp::crypto::awslc {

struct MlKem::Functions {
  KemId id;
  std::size_t private_key_size;
  decltype(&ml_kem_768_keypair_deterministic) generate;
  decltype(&ml_kem_768_check_pk) check;
  decltype(&ml_kem_768_encapsulate_deterministic) encapsulate;
  decltype(&ml_kem_768_decapsulate) decapsulate;
};

namespace {

constexpr MlKem::Functions kMlKem512{KemId::MlKem512,
                                     MLKEM512_SECRET_KEY_BYTES,
                                     ml_kem_512_keypair_deterministic,
                                     ml_kem_512_check_pk,
                                     ml_kem_512_encapsulate_deterministic,
                                     ml_kem_512_decapsulate};
constexpr MlKem::Functions kMlKem768{KemId::MlKem768,
                                     MLKEM768_SECRET_KEY_BYTES,
                                     ml_kem_768_keypair_deterministic,
                                     ml_kem_768_check_pk,
                                     ml_kem_768_encapsulate_deterministic,
                                     ml_kem_768_decapsulate};
constexpr MlKem::Functions kMlKem1024{KemId::MlKem1024,
                                      MLKEM1024_SECRET_KEY_BYTES,
                                      ml_kem_1024_keypair_deterministic,
                                      ml_kem_1024_check_pk,
                                      ml_kem_1024_encapsulate_deterministic,
                                      ml_kem_1024_decapsulate};

using KeySeed = Secret<64, struct KeySeedTag>;          // d ‖ z
using MessageSeed = Secret<32, struct MessageSeedTag>;  // m

}  // namespace

MlKem::MlKem(KemId id) noexcept
    : functions_(id == KemId::MlKem512   ? &kMlKem512
                 : id == KemId::MlKem768 ? &kMlKem768
                                         : &kMlKem1024) {}

Result<SecretBytes> MlKem::generate(Rng& rng, MutableBytes public_key) const {
  KeySeed seed;
  QSP_TRY(rng.fill(seed.writable()));
  SecretBytes key(functions_->private_key_size);
  std::size_t public_size = public_key.size();
  std::size_t private_size = key.size();
  if (functions_->generate(public_key.data(), &public_size, key.writable().data(), &private_size,
                           seed.reveal().data()) != 0) {
    return fail_provider("a key pair cannot be generated");
  }
  return key;
}

Result<void> MlKem::encapsulate(Bytes public_key, Rng& rng, MutableBytes ciphertext, MutableBytes secret) const {
  if (functions_->check(public_key.data(), public_key.size()) != 0) {
    return fail_clean(ErrorKind::InvalidMessage, Reason::HandshakeFailed, "ML-KEM: the public key fails FIPS 203 §7.2");
  }
  MessageSeed message;
  QSP_TRY(rng.fill(message.writable()));
  std::size_t ciphertext_size = ciphertext.size();
  std::size_t secret_size = secret.size();
  if (functions_->encapsulate(ciphertext.data(), &ciphertext_size, secret.data(), &secret_size, public_key.data(),
                              message.reveal().data()) != 0) {
    return fail_provider("ML-KEM: encapsulation failed");
  }
  return {};
}

Result<void> MlKem::decapsulate(const SecretBytes& key, Bytes ciphertext, MutableBytes secret) const {
  std::size_t secret_size = secret.size();
  if (functions_->decapsulate(secret.data(), &secret_size, ciphertext.data(), key.reveal().data()) != 0) {
    return fail_provider("ML-KEM: decapsulation failed");
  }
  return {};
}

}  // namespace qsp::crypto::awslc

#include <openssl/rand.h>
#include <openssl/service_indicator.h>

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "base/try.hpp"
#include "crypto/awslc/aead.hpp"
#include "crypto/awslc/ecdh.hpp"
#include "crypto/awslc/key_file.hpp"
#include "crypto/awslc/library.hpp"
#include "crypto/awslc/ml_kem.hpp"
#include "crypto/awslc/sha256.hpp"
#include "crypto/awslc/signature.hpp"
#include "crypto/hkdf_of.hpp"
#include "crypto/hybrid_kem.hpp"
#include "crypto/key_file.hpp"
#include "qsp/awslc.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace awslc {
namespace {

class AwsLcRng final : public Rng {
 public:
  Result<void> fill(MutableBytes out) override {
    if (RAND_bytes(out.data(), out.size()) == 1) return {};
    wipe(out);
    return fail_provider("the random generator failed");
  }
};

std::unique_ptr<Kem> make_kem(KemId id) {
  const Composition made_of = composition(id);
  std::optional<Ecdh> ecdh;
  if (made_of.curve) ecdh.emplace(*made_of.curve);
  return std::make_unique<HybridKem<MlKem, Ecdh>>(id, MlKem(made_of.ml_kem), ecdh);
}

class AwsLcProvider final : public Provider {
 public:
  AwsLcProvider() : description_(awslc_version_string()), capabilities_(whole_suite()) {
    std::erase_if(capabilities_.signatures, [](SignatureId id) { return !has(id); });
    for (std::size_t i = 0; i < kKems.size(); ++i) kems_[i] = make_kem(kKems[i].id);
  }

  [[nodiscard]] std::string_view description() const noexcept override { return description_; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return capabilities_; }
  [[nodiscard]] Rng& rng() noexcept override { return rng_; }
  [[nodiscard]] Hkdf& hkdf() noexcept override { return hkdf_; }

  Result<std::unique_ptr<Aead>> aead(AeadId id) override { return make_aead(id); }
  Result<const Kem*> kem(KemId id) override {
    for (const std::unique_ptr<Kem>& kem : kems_) {
      if (kem->id() == id) return kem.get();
    }
    return lacks(id);
  }
  Result<std::unique_ptr<Verifier>> verifier(const PublicKey& key) override { return make_verifier(key); }

  Result<std::unique_ptr<Signer>> load_signer(std::string_view pem, const AskPassphrase& ask) override {
    QSP_TRY(std::vector<KeyPair> keys, read_private_keys(PrivateKeys(), pem, ask));
    return make_signer(std::move(keys));
  }
  Result<PublicKey> load_public_key(std::string_view pem) override { return read_public_key(pem); }
  Result<SecretBytes> generate_private_key(SignatureId id, const std::optional<SecretBytes>& passphrase) override {
    QSP_TRY(const std::vector<KeyPair> keys, generate_key_pairs(id));
    return write_private_keys(keys, passphrase);
  }
  Result<std::string> public_key_pem(const PublicKey& key) override { return write_public_key(key); }

 private:
  std::string description_;
  Capabilities capabilities_;
  AwsLcRng rng_;
  HkdfOf<Sha256> hkdf_{Sha256()};
  std::array<std::unique_ptr<Kem>, kKems.size()> kems_;  ///< of kKems, in its order
};

}  // namespace
}  // namespace awslc

Result<std::unique_ptr<Provider>> make_awslc_provider() { return std::make_unique<awslc::AwsLcProvider>(); }

}  // namespace qsp::crypto

#include "base/try.hpp"
#include "qsp/openssl.hpp"

#include <openssl/crypto.h>

#include <array>
#include <utility>

#include "crypto/hkdf_of.hpp"
#include "crypto/openssl/aead.hpp"
#include "crypto/openssl/kem.hpp"
#include "crypto/openssl/key_file.hpp"
#include "crypto/openssl/keystream.hpp"
#include "crypto/openssl/library.hpp"
#include "crypto/openssl/rng.hpp"
#include "crypto/openssl/sha256.hpp"
#include "crypto/openssl/signature.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace openssl {
namespace {

// What a person reads who starts QSP on an OpenSSL that cannot carry any session.
constexpr std::string_view kNoHash =
    "OpenSSL has no SHA2-256: use OpenSSL 3.5 or newer with its default provider active in openssl.cnf, or change the "
    "property query";
constexpr std::string_view kNoAead =
    "OpenSSL has neither AES-256-GCM nor ChaCha20-Poly1305: activate a provider that has one in openssl.cnf, or change "
    "the property query";
constexpr std::string_view kNoKem =
    "OpenSSL has no ML-KEM: use OpenSSL 3.5 or newer with its default provider active in openssl.cnf, or change the "
    "property query";
constexpr std::string_view kNoSignature =
    "OpenSSL has no ML-DSA, SLH-DSA or Ed25519: use OpenSSL 3.5 or newer with its default provider active in "
    "openssl.cnf, or change the property query";

class OpenSslProvider final : public Provider {
 public:
  /// Nothing is fetched yet; `fetch` comes before any other call.
  explicit OpenSslProvider(const OpenSslOptions& options)
      : description_("OpenSSL " + std::string(OpenSSL_version(OPENSSL_VERSION_STRING))), library_(options.properties) {}

  /// Finds out what the library has. Error: Provider where that is too little for any session.
  Result<void> fetch();

  [[nodiscard]] std::string_view description() const noexcept override { return description_; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return capabilities_; }
  [[nodiscard]] Rng& rng() noexcept override { return rng_; }
  [[nodiscard]] Hkdf& hkdf() noexcept override { return *hkdf_; }

  Result<std::unique_ptr<Aead>> aead(AeadId id) override;
  Result<const Kem*> kem(KemId id) override;
  Result<std::unique_ptr<Verifier>> verifier(const PublicKey& key) override { return signatures_->verifier(key); }

  Result<std::unique_ptr<Signer>> load_signer(std::string_view pem, const AskPassphrase& ask) override;
  Result<PublicKey> load_public_key(std::string_view pem) override { return read_public_key(pem); }
  Result<SecretBytes> generate_private_key(SignatureId id, const std::optional<SecretBytes>& passphrase) override;
  Result<std::string> public_key_pem(const PublicKey& key) override { return write_public_key(key); }
  Result<std::unique_ptr<Keystream>> keystream(TrafficKey&& key) override {
    return make_keystream(library_, std::move(key));
  }

 private:
  std::string description_;
  Library library_;
  OpenSslRng rng_;
  std::unique_ptr<HkdfOf<Sha256>> hkdf_;
  Capabilities capabilities_;
  std::array<Cipher, kAeads.size()> ciphers_;            ///< of kAeads, in its order; null where the library lacks one
  std::array<std::unique_ptr<Kem>, kKems.size()> kems_;  ///< of kKems, likewise
  std::unique_ptr<SignatureAlgorithms> signatures_;
};

Result<void> OpenSslProvider::fetch() {
  Fetched<Sha256> sha256 = Sha256::make(library_);
  if (!sha256) return fail_provider(kNoHash);
  hkdf_ = std::make_unique<HkdfOf<Sha256>>(*std::move(sha256));
  for (std::size_t i = 0; i < kAeads.size(); ++i) {
    ciphers_[i].reset(EVP_CIPHER_fetch(Library::context(), cipher_name(kAeads[i].id), library_.query()));
    if (ciphers_[i]) capabilities_.aeads.push_back(kAeads[i].id);
  }
  for (std::size_t i = 0; i < kKems.size(); ++i) {
    Fetched<std::unique_ptr<Kem>> kem = make_kem(library_, kKems[i].id);
    if (!kem) continue;
    kems_[i] = *std::move(kem);
    capabilities_.kems.push_back(kKems[i].id);
  }
  signatures_ = std::make_unique<SignatureAlgorithms>(library_);
  for (const SignatureInfo& row : kSignatures) {
    if (signatures_->has(row.id)) capabilities_.signatures.push_back(row.id);
  }
  capabilities_.keystream = Cipher(EVP_CIPHER_fetch(Library::context(), "AES-256-CTR", library_.query())) != nullptr;
  ERR_clear_error();
  if (capabilities_.aeads.empty()) return fail_provider(kNoAead);
  if (capabilities_.kems.empty()) return fail_provider(kNoKem);
  if (capabilities_.signatures.empty()) return fail_provider(kNoSignature);
  return {};
}

Result<std::unique_ptr<Aead>> OpenSslProvider::aead(AeadId id) {
  for (std::size_t i = 0; i < kAeads.size(); ++i) {
    if (kAeads[i].id == id && ciphers_[i]) return make_aead(ciphers_[i].get());
  }
  return lacks(id);
}

Result<const Kem*> OpenSslProvider::kem(KemId id) {
  for (const std::unique_ptr<Kem>& kem : kems_) {
    if (kem && kem->id() == id) return kem.get();
  }
  return lacks(id);
}

Result<std::unique_ptr<Signer>> OpenSslProvider::load_signer(std::string_view pem, const AskPassphrase& ask) {
  QSP_TRY(std::vector<Pkey> keys, read_private_keys(PrivateKeys(library_), pem, ask));
  return signatures_->signer(std::move(keys));
}

Result<SecretBytes> OpenSslProvider::generate_private_key(SignatureId id,
                                                          const std::optional<SecretBytes>& passphrase) {
  QSP_TRY(const std::vector<Pkey> keys, signatures_->generate(id));
  return write_private_keys(library_, keys, passphrase);
}

/// Whether OpenSSL can read a property query. A fetch ignores one that it cannot read and takes any provider, which
/// would turn a misspelt "fips=yes" into no demand at all; setting it as the default of a context that nobody uses
/// tells.
bool readable(const std::string& properties) {
  using Context = Owned<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;
  if (properties.empty()) return true;
  if (properties.contains('\0')) return false;
  const Context unused(OSSL_LIB_CTX_new());
  return unused && EVP_set_default_properties(unused.get(), properties.c_str()) == 1;
}

}  // namespace
}  // namespace openssl

Result<std::unique_ptr<Provider>> make_openssl_provider(const OpenSslOptions& options) {
  if (!openssl::readable(options.properties)) {
    return openssl::fail_clean(ErrorKind::ApiMisuse, Reason::InternalError,
                               "OpenSSL cannot read the property query: write it as in \"fips=yes\" or "
                               "\"provider=default\", or leave it empty");
  }
  auto provider = std::make_unique<openssl::OpenSslProvider>(options);
  QSP_TRY(provider->fetch());
  return provider;
}

}  // namespace qsp::crypto

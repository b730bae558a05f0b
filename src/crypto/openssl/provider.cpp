#include "qsp/openssl.hpp"

#include <openssl/crypto.h>

#include <array>
#include <utility>

#include "crypto/openssl/aead.hpp"
#include "crypto/openssl/hkdf.hpp"
#include "crypto/openssl/kem.hpp"
#include "crypto/openssl/key_file.hpp"
#include "crypto/openssl/keystream.hpp"
#include "crypto/openssl/library.hpp"
#include "crypto/openssl/rng.hpp"
#include "crypto/openssl/signature.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace openssl {
namespace {

std::unexpected<Error> fail_unknown() noexcept {
  return fail(ErrorKind::Provider, Reason::InternalError, "an algorithm that is not in the suite table");
}

class OpenSslProvider final : public Provider, public KeystreamSource {
 public:
  /// Nothing is fetched yet; `fetch` comes before any other call.
  explicit OpenSslProvider(const OpenSslOptions& options)
      : description_("OpenSSL " + std::string(OpenSSL_version(OPENSSL_VERSION_STRING))), library_(options.properties) {}

  Fetched<void> fetch();

  [[nodiscard]] std::string_view description() const noexcept override { return description_; }
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
  std::unique_ptr<OpenSslHkdf> hkdf_;
  std::array<Cipher, kAeads.size()> ciphers_;            ///< of kAeads, in its order
  std::array<std::unique_ptr<Kem>, kKems.size()> kems_;  ///< of kKems, in its order
  std::unique_ptr<SignatureAlgorithms> signatures_;
};

Fetched<void> OpenSslProvider::fetch() {
  Fetched<std::unique_ptr<OpenSslHkdf>> hkdf = OpenSslHkdf::make(library_);
  if (!hkdf) return std::unexpected(hkdf.error());
  hkdf_ = *std::move(hkdf);
  for (std::size_t i = 0; i < kAeads.size(); ++i) {
    const char* const name = cipher_name(kAeads[i].id);
    ciphers_[i].reset(EVP_CIPHER_fetch(Library::context(), name, library_.query()));
    if (!ciphers_[i]) return std::unexpected<std::string_view>(name);
  }
  for (std::size_t i = 0; i < kKems.size(); ++i) {
    Fetched<std::unique_ptr<Kem>> kem = make_kem(library_, kKems[i].id);
    if (!kem) return std::unexpected(kem.error());
    kems_[i] = *std::move(kem);
  }
  Fetched<SignatureAlgorithms> signatures = SignatureAlgorithms::make(library_);
  if (!signatures) return std::unexpected(signatures.error());
  signatures_ = std::make_unique<SignatureAlgorithms>(*std::move(signatures));
  return {};
}

Result<std::unique_ptr<Aead>> OpenSslProvider::aead(AeadId id) {
  for (std::size_t i = 0; i < kAeads.size(); ++i) {
    if (kAeads[i].id == id) return make_aead(ciphers_[i].get());
  }
  return fail_unknown();
}

Result<const Kem*> OpenSslProvider::kem(KemId id) {
  for (const std::unique_ptr<Kem>& kem : kems_) {
    if (kem->id() == id) return kem.get();
  }
  return fail_unknown();
}

Result<std::unique_ptr<Signer>> OpenSslProvider::load_signer(std::string_view pem, const AskPassphrase& ask) {
  Result<std::vector<Pkey>> keys = read_private_keys(library_, pem, ask);
  if (!keys) return std::unexpected(keys.error());
  return signatures_->signer(*std::move(keys));
}

Result<SecretBytes> OpenSslProvider::generate_private_key(SignatureId id, const std::optional<SecretBytes>& passphrase) {
  const Result<std::vector<Pkey>> keys = signatures_->generate(id);
  if (!keys) return std::unexpected(keys.error());
  return write_private_keys(library_, *keys, passphrase);
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

/// What a person reads who starts QSP on an OpenSSL that cannot carry it.
std::string explain(std::string_view algorithm, std::string_view library, std::string_view properties) {
  std::string text(library);
  text.append(" has no ").append(algorithm);
  if (properties.empty()) {
    return text +
           ": use OpenSSL 3.5 or newer with its default provider active, or set OPENSSL_ROOT_DIR to one and rebuild";
  }
  text.append(" under the property query \"").append(properties);
  return text + "\": activate a provider that has it in openssl.cnf, or change the query";
}

}  // namespace
}  // namespace openssl

std::expected<std::unique_ptr<Provider>, std::string> make_openssl_provider(const OpenSslOptions& options) {
  if (!openssl::readable(options.properties)) {
    ERR_clear_error();
    return std::unexpected("OpenSSL cannot read the property query \"" + options.properties +
                           "\": write it as in \"fips=yes\" or \"provider=default\", or leave it empty");
  }
  auto provider = std::make_unique<openssl::OpenSslProvider>(options);
  if (const auto fetched = provider->fetch(); !fetched) {
    ERR_clear_error();
    return std::unexpected(openssl::explain(fetched.error(), provider->description(), options.properties));
  }
  return provider;
}

}  // namespace qsp::crypto

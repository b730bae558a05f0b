#include "crypto/openssl/key_file.hpp"

#include <openssl/pkcs12.h>

#include <utility>

#include "base/try.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto::openssl {
namespace {

std::unexpected<Error> fail_clean_key(std::string_view where) noexcept {
  return fail_clean(ErrorKind::ApiMisuse, Reason::InternalError, where);
}

/// Reads one DER value that fills `der`.
template <class Owner, auto Decode>
Owner decode_exactly(Bytes der) {
  const unsigned char* at = der.data();
  Owner value(Decode(nullptr, &at, static_cast<long>(der.size())));
  if (at != der.data() + der.size()) return nullptr;
  return value;
}

/// Of which algorithm a private key is, where it is one of the suite table that the library lacks.
std::optional<SignatureId> lacking_algorithm_of(const Library& library, const PKCS8_PRIV_KEY_INFO* key) noexcept {
  const ASN1_OBJECT* oid = nullptr;
  if (PKCS8_pkey_get0(&oid, nullptr, nullptr, nullptr, key) != 1) return std::nullopt;
  const char* const name = OBJ_nid2ln(OBJ_obj2nid(oid));
  const std::optional<SignatureId> id = name != nullptr ? signature_by_name(name) : std::nullopt;
  if (!id || KeyManagement(EVP_KEYMGMT_fetch(Library::context(), name, library.query()))) return std::nullopt;
  return id;
}

EncryptedPkcs8 encrypt(const Library& library, PKCS8_PRIV_KEY_INFO* plain, std::string_view passphrase) {
  using Algorithm = Owned<X509_ALGOR, X509_ALGOR_free>;
  const Cipher cipher(EVP_CIPHER_fetch(Library::context(), "AES-256-CBC", library.query()));
  if (!cipher) return nullptr;
  Algorithm pbes2(PKCS5_pbe2_set_iv_ex(cipher.get(), kPbkdf2Iterations, nullptr, kPbkdf2SaltSize, nullptr,
                                       NID_hmacWithSHA256, Library::context()));
  if (!pbes2) return nullptr;
  EncryptedPkcs8 sealed(PKCS8_set0_pbe_ex(passphrase.data(), static_cast<int>(passphrase.size()), plain, pbes2.get(),
                                          Library::context(), library.query()));
  // On success the parameters belong to what was sealed.
  if (sealed) [[maybe_unused]]
    const X509_ALGOR* const taken = pbes2.release();
  return sealed;
}

/// Writes a value as DER.
template <auto Encode>
SecretBytes encoded(const auto* value) {
  const int size = Encode(value, nullptr);
  SecretBytes der(size > 0 ? static_cast<std::size_t>(size) : 0);
  unsigned char* to = der.writable().data();
  if (size > 0) Encode(value, &to);
  return der;
}

Result<PrivateKeyBlock> write_private_key(const Library& library, const EVP_PKEY* key,
                                          const std::optional<SecretBytes>& passphrase) {
  const Pkcs8 plain(EVP_PKEY2PKCS8(key));
  PrivateKeyBlock block{passphrase.has_value(), {}};
  if (plain && !passphrase) block.der = encoded<i2d_PKCS8_PRIV_KEY_INFO>(plain.get());
  if (plain && passphrase) {
    const EncryptedPkcs8 sealed = encrypt(library, plain.get(), passphrase->reveal_text());
    if (sealed) block.der = encoded<i2d_X509_SIG>(sealed.get());
  }
  if (block.der.empty()) return fail_provider("a private key cannot be written");
  return block;
}

}  // namespace

Result<Pkey> PrivateKeys::plain(Bytes der) const {
  const Pkcs8 key = decode_exactly<Pkcs8, d2i_PKCS8_PRIV_KEY_INFO>(der);
  if (!key) return fail_clean_key("a damaged private key");
  return imported(key.get());
}

Result<Pkey> PrivateKeys::decrypted(Bytes der, std::string_view passphrase) const {
  const EncryptedPkcs8 sealed = decode_exactly<EncryptedPkcs8, d2i_X509_SIG>(der);
  if (!sealed) return fail_clean_key("a damaged encrypted private key");
  const Pkcs8 opened(PKCS8_decrypt_ex(sealed.get(), passphrase.data(), static_cast<int>(passphrase.size()),
                                      Library::context(), library_->query()));
  if (!opened) return fail_clean_key("a wrong passphrase, or a damaged private key");
  return imported(opened.get());
}

Result<Pkey> PrivateKeys::imported(const PKCS8_PRIV_KEY_INFO* key) const {
  Pkey made(EVP_PKCS82PKEY_ex(key, Library::context(), library_->query()));
  const std::optional<SignatureId> lacking = made ? std::nullopt : lacking_algorithm_of(*library_, key);
  // The decoders try one format after another and leave what each had to say.
  ERR_clear_error();
  if (lacking) return lacks(*lacking);
  if (!made) return fail_key("a private key of an unknown type, or a damaged one");
  return made;
}

Result<SecretBytes> write_private_keys(const Library& library, const std::vector<Pkey>& keys,
                                       const std::optional<SecretBytes>& passphrase) {
  QSP_TRY(check_new_passphrase(passphrase));
  std::vector<PrivateKeyBlock> blocks;
  for (const Pkey& key : keys) {
    QSP_TRY(PrivateKeyBlock block, write_private_key(library, key.get(), passphrase));
    blocks.push_back(std::move(block));
  }
  return private_key_text(blocks);
}

}  // namespace qsp::crypto::openssl

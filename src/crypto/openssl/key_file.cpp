#include "crypto/openssl/key_file.hpp"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/try.hpp"
#include "crypto/pem.hpp"
#include "crypto/spki.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto::openssl {
namespace {

constexpr std::size_t kMaxBlocks = 2;
constexpr std::size_t kMaxPassphraseSize = 1024;
constexpr std::string_view kPrivateLabel = PEM_STRING_PKCS8INF;
constexpr std::string_view kEncryptedLabel = PEM_STRING_PKCS8;
constexpr std::string_view kPublicLabel = PEM_STRING_PUBLIC;

std::unexpected<Error> fail_pem(std::string_view where) noexcept {
  return fail_clean(ErrorKind::ApiMisuse, Reason::InternalError, where);
}

struct DerBlock {
  std::string label;
  SecretBytes der;
};

struct Blocks {
  std::vector<DerBlock> all;
  bool text_of_private_key;  ///< stands beside them
};

/// All blocks of a key file, whose text outside them is skipped. No block is: each is part of the key, or refused.
Result<Blocks> read_blocks(std::string_view pem) {
  if (pem.size() > kMaxPemSize) return fail_pem("more than 64 KiB of PEM");
  Blocks blocks{};
  PemReader reader(pem);
  for (;;) {
    const auto next = reader.next();
    if (!next) return fail_pem(next.error());
    if (!*next) break;
    if (blocks.all.size() == kMaxBlocks) return fail_pem("more PEM blocks than a key has");
    auto der = decode(**next);
    if (!der) return fail_pem(der.error());
    blocks.all.push_back({std::string((*next)->label), *std::move(der)});
  }
  if (blocks.all.empty()) return fail_pem("no PEM block");
  blocks.text_of_private_key = reader.skipped_private_key();
  return blocks;
}

/// Reads one DER value that fills `der`.
template <class Owner, auto Decode>
Owner decode_exactly(Bytes der) {
  const unsigned char* at = der.data();
  Owner value(Decode(nullptr, &at, static_cast<long>(der.size())));
  if (at != der.data() + der.size()) return nullptr;
  return value;
}

Result<Pkcs8> decrypt(const Library& library, Bytes der, const SecretBytes& passphrase) {
  const EncryptedPkcs8 sealed = decode_exactly<EncryptedPkcs8, d2i_X509_SIG>(der);
  if (!sealed) return fail_pem("a damaged encrypted private key");
  const std::string_view text = passphrase.reveal_text();
  Pkcs8 opened(
      PKCS8_decrypt_ex(sealed.get(), text.data(), static_cast<int>(text.size()), Library::context(), library.query()));
  if (!opened) return fail_pem("a wrong passphrase, or a damaged private key");
  return opened;
}

Result<SecretBytes> ask_passphrase(const AskPassphrase& ask) {
  if (!ask) return fail_pem("the private key is encrypted, and there is nobody to ask for its passphrase");
  std::optional<SecretBytes> given = ask();
  if (!given) return fail_pem("the private key is encrypted, and no passphrase was given");
  if (given->size() > kMaxPassphraseSize) return fail_pem("a passphrase of more than 1,024 bytes");
  return *std::move(given);
}

Result<Pkcs8> read_pkcs8(const Library& library, const DerBlock& block, const AskPassphrase& ask,
                         std::optional<SecretBytes>& passphrase) {
  if (block.label == kPrivateLabel) {
    Pkcs8 plain = decode_exactly<Pkcs8, d2i_PKCS8_PRIV_KEY_INFO>(block.der.reveal());
    if (!plain) return fail_pem("a damaged private key");
    return plain;
  }
  if (block.label == kPublicLabel) return fail_pem("a public key where a private key belongs");
  if (block.label != kEncryptedLabel) return fail_pem("a PEM block that is not a PKCS#8 private key");
  if (!passphrase) {
    QSP_TRY(SecretBytes given, ask_passphrase(ask));
    passphrase = std::move(given);
  }
  return decrypt(library, block.der.reveal(), *passphrase);
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
  constexpr int kSaltSize = 16;  // bytes; drawn by OpenSSL, as is the IV
  using Algorithm = Owned<X509_ALGOR, X509_ALGOR_free>;
  const Cipher cipher(EVP_CIPHER_fetch(Library::context(), "AES-256-CBC", library.query()));
  if (!cipher) return nullptr;
  Algorithm pbes2(PKCS5_pbe2_set_iv_ex(cipher.get(), kPbkdf2Iterations, nullptr, kSaltSize, nullptr, NID_hmacWithSHA256,
                                       Library::context()));
  if (!pbes2) return nullptr;
  EncryptedPkcs8 sealed(PKCS8_set0_pbe_ex(passphrase.data(), static_cast<int>(passphrase.size()), plain, pbes2.get(),
                                          Library::context(), library.query()));
  // On success the parameters belong to what was sealed.
  if (sealed) [[maybe_unused]]
    const X509_ALGOR* const taken = pbes2.release();
  return sealed;
}

/// What OpenSSL writes of an object, as a block. False where it fails.
template <auto Encode>
bool append_block(SecretBytes& text, std::string_view label, const auto* object) {
  const int size = object != nullptr ? Encode(object, nullptr) : -1;
  if (size <= 0) return false;
  SecretBytes der(static_cast<std::size_t>(size));
  unsigned char* at = der.writable().data();
  if (Encode(object, &at) != size) return false;
  append_pem(text, label, der.reveal());
  return true;
}

bool append_private_key(SecretBytes& text, const Library& library, const EVP_PKEY* key,
                        const std::optional<SecretBytes>& passphrase) {
  const Pkcs8 plain(EVP_PKEY2PKCS8(key));
  if (!plain) return false;
  if (!passphrase) return append_block<i2d_PKCS8_PRIV_KEY_INFO>(text, kPrivateLabel, plain.get());
  const EncryptedPkcs8 sealed = encrypt(library, plain.get(), passphrase->reveal_text());
  return append_block<i2d_X509_SIG>(text, kEncryptedLabel, sealed.get());
}

}  // namespace

Result<std::vector<Pkey>> read_private_keys(const Library& library, std::string_view pem, const AskPassphrase& ask) {
  QSP_TRY(const Blocks blocks, read_blocks(pem));
  std::optional<SecretBytes> passphrase;
  std::vector<Pkey> keys;
  for (const DerBlock& block : blocks.all) {
    QSP_TRY(const Pkcs8 pkcs8, read_pkcs8(library, block, ask, passphrase));
    Pkey key(EVP_PKCS82PKEY_ex(pkcs8.get(), Library::context(), library.query()));
    if (!key) {
      const std::optional<SignatureId> lacking = lacking_algorithm_of(library, pkcs8.get());
      ERR_clear_error();
      if (lacking) return lacks(*lacking);
      return fail_pem("a private key of an unknown type, or a damaged one");
    }
    keys.push_back(std::move(key));
  }
  // The decoders try one format after another and leave what each had to say.
  ERR_clear_error();
  return keys;
}

Result<SecretBytes> write_private_keys(const Library& library, const std::vector<Pkey>& keys,
                                       const std::optional<SecretBytes>& passphrase) {
  if (passphrase && (passphrase->empty() || passphrase->size() > kMaxPassphraseSize)) {
    return fail_pem("a passphrase that is empty or longer than 1,024 bytes");
  }
  SecretBytes text;
  const auto append = [&](const Pkey& key) { return append_private_key(text, library, key.get(), passphrase); };
  if (!std::ranges::all_of(keys, append)) return fail_provider("a private key cannot be written");
  return text;
}

Result<PublicKey> read_public_key(std::string_view pem) {
  QSP_TRY(const Blocks blocks, read_blocks(pem));
  if (blocks.text_of_private_key) return fail_pem("a private key, printed as text, where a public key belongs");
  std::vector<PublicKey> keys;
  for (const DerBlock& block : blocks.all) {
    if (block.label == kPrivateLabel || block.label == kEncryptedLabel) {
      return fail_pem("a private key where a public key belongs");
    }
    if (block.label != kPublicLabel) return fail_pem("a PEM block that is not a public key");
    std::optional<PublicKey> key = public_key_from_spki(block.der.reveal());
    if (!key) return fail_pem("a public key of a type that QSP does not verify with, or a damaged one");
    keys.push_back(*std::move(key));
  }
  if (keys.size() == 1) return std::move(keys.front());
  if (keys[0].algorithm != SignatureId::Ed25519 || keys[1].algorithm != SignatureId::MlDsa65) {
    return fail_pem("two public keys that are not Ed25519's and, behind it, ML-DSA-65's");
  }
  keys[0].algorithm = SignatureId::Ed25519MlDsa65;
  keys[0].bytes.insert(keys[0].bytes.end(), keys[1].bytes.begin(), keys[1].bytes.end());
  return std::move(keys.front());
}

Result<std::string> write_public_key(const PublicKey& key) {
  const std::vector<std::uint8_t> der = spki_der(key.algorithm, key.bytes);
  if (der.empty()) return fail_pem("a public key of the wrong length");
  // The composite's first block ends where Ed25519's does.
  std::size_t first = der.size();
  if (key.algorithm == SignatureId::Ed25519MlDsa65) {
    const Bytes ed25519 = Bytes(key.bytes).first(info(SignatureId::Ed25519).public_key_size);
    first = spki_der(SignatureId::Ed25519, ed25519).size();
  }
  SecretBytes text;
  append_pem(text, kPublicLabel, Bytes(der).first(first));
  if (first < der.size()) append_pem(text, kPublicLabel, Bytes(der).subspan(first));
  return std::string(text.reveal_text());
}

}  // namespace qsp::crypto::openssl

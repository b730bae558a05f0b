#include "crypto/awslc/key_file.hpp"

#include <openssl/bytestring.h>
#include <openssl/cipher.h>
#include <openssl/evp.h>
#include <openssl/pkcs8.h>
#include <openssl/rand.h>

#include <array>
#include <utility>

#include "base/owned.hpp"
#include "base/try.hpp"
#include "crypto/awslc/library.hpp"
#include "crypto/spki.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto::awslc {
namespace {

using Pkey = Owned<EVP_PKEY, EVP_PKEY_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

constexpr unsigned kSequence = CBS_ASN1_SEQUENCE;
constexpr unsigned kOctets = CBS_ASN1_OCTETSTRING;
constexpr unsigned kObject = CBS_ASN1_OBJECT;
constexpr std::size_t kAesKeySize = 32;
constexpr std::size_t kAesBlockSize = 16;

std::unexpected<Error> fail_clean_key(std::string_view where) noexcept {
  return fail_clean(ErrorKind::ApiMisuse, Reason::InternalError, where);
}

CBS cbs(Bytes bytes) noexcept {
  CBS made;
  CBS_init(&made, bytes.data(), bytes.size());
  return made;
}

std::optional<SignatureId> algorithm_of(const EVP_PKEY* key) noexcept {
  if (EVP_PKEY_id(key) == EVP_PKEY_ED25519) return SignatureId::Ed25519;
  if (EVP_PKEY_id(key) != EVP_PKEY_PQDSA) return std::nullopt;
  switch (EVP_PKEY_pqdsa_get_type(key)) {
    case NID_MLDSA44:
      return SignatureId::MlDsa44;
    case NID_MLDSA65:
      return SignatureId::MlDsa65;
    case NID_MLDSA87:
      return SignatureId::MlDsa87;
    default:
      return std::nullopt;
  }
}

/// What `get` writes of a key; empty where the key has none.
template <auto Get>
SecretBytes raw(const EVP_PKEY* key) {
  std::size_t size = 0;
  if (Get(key, nullptr, &size) != 1) return {};
  SecretBytes bytes(size);
  if (Get(key, bytes.writable().data(), &size) != 1 || size != bytes.size()) return {};
  return bytes;
}

Result<KeyPair> imported(const EVP_PKEY* key) {
  const std::optional<SignatureId> id = algorithm_of(key);
  if (!id) return fail_key("a private key of a type that QSP does not sign with");
  if (*id == SignatureId::Ed25519) return key_pair_of_seed(*id, raw<EVP_PKEY_get_raw_private_key>(key));
  const SecretBytes public_key = raw<EVP_PKEY_get_raw_public_key>(key);
  KeyPair pair{{*id, {public_key.reveal().begin(), public_key.reveal().end()}},
               raw<EVP_PKEY_get_raw_private_key>(key),
               raw<EVP_PKEY_get_private_seed>(key)};
  ERR_clear_error();
  if (pair.private_key.empty() || public_key.empty())
    return fail_provider("signature: a private key without its public key");
  return pair;
}

/// Of which algorithm of the suite table a PKCS#8 private key is; nothing if of none.
std::optional<SignatureId> named_algorithm(Bytes der) noexcept {
  CBS all = cbs(der), key, algorithm, oid;
  std::uint64_t version = 0;
  if (CBS_get_asn1(&all, &key, kSequence) != 1 || CBS_get_asn1_uint64(&key, &version) != 1 ||
      CBS_get_asn1(&key, &algorithm, kSequence) != 1 || CBS_get_asn1(&algorithm, &oid, kObject) != 1) {
    return std::nullopt;
  }
  return algorithm_of_oid({CBS_data(&oid), CBS_len(&oid)});
}

/// Whether `whole` is one value of this tag and nothing behind it; what is in it goes to `content`.
bool only(CBS* whole, CBS* content, unsigned tag) noexcept {
  return CBS_get_asn1(whole, content, tag) == 1 && CBS_len(whole) == 0;
}

/// Whether what PKCS#8 holds of an ML-DSA key is one of RFC 9881's three forms, and a seed beside an expanded key is
/// that key's. AWS-LC looks neither behind the value nor at all parts of the expanded key.
bool is_one_ml_dsa_key(SignatureId id, Bytes der) {
  CBS all = cbs(der), key, algorithm, value, content, seed, expanded;
  std::uint64_t version = 0;
  if (CBS_get_asn1(&all, &key, kSequence) != 1 || CBS_get_asn1_uint64(&key, &version) != 1 ||
      CBS_get_asn1(&key, &algorithm, kSequence) != 1 || CBS_get_asn1(&key, &value, kOctets) != 1) {
    return false;
  }
  if (CBS_peek_asn1_tag(&value, kSequence) != 1) {
    const bool is_seed = CBS_peek_asn1_tag(&value, CBS_ASN1_CONTEXT_SPECIFIC | 0) == 1;
    return only(&value, &content, is_seed ? CBS_ASN1_CONTEXT_SPECIFIC | 0 : kOctets);
  }
  if (!only(&value, &content, kSequence) || CBS_get_asn1(&content, &seed, kOctets) != 1 ||
      !only(&content, &expanded, kOctets)) {
    return false;
  }
  const auto pair = key_pair_of_seed(id, SecretBytes::copy_of(Bytes(CBS_data(&seed), CBS_len(&seed))));
  return pair && constant_time_equal(pair->private_key.reveal(), Bytes(CBS_data(&expanded), CBS_len(&expanded)));
}

/// Writes DER into memory that wipes itself. `write` fills a CBB of at most `room` bytes.
template <class Write>
SecretBytes written(std::size_t room, Write write) {
  SecretBytes der(room);
  CBB out;
  std::size_t size = 0;
  if (CBB_init_fixed(&out, der.writable().data(), der.size()) != 1) return {};
  if (!write(&out) || CBB_finish(&out, nullptr, &size) != 1) {
    CBB_cleanup(&out);
    return {};
  }
  der.resize(size);
  return der;
}

bool add(CBB* to, unsigned tag, Bytes content) noexcept {
  CBB element;
  return CBB_add_asn1(to, &element, tag) == 1 && CBB_add_bytes(&element, content.data(), content.size()) == 1 &&
         CBB_flush(to) == 1;
}

/// PKCS#8: Ed25519's as RFC 8410 §7 has it, ML-DSA's with seed and expanded key (RFC 9881 §6), as OpenSSL writes it.
SecretBytes pkcs8(const KeyPair& pair) {
  return written(pair.private_key.size() + 256, [&pair](CBB* out) {
    CBB key, algorithm, octets, both;
    if (CBB_add_asn1(out, &key, kSequence) != 1 || CBB_add_asn1_uint64(&key, 0) != 1 ||
        CBB_add_asn1(&key, &algorithm, kSequence) != 1 ||
        !add(&algorithm, kObject, oid_of(pair.public_key.algorithm)) || CBB_add_asn1(&key, &octets, kOctets) != 1) {
      return false;
    }
    if (pair.public_key.algorithm == SignatureId::Ed25519) {
      return add(&octets, kOctets, pair.seed.reveal()) && CBB_flush(out) == 1;
    }
    return CBB_add_asn1(&octets, &both, kSequence) == 1 && add(&both, kOctets, pair.seed.reveal()) &&
           add(&both, kOctets, pair.private_key.reveal()) && CBB_flush(out) == 1;
  });
}

using AesKey = Secret<kAesKeySize, struct FileKeyTag>;

/// AES-256-CBC with PKCS#7's padding.
SecretBytes encrypted(const AesKey& key, Bytes iv, Bytes plain) {
  SecretBytes out(plain.size() + kAesBlockSize);
  int size = 0, rest = 0;
  const CipherContext context(EVP_CIPHER_CTX_new());
  if (!context || EVP_EncryptInit_ex(context.get(), EVP_aes_256_cbc(), nullptr, key.reveal().data(), iv.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), out.writable().data(), &size, plain.data(), static_cast<int>(plain.size())) !=
          1 ||
      EVP_EncryptFinal_ex(context.get(), out.writable().data() + size, &rest) != 1) {
    return {};
  }
  out.resize(static_cast<std::size_t>(size + rest));
  return out;
}

/// EncryptedPrivateKeyInfo (RFC 5958 §3) under PBES2 (RFC 8018 §6.2, appendix A): PBKDF2 with HMAC-SHA256, AES-256-CBC.
SecretBytes seal(Bytes plain, std::string_view passphrase) {
  static constexpr std::array<std::uint8_t, 9> kPbes2{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d};
  static constexpr std::array<std::uint8_t, 9> kPbkdf2{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c};
  static constexpr std::array<std::uint8_t, 8> kHmacSha256{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09};
  static constexpr std::array<std::uint8_t, 9> kAes256Cbc{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a};
  std::array<std::uint8_t, kPbkdf2SaltSize> salt{};
  std::array<std::uint8_t, kAesBlockSize> iv{};
  AesKey key;
  if (RAND_bytes(salt.data(), salt.size()) != 1 || RAND_bytes(iv.data(), iv.size()) != 1 ||
      PKCS5_PBKDF2_HMAC(passphrase.data(), passphrase.size(), salt.data(), salt.size(), kPbkdf2Iterations, EVP_sha256(),
                        key.size(), key.writable().data()) != 1) {
    return {};
  }
  const SecretBytes ciphertext = encrypted(key, iv, plain);
  if (ciphertext.empty()) return {};
  return written(ciphertext.size() + 256, [&](CBB* out) {
    CBB all, algorithm, parameters, kdf, kdf_parameters, prf, null, cipher;
    return CBB_add_asn1(out, &all, kSequence) == 1 && CBB_add_asn1(&all, &algorithm, kSequence) == 1 &&
           add(&algorithm, kObject, kPbes2) && CBB_add_asn1(&algorithm, &parameters, kSequence) == 1 &&
           CBB_add_asn1(&parameters, &kdf, kSequence) == 1 && add(&kdf, kObject, kPbkdf2) &&
           CBB_add_asn1(&kdf, &kdf_parameters, kSequence) == 1 && add(&kdf_parameters, kOctets, salt) &&
           CBB_add_asn1_uint64(&kdf_parameters, kPbkdf2Iterations) == 1 &&
           CBB_add_asn1(&kdf_parameters, &prf, kSequence) == 1 && add(&prf, kObject, kHmacSha256) &&
           CBB_add_asn1(&prf, &null, CBS_ASN1_NULL) == 1 && CBB_add_asn1(&parameters, &cipher, kSequence) == 1 &&
           add(&cipher, kObject, kAes256Cbc) && add(&cipher, kOctets, iv) && add(&all, kOctets, ciphertext.reveal()) &&
           CBB_flush(out) == 1;
  });
}

}  // namespace

Result<KeyPair> PrivateKeys::plain(Bytes der) const {
  const std::optional<SignatureId> id = named_algorithm(der);
  if (id && !has(*id)) return lacks(*id);
  if (id && *id != SignatureId::Ed25519 && !is_one_ml_dsa_key(*id, der)) {
    return fail_clean_key("a damaged private key, or one that contradicts itself");
  }
  CBS rest = cbs(der);
  const Pkey key(EVP_parse_private_key(&rest));
  if (!key || CBS_len(&rest) != 0) return fail_clean_key("a private key of an unknown type, or a damaged one");
  return imported(key.get());
}

Result<KeyPair> PrivateKeys::decrypted(Bytes der, std::string_view passphrase) const {
  CBS rest = cbs(der);
  const Pkey key(PKCS8_parse_encrypted_private_key(&rest, passphrase.data(), passphrase.size()));
  if (!key || CBS_len(&rest) != 0) return fail_clean_key("a wrong passphrase, or a damaged private key");
  return imported(key.get());
}

Result<SecretBytes> write_private_keys(const std::vector<KeyPair>& keys, const std::optional<SecretBytes>& passphrase) {
  QSP_TRY(check_new_passphrase(passphrase));
  std::vector<PrivateKeyBlock> blocks;
  for (const KeyPair& pair : keys) {
    SecretBytes der = pkcs8(pair);
    if (passphrase && !der.empty()) der = seal(der.reveal(), passphrase->reveal_text());
    if (der.empty()) return fail_provider("a private key cannot be written");
    blocks.push_back({passphrase.has_value(), std::move(der)});
  }
  return private_key_text(blocks);
}

}  // namespace qsp::crypto::awslc

#include "crypto/spki.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "crypto/openssl/owned.hpp"
#include "crypto/support.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace {

using test::Buffer;

/// What OpenSSL's own encoder writes for a raw public key of a type.
Buffer openssl_spki(const char* type, Bytes raw) {
  const openssl::Pkey key(EVP_PKEY_new_raw_public_key_ex(nullptr, type, nullptr, raw.data(), raw.size()));
  unsigned char* der = nullptr;
  const int size = key ? i2d_PUBKEY(key.get(), &der) : 0;
  EXPECT_GT(size, 0) << type;
  if (size <= 0) return {};
  Buffer bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

class Spki : public test::ProviderTest {};

TEST_F(Spki, is_byte_for_byte_what_openssl_writes) {
  for (const SignatureInfo& row : kSignatures) {
    const PublicKey key = new_signer(row.id)->public_key();
    const Bytes raw(key.bytes);
    const Buffer expected =
        row.id == SignatureId::Ed25519MlDsa65
            ? test::joined({openssl_spki("ED25519", raw.first(32)), openssl_spki("ML-DSA-65", raw.subspan(32))})
            : openssl_spki(std::string(row.name).c_str(), raw);
    EXPECT_EQ(to_hex(spki_der(row.id, raw)), to_hex(expected)) << row.name;
  }
}

TEST_F(Spki, is_read_back_exactly_and_the_composite_is_not) {
  for (const SignatureInfo& row : kSignatures) {
    const PublicKey key{row.id, Buffer(row.public_key_size, 0x5c)};
    const Buffer der = spki_der(key.algorithm, key.bytes);
    const auto read = public_key_from_spki(der);
    if (row.id == SignatureId::Ed25519MlDsa65) {
      EXPECT_FALSE(read);
      continue;
    }
    ASSERT_TRUE(read) << row.name;
    EXPECT_EQ(*read, key) << row.name;
    EXPECT_FALSE(public_key_from_spki(Bytes(der).first(der.size() - 1))) << row.name;
    EXPECT_FALSE(public_key_from_spki(test::joined({der, Buffer(1)}))) << row.name;
    EXPECT_FALSE(public_key_from_spki({})) << row.name;
    const std::size_t prefix_size = der.size() - row.public_key_size;
    for (std::size_t i = 0; i < prefix_size; ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        Buffer altered = der;
        altered[i] = static_cast<std::uint8_t>(altered[i] ^ (1U << bit));
        EXPECT_FALSE(public_key_from_spki(altered)) << row.name << ", bit " << bit << " of byte " << i;
      }
    }
  }
}

TEST_F(Spki, of_a_key_of_another_length_is_empty) {
  for (const SignatureInfo& row : kSignatures) {
    EXPECT_TRUE(spki_der(row.id, {}).empty()) << row.name;
    EXPECT_TRUE(spki_der(row.id, Buffer(row.public_key_size - 1)).empty()) << row.name;
    EXPECT_TRUE(spki_der(row.id, Buffer(row.public_key_size + 1)).empty()) << row.name;
  }
}

}  // namespace
}  // namespace qsp::crypto

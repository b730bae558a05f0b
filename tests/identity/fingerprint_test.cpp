#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "crypto/spki.hpp"
#include "identity/identity.hpp"
#include "identity/openssl_program.hpp"
#include "qsp/suites.hpp"

namespace qsp::identity::test {
namespace {

crypto::PublicKey key_of(crypto::SignatureId algorithm, std::uint8_t fill) {
  return {algorithm, std::vector<std::uint8_t>(crypto::info(algorithm).public_key_size, fill)};
}

TEST(Identity, is_the_hash_of_the_subject_public_key_info) {
  // RFC 8410 §10.1's example key; the hash is that of its 44 bytes of DER, by `openssl pkey -pubin … | sha256sum`.
  const crypto::PublicKey key{
      crypto::SignatureId::Ed25519,
      {0x19, 0xbf, 0x44, 0x09, 0x69, 0x84, 0xcd, 0xfe, 0x85, 0x41, 0xba, 0xc1, 0x67, 0xdc, 0x3b, 0x96,
       0xc8, 0x50, 0x86, 0xaa, 0x30, 0xb6, 0xb6, 0xcb, 0x0c, 0x5c, 0x38, 0xad, 0x70, 0x31, 0x66, 0xe1}};
  const auto identity = identity_of(key, provider().hkdf());
  ASSERT_TRUE(identity);
  EXPECT_EQ(fingerprint(*identity), "qsp1:a1e9156054e04fac899ae9f275132cdc07a5dbc4ea2c2ad3a1ffc6e0d253681f");
}

TEST(Identity, of_the_composite_hashes_both_parts_in_turn) {
  crypto::PublicKey composite = key_of(crypto::SignatureId::Ed25519MlDsa65, 1);
  std::fill_n(composite.bytes.begin(), 32, std::uint8_t{2});
  const auto ed25519 = crypto::spki_der(crypto::SignatureId::Ed25519, Bytes(composite.bytes).first(32));
  const auto ml_dsa = crypto::spki_der(crypto::SignatureId::MlDsa65, Bytes(composite.bytes).subspan(32));
  EXPECT_EQ(*identity_of(composite, provider().hkdf()), *provider().hkdf().hash({ed25519, ml_dsa}));
}

TEST(Identity, differs_between_keys_and_between_algorithms_of_one_size) {
  const auto of = [](crypto::SignatureId algorithm, std::uint8_t fill) {
    return *identity_of(key_of(algorithm, fill), provider().hkdf());
  };
  EXPECT_NE(of(crypto::SignatureId::Ed25519, 1), of(crypto::SignatureId::Ed25519, 2));
  EXPECT_NE(of(crypto::SignatureId::Ed25519, 1), of(crypto::SignatureId::SlhDsaSha2_128s, 1));
}

TEST(Identity, of_a_key_of_the_wrong_size_is_refused) {
  for (const auto& row : crypto::kSignatures) {
    crypto::PublicKey key = key_of(row.id, 1);
    key.bytes.pop_back();
    const auto identity = identity_of(key, provider().hkdf());
    ASSERT_FALSE(identity) << row.name;
    EXPECT_EQ(identity.error().kind, ErrorKind::ApiMisuse);
  }
}

TEST(Fingerprint, is_read_back_in_either_case) {
  Identity identity{};
  for (std::size_t i = 0; i < identity.size(); ++i) identity[i] = static_cast<std::uint8_t>(i * 37 + 200);
  std::string text = fingerprint(identity);
  EXPECT_EQ(text.size(), 5U + 64U);
  EXPECT_EQ(parse_fingerprint(text), identity);
  for (std::size_t i = 5; i < text.size(); ++i) text[i] = static_cast<char>(std::toupper(text[i]));
  EXPECT_EQ(parse_fingerprint(text), identity);
}

TEST(Fingerprint, of_any_other_form_is_refused) {
  const std::string good = fingerprint(Identity{});
  EXPECT_FALSE(parse_fingerprint(""));
  EXPECT_FALSE(parse_fingerprint(good.substr(5)));
  EXPECT_FALSE(parse_fingerprint(good + "0"));
  EXPECT_FALSE(parse_fingerprint(' ' + good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string altered = good;
    altered[i] = 'x';
    EXPECT_FALSE(parse_fingerprint(altered)) << i;
    EXPECT_FALSE(parse_fingerprint(good.substr(0, i)));
  }
}

}  // namespace
}  // namespace qsp::identity::test

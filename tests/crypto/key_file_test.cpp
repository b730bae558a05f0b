#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <memory>

#include "crypto/openssl/owned.hpp"
#include "crypto/pkcs8.hpp"
#include "crypto/spki.hpp"
#include "crypto/support.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace {

using test::Buffer;
using test::expect_error;
using test::must;

// Written by OpenSSL 3.5's command line for these tests: `openssl genpkey -algorithm …`, ML-DSA with
// `-provparam ml-dsa.output_formats=seed-only`; the digests are of `openssl pkey -pubout -outform DER`.
constexpr std::string_view kEd25519Pem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIKO5L1e7CvLHf0yMrElybg+9JhmVtECdYbrZnEgp3mQr\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kEd25519Digest = "d3cab80678780d5133cfe33121a7dd92d441f42473ed4cd5ae670279c63cbfae";
constexpr std::string_view kSlhDsaPem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MFICAQAwCwYJYIZIAWUDBAMUBEDtx5FBcy+dvZGARVHjPIXmK0+GULH42Huba/3m\n"
    "oMlzD8fagdlS8YlWyjfd8QCpLvdOKzOzuahUdObE7WD1s7s1\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kMlDsa44Pem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MDQCAQAwCwYJYIZIAWUDBAMRBCKAIK94uxqKAC8Sn05tsTb6jgNSSgxTEzwGbzmx\n"
    "uMO2pPKj\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kMlDsa65Pem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MDQCAQAwCwYJYIZIAWUDBAMSBCKAIPWezCtIDRqJKb4G2BZ+CAx82SzL0HGJUuUt\n"
    "2fPUXKNo\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kMlDsa87Pem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MDQCAQAwCwYJYIZIAWUDBAMTBCKAIA5ArKpCHAy3pqUZo8haD9CQHYr+C9RSDUvO\n"
    "Fuq6DVpA\n"
    "-----END PRIVATE KEY-----\n";
// The same Ed25519 key by `openssl pkey -aes256` (PBKDF2) and `openssl pkcs8 -topk8 -scrypt`.
constexpr std::string_view kPassphrase = "correct horse";
constexpr std::string_view kEd25519Pbkdf2Pem =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBCrs0V9s02sWbujEl30\n"
    "ykdIAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQWAtiG/NYAyWkijyt\n"
    "Iz54cgRAifLUD5yjRH2C6FTs35qXjsQgKu7SjIUby6gSL9459KOyjUizbaMB1/UJ\n"
    "WXAawIAmlCwfyADC4EWGyoyFBS/X9g==\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";
constexpr std::string_view kEd25519ScryptPem =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSsGAQQB2kcECzAcBBBFrZfuAhq4+6H0MBym\n"
    "0vv0AgJAAAIBCAIBATAdBglghkgBZQMEASoEEMVJBOcetJZCEGyqZgtuGa4EQNmh\n"
    "oU7S/yFEhSwpQYKF4JclgnltGACA9kWF6P9GF50H2qefHK0Xk+C0rt1ncW7iFNJW\n"
    "6IzFE34seWRc6EffqTo=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";
constexpr std::string_view kX25519Pem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VuBCIEICCkfgWtz0Xy3bltEd5EK3QZLiWVasExDC7xZIgXA+tC\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kX25519PublicPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VuAyEALM15pk4Of8Veu92Eqsnaf43XOgVwF1UqmuwueuhzJUQ=\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kEcPem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbI+PhZopqpbykTVl\n"
    "VZoFDu/NTAHg6fqxFXxKsmDmBbShRANCAAQo4hk74EAeJA6sUiJpkdRlwNj0JdTg\n"
    "Xww/sPQgsNPREgTyPYGTWDKXiWlu/FNcaM2ejDGxJw4eqA+LvmUwSnBM\n"
    "-----END PRIVATE KEY-----\n";

std::optional<SecretBytes> passphrase(std::string_view text = kPassphrase) { return SecretBytes::copy_of(text); }
AskPassphrase answer(std::string_view text) {
  return [text] { return passphrase(text); };
}
std::optional<SecretBytes> never_asked() {
  ADD_FAILURE() << "the passphrase of a key that is not encrypted was asked for";
  return std::nullopt;
}

std::string joined(std::initializer_list<std::string_view> texts) {
  std::string all;
  for (const std::string_view text : texts) all.append(text);
  return all;
}

class KeyFileSuite : public test::ProviderTest {
 protected:
  using ProviderTest::ProviderTest;
  std::string spki_digest(const PublicKey& key) {
    return to_hex(must(provider_->hkdf().hash({spki_der(key.algorithm, key.bytes)})));
  }
  void expect_refused(std::string_view pem, std::string_view where, const AskPassphrase& ask = never_asked) {
    const auto loaded = provider_->load_signer(pem, ask);
    expect_error(loaded, ErrorKind::ApiMisuse, Reason::InternalError);
    if (!loaded) {
      EXPECT_NE(loaded.error().where.find(where), std::string_view::npos) << loaded.error().where;
    }
  }
  void expect_public_refused(std::string_view pem, std::string_view where) {
    const auto loaded = provider_->load_public_key(pem);
    expect_error(loaded, ErrorKind::ApiMisuse, Reason::InternalError);
    if (!loaded) {
      EXPECT_NE(loaded.error().where.find(where), std::string_view::npos) << loaded.error().where;
    }
  }
};

class KeyFileTest : public test::EveryProvider<KeyFileSuite> {};
INSTANTIATE_TEST_SUITE_P(Each, KeyFileTest, testing::ValuesIn(test::every_provider()), test::name_of);

TEST_P(KeyFileTest, reads_what_openssls_command_line_writes) {
  struct Case {
    std::string_view pem, digest;
    SignatureId id;
  };
  const std::array<Case, 5> cases{{
      {kEd25519Pem, kEd25519Digest, SignatureId::Ed25519},
      {kSlhDsaPem, "78bb47082760f8209658a3778c4e65dfedcaf9773b970bd2116fa25341744698", SignatureId::SlhDsaSha2_128s},
      {kMlDsa44Pem, "3b71d93a13aaae617c572ec616fb35f29fc8339b9c719cd723de10495ca21bf0", SignatureId::MlDsa44},
      {kMlDsa65Pem, "128bb13825005d0d0cad1d9438885fe2b838202536e4b8d085e8ef9b6d1bfb61", SignatureId::MlDsa65},
      {kMlDsa87Pem, "386115ed07e2e5cde9b0f002da19c713f7b7aa374ec0eaa5f5b701876d03b1f1", SignatureId::MlDsa87},
  }};
  for (const Case& c : cases) {
    if (lacking(c.id)) {
      const auto refused = provider_->load_signer(c.pem, never_asked);
      expect_error(refused, ErrorKind::Provider, Reason::InternalError);
      EXPECT_TRUE(!refused && refused.error().where == lacks(c.id).error().where) << "it is not named";
      continue;
    }
    const auto signer = must(provider_->load_signer(c.pem, never_asked));
    EXPECT_EQ(signer->public_key().algorithm, c.id);
    EXPECT_EQ(spki_digest(signer->public_key()), c.digest);
  }
}

TEST_P(KeyFileTest, reads_encrypted_keys_of_openssls_command_line) {
  for (const std::string_view pem : {kEd25519Pbkdf2Pem, kEd25519ScryptPem}) {
    if (pem == kEd25519ScryptPem && tested_->lacks_scrypt) {
      expect_error(provider_->load_signer(pem, answer(kPassphrase)), ErrorKind::ApiMisuse, Reason::InternalError);
      continue;
    }
    const auto signer = must(provider_->load_signer(pem, answer(kPassphrase)));
    EXPECT_EQ(spki_digest(signer->public_key()), kEd25519Digest);
    expect_refused(pem, "wrong passphrase", answer("correct hors"));
    expect_refused(pem, "wrong passphrase", answer(""));
    expect_refused(pem, "nobody to ask", {});
    expect_refused(pem, "no passphrase was given", [] { return std::nullopt; });
    expect_refused(pem, "1,024 bytes", answer(std::string(1025, 'x')));
  }
}

TEST_P(KeyFileTest, two_blocks_are_the_composite_ed25519_first) {
  const auto signer = must(provider_->load_signer(joined({kEd25519Pem, kMlDsa65Pem}), never_asked));
  EXPECT_EQ(signer->public_key().algorithm, SignatureId::Ed25519MlDsa65);
  const auto ed25519 = must(provider_->load_signer(kEd25519Pem, {}));
  const auto ml_dsa = must(provider_->load_signer(kMlDsa65Pem, {}));
  EXPECT_EQ(signer->public_key().bytes, test::joined({ed25519->public_key().bytes, ml_dsa->public_key().bytes}));
  EXPECT_TRUE(provider_->load_signer(joined({"\n \t", kEd25519Pem, "\r\n\n", kMlDsa65Pem, "\n"}), never_asked));

  expect_refused(joined({kMlDsa65Pem, kEd25519Pem}), "behind it");
  expect_refused(joined({kEd25519Pem, kEd25519Pem}), "behind it");
  expect_refused(joined({kEd25519Pem, kMlDsa44Pem}), "behind it");
  expect_refused(joined({kEd25519Pem, kMlDsa65Pem, kMlDsa65Pem}), "more PEM blocks");
}

TEST_P(KeyFileTest, asks_once_for_the_two_keys_of_a_composite) {
  const SecretBytes pem = must(provider_->generate_private_key(SignatureId::Ed25519MlDsa65, passphrase()));
  int asked = 0;
  const auto signer = provider_->load_signer(pem.reveal_text(), [&asked] {
    ++asked;
    return passphrase();
  });
  EXPECT_TRUE(signer);
  EXPECT_EQ(asked, 1);
}

TEST_P(KeyFileTest, keys_of_other_types_get_a_clear_error) {
  expect_refused(kX25519Pem, "does not sign with");
  expect_refused(kEcPem, "does not sign with");
  expect_refused(joined({kEcPem, kMlDsa65Pem}), "does not sign with");
  expect_public_refused(kX25519PublicPem, "does not verify with");
  const auto signer = must(provider_->load_signer(kEd25519Pem, {}));
  expect_refused(must(provider_->public_key_pem(signer->public_key())), "a public key where a private key belongs");
  expect_public_refused(kEd25519Pem, "a private key where a public key belongs");
  expect_public_refused(kEd25519Pbkdf2Pem, "a private key where a public key belongs");
  std::string other_label(kEd25519Pem);
  for (std::size_t at = 0; (at = other_label.find("PRIVATE KEY", at)) != std::string::npos;) {
    other_label.replace(at, 11, "CERTIFICATE");
  }
  expect_refused(other_label, "not a PKCS#8 private key");
  expect_public_refused(other_label, "not a public key");
}

TEST_P(KeyFileTest, text_that_is_no_key_file_gets_a_clear_error) {
  for (const std::string_view nothing : {"", " \n\t\r\n"}) {
    expect_refused(nothing, "no PEM block");
    expect_public_refused(nothing, "no PEM block");
  }
  expect_refused("not a key", "no PEM block");
  expect_refused(joined({kEd25519Pem, "-----BEG"}), "damaged PEM block");
  expect_refused(joined({kEd25519Pem, "-----BEGIN PRIVATE KEY-----\n"}), "damaged PEM block");
  expect_refused("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "damaged");
  expect_refused(
      "-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END PRIVATE "
      "KEY-----\n",
      "");
  expect_refused(std::string_view("-----BEGIN \0-----\n", 18), "damaged");
}

/// RFC 7468 §2 and §5.2; but no block is ever skipped.
TEST_P(KeyFileTest, text_around_the_blocks_is_skipped_and_no_key_is) {
  const auto alone = must(provider_->load_signer(kEd25519Pem, never_asked));
  const std::string public_pem = must(provider_->public_key_pem(alone->public_key()));
  const auto with_crlf = [](std::string_view pem) {
    std::string text;
    for (const char c : pem) text.append(c == '\n' ? "\r\n" : std::string(1, c));
    return text;
  };
  for (const std::string& around :
       {joined({"# my key\n", kEd25519Pem, "made on Monday\n"}), joined({"\xEF\xBB\xBF", kEd25519Pem}),
        with_crlf(kEd25519Pem), joined({kEd25519Pem, "ED25519 Private-Key:\npriv:\n    00:11\n"})}) {
    const auto signer = provider_->load_signer(around, never_asked);
    ASSERT_TRUE(signer) << around;
    EXPECT_EQ((*signer)->public_key(), alone->public_key());
  }
  for (const std::string& around : {joined({"Bob's key:\n", public_pem, "ED25519 Public-Key:\npub:\n    00\n"}),
                                    joined({"\xEF\xBB\xBF", public_pem}), with_crlf(public_pem)}) {
    const auto key = provider_->load_public_key(around);
    ASSERT_TRUE(key) << around;
    EXPECT_EQ(*key, alone->public_key());
  }
  const auto composite = provider_->load_signer(joined({"one\n", kEd25519Pem, "two\n", kMlDsa65Pem, "end\n"}), {});
  ASSERT_TRUE(composite);
  EXPECT_EQ((*composite)->public_key().algorithm, SignatureId::Ed25519MlDsa65);

  expect_refused(joined({kEd25519Pem, "text\n", public_pem}), "a public key where a private key belongs");
  expect_public_refused(joined({public_pem, "text\n", kEd25519Pem}), "a private key where a public key belongs");
  expect_public_refused(joined({public_pem, "ED25519 Private-Key:\npriv:\n    00:11\n"}), "printed as text");
  expect_public_refused(joined({public_pem, public_pem}), "two public keys");
}

TEST_P(KeyFileTest, reads_at_most_64_kib) {
  constexpr std::size_t kLimit = std::size_t{64} * 1024;
  std::string padded(kEd25519Pem);
  padded.append(kLimit - padded.size(), '\n');
  EXPECT_TRUE(provider_->load_signer(padded, never_asked));
  padded.push_back('\n');
  expect_refused(padded, "64 KiB");
  expect_public_refused(padded, "64 KiB");
}

TEST_P(KeyFileTest, der_with_bytes_behind_the_key_is_refused) {
  const Buffer version = test::unhex("020100");
  const Buffer algorithm = test::der(0x30, {test::oid(SignatureId::Ed25519)});
  const Buffer key = test::der(0x04, {test::der(0x04, {Buffer(32, 7)})});
  const Buffer whole = test::der(0x30, {version, algorithm, key});
  EXPECT_TRUE(provider_->load_signer(test::pem("PRIVATE KEY", whole), {}));
  expect_refused(test::pem("PRIVATE KEY", test::joined({whole, Buffer{0}})), "damaged");
  const PublicKey public_key{SignatureId::Ed25519, Buffer(32, 7)};
  const Buffer spki = spki_der(public_key.algorithm, public_key.bytes);
  EXPECT_TRUE(provider_->load_public_key(test::pem("PUBLIC KEY", spki)));
  expect_public_refused(test::pem("PUBLIC KEY", test::joined({spki, Buffer{0}})), "damaged");
}

/// No altered character reads as the key that was written, except where PEM itself allows for it, and none does harm.
TEST_P(KeyFileTest, an_altered_character_never_yields_the_same_key) {
  const auto signer = must(provider_->load_signer(kEd25519Pem, {}));
  const std::string public_pem = must(provider_->public_key_pem(signer->public_key()));
  const auto is_space = [](char c) { return c == '\n' || c == ' ' || c == '\r' || c == '\t'; };
  for (std::size_t i = 0; i < kEd25519Pem.size(); ++i) {
    std::string altered(kEd25519Pem);
    altered[i] = static_cast<char>(altered[i] ^ 0x01);
    const auto loaded = provider_->load_signer(altered, [] { return std::nullopt; });
    if (!is_space(altered[i]) && !is_space(kEd25519Pem[i]) && loaded) {
      EXPECT_NE((*loaded)->public_key(), signer->public_key()) << "private, character " << i;
    }
  }
  for (std::size_t i = 0; i < public_pem.size(); ++i) {
    std::string altered = public_pem;
    altered[i] = static_cast<char>(altered[i] ^ 0x01);
    const auto loaded = provider_->load_public_key(altered);
    if (!is_space(altered[i]) && !is_space(public_pem[i]) && loaded) {
      EXPECT_NE(*loaded, signer->public_key()) << "public, character " << i;
    }
  }
}

TEST_P(KeyFileTest, a_truncated_file_is_refused) {
  const auto ends_whole = [](std::string_view pem, std::size_t size) {
    return pem.substr(size).find_first_not_of('\n') == std::string_view::npos;
  };
  for (const std::string_view pem : {kEd25519Pem, kSlhDsaPem, kMlDsa65Pem, kEd25519Pbkdf2Pem}) {
    for (std::size_t size = 0; size < pem.size(); ++size) {
      if (ends_whole(pem, size)) continue;
      expect_error(provider_->load_signer(pem.substr(0, size), answer(kPassphrase)), ErrorKind::ApiMisuse,
                   Reason::InternalError);
    }
  }
}

/// A composite cut anywhere but exactly between its blocks must not pass for its classical half.
TEST_P(KeyFileTest, a_truncated_composite_is_refused_and_not_its_first_half) {
  const std::string pem = joined({kEd25519Pem, kMlDsa65Pem});
  const auto signer = must(provider_->load_signer(pem, {}));
  const std::string public_pem = must(provider_->public_key_pem(signer->public_key()));
  for (std::size_t size = 0; size + 1 < pem.size(); ++size) {
    if (size + 1 == kEd25519Pem.size() || size == kEd25519Pem.size()) continue;  // an Ed25519 key file, whole
    EXPECT_FALSE(provider_->load_signer(std::string_view(pem).substr(0, size), {})) << size;
  }
  const std::size_t first_block = must(provider_->public_key_pem({SignatureId::Ed25519, Buffer(32)})).size();
  for (std::size_t size = 0; size + 1 < public_pem.size(); ++size) {
    if (size + 1 == first_block || size == first_block) continue;
    EXPECT_FALSE(provider_->load_public_key(std::string_view(public_pem).substr(0, size))) << size;
  }
}

class EachKeyFile : public test::EveryRow<SignatureInfo, KeyFileSuite> {};
INSTANTIATE_TEST_SUITE_P(Each, EachKeyFile, testing::ValuesIn(test::on_every_provider(kSignatures)), test::name_of);

TEST_P(EachKeyFile, a_generated_key_is_read_back_in_the_clear) {
  const SecretBytes pem = must(provider_->generate_private_key(row().id, std::nullopt));
  const auto first = must(provider_->load_signer(pem.reveal_text(), never_asked));
  const auto second = must(provider_->load_signer(pem.reveal_text(), never_asked));
  EXPECT_EQ(first->public_key().algorithm, row().id);
  EXPECT_EQ(first->public_key(), second->public_key());
  const SecretBytes other = must(provider_->generate_private_key(row().id, std::nullopt));
  EXPECT_NE(must(provider_->load_signer(other.reveal_text(), {}))->public_key(), first->public_key());
}

TEST_P(EachKeyFile, a_generated_key_is_read_back_with_its_passphrase_alone) {
  const SecretBytes pem = must(provider_->generate_private_key(row().id, passphrase("Träger 7")));
  EXPECT_TRUE(pem.reveal_text().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
  EXPECT_EQ(pem.reveal_text().find("-----BEGIN PRIVATE KEY-----"), std::string_view::npos);
  const auto signer = must(provider_->load_signer(pem.reveal_text(), answer("Träger 7")));
  EXPECT_EQ(signer->public_key().algorithm, row().id);
  expect_refused(pem.reveal_text(), "wrong passphrase", answer("Trager 7"));
}

TEST_P(EachKeyFile, a_public_key_is_read_back_and_read_by_openssl) {
  const auto signer = new_signer(row().id);
  const std::string pem = must(provider_->public_key_pem(signer->public_key()));
  EXPECT_EQ(must(provider_->load_public_key(pem)), signer->public_key());

  const openssl::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Buffer raw;
  const int blocks = row().id == SignatureId::Ed25519MlDsa65 ? 2 : 1;
  for (int i = 0; i < blocks; ++i) {
    const openssl::Pkey key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
    ASSERT_TRUE(key);
    std::size_t size = 0;
    ASSERT_EQ(EVP_PKEY_get_raw_public_key(key.get(), nullptr, &size), 1);
    Buffer part(size);
    ASSERT_EQ(EVP_PKEY_get_raw_public_key(key.get(), part.data(), &size), 1);
    raw.insert(raw.end(), part.begin(), part.end());
  }
  EXPECT_EQ(BIO_ctrl_pending(bio.get()), 0U);
  EXPECT_EQ(raw, signer->public_key().bytes);
}

TEST_P(EachKeyFile, a_public_key_of_another_length_is_not_written) {
  PublicKey key{row().id, Buffer(row().public_key_size + 1)};
  expect_error(provider_->public_key_pem(key), ErrorKind::ApiMisuse, Reason::InternalError);
  key.bytes.clear();
  expect_error(provider_->public_key_pem(key), ErrorKind::ApiMisuse, Reason::InternalError);
}

/// PBES2 (RFC 8018 §6.2): PBKDF2 with HMAC-SHA256, 600,000 iterations and a fresh salt; AES-256-CBC.
TEST_P(KeyFileTest, a_passphrase_is_stretched_and_salted) {
  const auto der_of = [](std::string_view pem) {
    const openssl::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    EXPECT_EQ(PEM_read_bio(bio.get(), &label, &header, &data, &size), 1);
    const Buffer der(data, data + size);
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return to_hex(der);
  };
  const SecretBytes pem = must(provider_->generate_private_key(SignatureId::Ed25519, passphrase()));
  const std::string der = der_of(pem.reveal_text());
  EXPECT_NE(der.find("06092a864886f70d01050d"), std::string::npos) << "PBES2";
  EXPECT_NE(der.find("06092a864886f70d01050c"), std::string::npos) << "PBKDF2";
  EXPECT_NE(der.find("02030927c0"), std::string::npos) << "INTEGER 600,000";
  EXPECT_NE(der.find("06082a864886f70d0209"), std::string::npos) << "HMAC-SHA256";
  EXPECT_NE(der.find("060960864801650304012a"), std::string::npos) << "AES-256-CBC";
  const std::size_t salt = der.find("0410") + 4;
  const SecretBytes again = must(provider_->generate_private_key(SignatureId::Ed25519, passphrase()));
  EXPECT_NE(der_of(again.reveal_text()).substr(salt, 32), der.substr(salt, 32));
}

TEST_P(KeyFileTest, an_empty_or_huge_passphrase_encrypts_nothing) {
  for (const std::string& text : {std::string(), std::string(1025, 'x')}) {
    expect_error(provider_->generate_private_key(SignatureId::Ed25519, passphrase(text)), ErrorKind::ApiMisuse,
                 Reason::InternalError);
  }
}

}  // namespace
}  // namespace qsp::crypto

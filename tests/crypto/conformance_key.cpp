// Keys on disk: the forms of RFC 9881, what one provider writes for the other to read, passphrases, and the composite.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>
#include <string>

#include "crypto/conformance.hpp"
#include "crypto/openssl/owned.hpp"
#include "crypto/pkcs8.hpp"

namespace qsp::crypto::test::conformance {
namespace {

constexpr auto kMisuse = std::pair{ErrorKind::ApiMisuse, Reason::InternalError};
constexpr std::string_view kPassphrase = "Träger 7";

AskPassphrase answer(std::string text) {
  return [text = std::move(text)] { return std::optional(SecretBytes::copy_of(std::string_view(text))); };
}

struct MlDsaKey {
  Buffer seed, expanded;
};

/// An ML-DSA key by OpenSSL's own interface.
MlDsaKey ml_dsa_key(SignatureId id, std::uint64_t seed) {
  MlDsaKey made{filled(32, seed), Buffer(5000)};
  const std::string file = private_key_pem(id, KeyForm::Seed, made.seed, {});
  const openssl::Bio bio(BIO_new_mem_buf(file.data(), static_cast<int>(file.size())));
  const openssl::Pkey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  std::size_t size = 0;
  if (!key || EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, made.expanded.data(),
                                              made.expanded.size(), &size) != 1) {
    throw std::runtime_error("OpenSSL expands no seed");
  }
  made.expanded.resize(size);
  return made;
}

std::vector<SignatureId> ml_dsa_of(const Trial& trial) {
  std::vector<SignatureId> all = trial.signatures();
  std::erase_if(all, [](SignatureId id) {
    return id != SignatureId::MlDsa44 && id != SignatureId::MlDsa65 && id != SignatureId::MlDsa87;
  });
  return all;
}

/// Where a check derives keys from passphrases, two algorithms stand for all: one file of one block, and one of two.
std::vector<SignatureId> with_passphrases(const Trial& trial) {
  std::vector<SignatureId> all = trial.signatures();
  std::erase_if(all, [](SignatureId id) { return id != SignatureId::Ed25519 && id != SignatureId::Ed25519MlDsa65; });
  return all;
}

void all_three_forms_of_an_ml_dsa_key_are_read_alike(Trial& trial) {
  for (const SignatureId id : ml_dsa_of(trial)) {
    const std::string_view name = info(id).name;
    const MlDsaKey key = ml_dsa_key(id, 40);
    const auto right = trial.need(trial.reference().load_signer(private_key_pem(id, KeyForm::Seed, key.seed, {}), {}),
                                  "the reference", name);
    Stream theirs(41);
    const Buffer expected = trial.need(right->sign(as_bytes("text"), theirs), "signing by the reference", name);
    for (const KeyForm form : {KeyForm::Seed, KeyForm::Expanded, KeyForm::Both}) {
      const std::string file = private_key_pem(id, form, key.seed, key.expanded);
      const auto signer = trial.need(trial.provider().load_signer(file, {}), "loading a form of a key", name);
      trial.expect(signer->public_key() == right->public_key(), "another public key", name);
      Stream own(41);
      trial.expect_equal(trial.need(signer->sign(as_bytes("text"), own), "signing", name), expected,
                         "another signature", name);
    }
  }
}

void ml_dsa_keys_that_contradict_themselves_are_refused(Trial& trial) {
  const auto [kind, reason] = kMisuse;
  for (const SignatureId id : ml_dsa_of(trial)) {
    const std::string_view name = info(id).name;
    const MlDsaKey key = ml_dsa_key(id, 40);
    const MlDsaKey other = ml_dsa_key(id, 42);
    const auto refused = [&](KeyForm form, Bytes seed, Bytes expanded, std::string_view what) {
      trial.expect_refused(trial.provider().load_signer(private_key_pem(id, form, seed, expanded), {}), kind, reason,
                           what, name);
    };
    refused(KeyForm::Both, other.seed, key.expanded, "a seed of another key");
    refused(KeyForm::Both, flipped(key.seed, 31), key.expanded, "a seed with a bit altered");
    // Alone, an expanded key does not tell whether its K (bytes 32 to 63) is the right one; beside the seed it does.
    refused(KeyForm::Both, key.seed, flipped(key.expanded, 32), "another K than its seed's");
    for (const std::size_t at : {std::size_t{0}, std::size_t{64}, key.expanded.size() - 1}) {  // ρ, tr, t0
      refused(KeyForm::Both, key.seed, flipped(key.expanded, at), "an expanded key with a bit altered, and its seed");
      refused(KeyForm::Expanded, {}, flipped(key.expanded, at), "an expanded key with a bit altered");
    }
    for (const std::size_t size : Sizes{0, 31, 33}) {
      refused(KeyForm::Seed, filled(size), {}, "a seed of another length");
      refused(KeyForm::Both, filled(size), key.expanded, "a seed of another length and an expanded key");
    }
    const Bytes good(key.expanded);
    refused(KeyForm::Expanded, {}, good.first(good.size() - 1), "a shorter expanded key");
    refused(KeyForm::Expanded, {}, joined({good, Buffer(1)}), "a longer expanded key");
    refused(KeyForm::Both, key.seed, good.first(good.size() - 1), "a seed and a shorter expanded key");
  }
}

/// RFC 9881 §6: one value, and nothing behind it or in it.
void ml_dsa_keys_with_more_than_one_value_are_refused(Trial& trial) {
  const auto [kind, reason] = kMisuse;
  for (const SignatureId id : ml_dsa_of(trial)) {
    const std::string_view name = info(id).name;
    const MlDsaKey key = ml_dsa_key(id, 40);
    const Buffer seed = der(0x80, {key.seed});
    const Buffer expanded = der(0x04, {key.expanded});
    const Buffer beside = der(0x04, {key.seed});
    const Buffer null = unhex("0500");
    const auto file = [&](Bytes value) {
      const Buffer algorithm = der(0x30, {oid(id)});
      return pem("PRIVATE KEY", der(0x30, {unhex("020100"), algorithm, der(0x04, {value})}));
    };
    for (const Buffer& good : {seed, expanded, der(0x30, {beside, expanded})}) {
      trial.need(trial.provider().load_signer(file(good), {}), "a key written by hand", name);
      trial.expect_refused(trial.provider().load_signer(file(joined({good, null})), {}), kind, reason,
                           "a value behind the key", name);
      trial.expect_refused(trial.provider().load_signer(file(joined({good, Buffer(1)})), {}), kind, reason,
                           "a byte behind the key", name);
    }
    for (const Buffer& bad :
         {Buffer(), der(0x30, {beside, expanded, null}), der(0x30, {expanded, beside}), der(0x30, {beside}),
          der(0x30, {expanded}), der(0x30, {seed, expanded}), der(0xa0, {beside})}) {
      trial.expect_refused(trial.provider().load_signer(file(bad), {}), kind, reason, "another value", name);
    }
  }
}

/// Keys that one provider writes and the other reads, in the clear and encrypted, private and public.
void what_one_provider_writes_the_other_reads(Trial& trial) {
  for (const SignatureId id : trial.signatures()) {
    const std::string_view name = info(id).name;
    for (const bool own : {true, false}) {
      Provider& writer = own ? trial.provider() : trial.reference();
      Provider& reader = own ? trial.reference() : trial.provider();
      const auto clear = trial.need(writer.generate_private_key(id, std::nullopt), "a new key", name);
      const auto written = trial.need(writer.load_signer(clear.reveal_text(), {}), "loading one's own", name);
      const auto read = trial.need(reader.load_signer(clear.reveal_text(), {}), "loading the other's", name);
      trial.expect(written->public_key() == read->public_key(), "another key from the other's file", name);

      const std::string text = trial.need(writer.public_key_pem(written->public_key()), "a public key's file", name);
      const PublicKey key = trial.need(reader.load_public_key(text), "reading the other's public key", name);
      trial.expect(key == written->public_key(), "another public key from the other's file", name);
      trial.expect(trial.need(reader.public_key_pem(key), "writing it", name) == text, "other text of one key", name);

      if (trial.quick() && id != SignatureId::Ed25519) continue;
      const auto closed =
          trial.need(writer.generate_private_key(id, SecretBytes::copy_of(kPassphrase)), "a new encrypted key", name);
      trial.expect(closed.reveal_text().find("BEGIN PRIVATE KEY") == std::string_view::npos, "not encrypted", name);
      const auto opened = trial.need(reader.load_signer(closed.reveal_text(), answer(std::string(kPassphrase))),
                                     "loading the other's encrypted key", name);
      trial.expect(opened->public_key().algorithm == id, "another algorithm from the other's file", name);
      trial.expect(opened->public_key() != read->public_key(), "one key twice", name);
    }
  }
}

/// RFC 8018: PBES2 with AES-256-CBC, PBKDF2 with HMAC-SHA256, 600,000 iterations and a salt of 16 bytes.
void a_passphrase_is_stretched_as_stated(Trial& trial) {
  const auto der_of = [](std::string_view text) {
    const openssl::Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &label, &header, &data, &size) != 1) return std::string();
    const std::string der = to_hex(Bytes(data, static_cast<std::size_t>(size)));
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return der;
  };
  for (const SignatureId id : with_passphrases(trial)) {
    const std::string_view name = info(id).name;
    const auto one = trial.need(trial.provider().generate_private_key(id, SecretBytes::copy_of(kPassphrase)), "", name);
    const auto two = trial.need(trial.provider().generate_private_key(id, SecretBytes::copy_of(kPassphrase)), "", name);
    const std::string der = der_of(one.reveal_text());
    for (const std::string_view part : {"06092a864886f70d01050d", "06092a864886f70d01050c", "02030927c0",
                                        "06082a864886f70d0209", "060960864801650304012a", "0410"}) {
      trial.expect(der.contains(part), std::string("no ").append(part), name);
    }
    const auto salt = [](std::string_view whole) { return whole.substr(whole.find("0410") + 4, 32); };
    trial.expect(der.contains("0410") && salt(der) != salt(der_of(two.reveal_text())), "one salt twice", name);
  }
}

void passphrases_have_their_limits_and_are_asked_for_once(Trial& trial) {
  const auto [kind, reason] = kMisuse;
  for (const SignatureId id : with_passphrases(trial)) {
    const std::string_view name = info(id).name;
    Provider& provider = trial.provider();
    for (const std::size_t size : Sizes{0, 1025, 5000}) {
      trial.expect_refused(provider.generate_private_key(id, SecretBytes::copy_of(std::string(size, 'x'))), kind,
                           reason, "encrypting under a passphrase of " + std::to_string(size) + " bytes", name);
    }
    const std::string longest(1024, 'x');
    const auto closed = trial.need(provider.generate_private_key(id, SecretBytes::copy_of(std::string_view(longest))),
                                   "encrypting under the longest passphrase", name);
    int asked = 0;
    trial.need(provider.load_signer(closed.reveal_text(),
                                    [&] {
                                      ++asked;
                                      return std::optional(SecretBytes::copy_of(std::string_view(longest)));
                                    }),
               "loading under the longest passphrase", name);
    trial.expect(asked == 1, "a passphrase was asked for " + std::to_string(asked) + " times", name);
    for (const std::string& wrong : {std::string(), std::string(1023, 'x'), std::string(1025, 'x')}) {
      trial.expect_refused(provider.load_signer(closed.reveal_text(), answer(wrong)), kind, reason,
                           "a wrong passphrase of " + std::to_string(wrong.size()) + " bytes", name);
    }
    trial.expect_refused(provider.load_signer(closed.reveal_text(), {}), kind, reason, "nobody to ask", name);
    trial.expect_refused(provider.load_signer(closed.reveal_text(), [] { return std::nullopt; }), kind, reason,
                         "no passphrase", name);
    const auto clear = trial.need(provider.generate_private_key(id, std::nullopt), "a new key", name);
    asked = 0;
    trial.need(provider.load_signer(clear.reveal_text(),
                                    [&]() -> std::optional<SecretBytes> {
                                      ++asked;
                                      return std::nullopt;
                                    }),
               "loading a key in the clear", name);
    trial.expect(asked == 0, "a passphrase was asked for where nothing is encrypted", name);
  }
}

void a_composite_is_two_blocks_ed25519_first(Trial& trial) {
  const auto [kind, reason] = kMisuse;
  const std::vector<SignatureId> all = trial.signatures();
  if (std::ranges::count(all, SignatureId::Ed25519MlDsa65) == 0) return;
  Provider& provider = trial.provider();
  const auto text_of = [&](SignatureId id) {
    return std::string(trial.need(provider.generate_private_key(id, std::nullopt), "a new key").reveal_text());
  };
  const std::string ed25519 = text_of(SignatureId::Ed25519);
  const std::string ml_dsa = text_of(SignatureId::MlDsa65);
  const auto signer = trial.need(provider.load_signer(ed25519 + ml_dsa, {}), "loading two blocks");
  trial.expect(signer->public_key().algorithm == SignatureId::Ed25519MlDsa65, "two blocks are no composite");
  const auto first = trial.need(provider.load_signer(ed25519, {}), "loading the first block");
  const auto second = trial.need(provider.load_signer(ml_dsa, {}), "loading the second block");
  trial.expect(signer->public_key().bytes == joined({first->public_key().bytes, second->public_key().bytes}),
               "the composite's key is not both in order");
  for (const std::string& file : {ml_dsa + ed25519, ed25519 + ed25519, ml_dsa + ml_dsa,
                                  ed25519 + text_of(SignatureId::MlDsa44), ed25519 + ml_dsa + ml_dsa}) {
    trial.expect_refused(provider.load_signer(file, {}), kind, reason, "blocks in another order or number");
  }
  const std::string public_one = trial.need(provider.public_key_pem(first->public_key()), "a public key");
  const std::string public_two = trial.need(provider.public_key_pem(second->public_key()), "a public key");
  const PublicKey key = trial.need(provider.load_public_key(public_one + public_two), "a composite's public key");
  trial.expect(key == signer->public_key(), "another composite from public blocks");
  for (const std::string& file :
       {public_two + public_one, public_one + public_one, public_one + public_two + public_two}) {
    trial.expect_refused(provider.load_public_key(file), kind, reason, "public blocks in another order or number");
  }
}

void text_that_is_no_such_key_is_refused(Trial& trial) {
  const auto [kind, reason] = kMisuse;
  Provider& provider = trial.provider();
  const Buffer version = unhex("020100");
  const Buffer algorithm = der(0x30, {oid(SignatureId::Ed25519)});
  const auto ed25519 = [&](std::size_t size) { return der(0x04, {der(0x04, {filled(size)})}); };
  const Buffer good = der(0x30, {version, algorithm, ed25519(32)});
  trial.need(provider.load_signer(pem("PRIVATE KEY", good), {}), "a key written by hand");
  const Buffer x25519 = der(0x30, {unhex("06032b656e")});
  const Buffer with_null = der(0x30, {oid(SignatureId::Ed25519), unhex("0500")});
  for (const Buffer& bad :
       {joined({good, Buffer(1)}), copy(Bytes(good).first(good.size() - 1)), Buffer{}, Buffer(1), Buffer{0x30, 0x00},
        der(0x30, {version, algorithm, ed25519(31)}), der(0x30, {version, algorithm, ed25519(33)}),
        der(0x30, {version, x25519, ed25519(32)}), der(0x30, {version, with_null, ed25519(32)}),
        der(0x30, {unhex("020102"), algorithm, ed25519(32)}), der(0x30, {algorithm, ed25519(32)})}) {
    trial.expect_refused(provider.load_signer(pem("PRIVATE KEY", bad), {}), kind, reason, "PKCS#8 " + to_hex(bad));
    trial.expect_refused(provider.load_signer(pem("ENCRYPTED PRIVATE KEY", bad), answer("x")), kind, reason,
                         "encrypted PKCS#8 " + to_hex(bad));
  }
  const std::string text = pem("PRIVATE KEY", good);
  const std::string public_text =
      pem("PUBLIC KEY",
          der(0x30, {algorithm, unhex("0321005866666666666666666666666666666666666666666666666666666666666666")}));
  trial.need(provider.load_public_key(public_text), "a public key written by hand");
  for (const std::string& bad : {std::string(), std::string("no key"), text.substr(0, text.size() - 6),
                                 text + "-----BEGIN PRIVATE KEY-----\n", public_text, std::string(70'000, '\n')}) {
    trial.expect_refused(provider.load_signer(bad, {}), kind, reason, "no private key");
  }
  for (const std::string& bad : {std::string(), std::string("no key"), public_text.substr(0, 70), text,
                                 pem("CERTIFICATE", good), std::string(70'000, '\n')}) {
    trial.expect_refused(provider.load_public_key(bad), kind, reason, "no public key");
  }
}

}  // namespace

std::vector<Check> key_checks() {
  return {
      {"key_all_three_forms_of_ml_dsa_are_read_alike", all_three_forms_of_an_ml_dsa_key_are_read_alike},
      {"key_of_ml_dsa_that_contradicts_itself_is_refused", ml_dsa_keys_that_contradict_themselves_are_refused},
      {"key_of_ml_dsa_with_more_than_one_value_is_refused", ml_dsa_keys_with_more_than_one_value_are_refused},
      {"key_that_one_provider_writes_the_other_reads", what_one_provider_writes_the_other_reads},
      {"key_a_passphrase_is_stretched_as_stated", a_passphrase_is_stretched_as_stated},
      {"key_passphrases_have_their_limits_and_are_asked_for_once",
       passphrases_have_their_limits_and_are_asked_for_once},
      {"key_a_composite_is_two_blocks_ed25519_first", a_composite_is_two_blocks_ed25519_first},
      {"key_text_that_is_no_such_key_is_refused", text_that_is_no_such_key_is_refused},
  };
}

}  // namespace qsp::crypto::test::conformance

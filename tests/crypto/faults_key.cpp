#include <algorithm>
#include <memory>
#include <string>

#include "crypto/conformance.hpp"
#include "crypto/faults.hpp"

namespace qsp::crypto::test {
namespace {

using conformance::filled;

constexpr std::string_view kForms = "key_all_three_forms_of_ml_dsa_are_read_alike";
constexpr std::string_view kContradicts = "key_of_ml_dsa_that_contradicts_itself_is_refused";
constexpr std::string_view kValue = "key_of_ml_dsa_with_more_than_one_value_is_refused";
constexpr std::string_view kOther = "key_that_one_provider_writes_the_other_reads";
constexpr std::string_view kStretched = "key_a_passphrase_is_stretched_as_stated";
constexpr std::string_view kPassphrase = "key_passphrases_have_their_limits_and_are_asked_for_once";
constexpr std::string_view kComposite = "key_a_composite_is_two_blocks_ed25519_first";
constexpr std::string_view kNoKey = "key_text_that_is_no_such_key_is_refused";
constexpr std::string_view kHas = "provider_has_what_it_says_and_nothing_else";
constexpr std::string_view kRandom = "provider_random_bytes_fill_everything_and_differ";
constexpr std::string_view kKeystream = "provider_keystream_is_what_aes_256_gcm_makes_of_zeros";

// By OpenSSL's command line, with 2,048 iterations: the key and passphrase of key_file_test.cpp.
constexpr std::string_view kWeak =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBCrs0V9s02sWbujEl30\n"
    "ykdIAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQWAtiG/NYAyWkijyt\n"
    "Iz54cgRAifLUD5yjRH2C6FTs35qXjsQgKu7SjIUby6gSL9459KOyjUizbaMB1/UJ\n"
    "WXAawIAmlCwfyADC4EWGyoyFBS/X9g==\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

std::unique_ptr<Signer> some_signer(Provider& provider, SignatureId id) {
  return must(provider.load_signer(must(provider.generate_private_key(id, std::nullopt)).reveal_text(), {}));
}

/// What is refused is taken for some other key.
void take_any(Faults& faults, bool (*takes)(std::string_view pem)) {
  faults.load_signer = [=](Provider& provider, std::string_view pem,
                           const AskPassphrase& ask) -> Result<std::unique_ptr<Signer>> {
    auto loaded = provider.load_signer(pem, ask);
    if (loaded || !takes(pem)) return loaded;
    return some_signer(provider, SignatureId::MlDsa44);
  };
}

std::string replaced(std::string_view text, std::string_view old, std::string_view by) {
  std::string changed(text);
  for (std::size_t at = 0; (at = changed.find(old, at)) != std::string::npos; at += by.size()) {
    changed.replace(at, old.size(), by);
  }
  return changed;
}

/// Two blocks the other way round.
std::string exchanged(std::string_view pem) {
  const std::size_t second = pem.find("-----BEGIN", 1);
  if (second == std::string_view::npos) return std::string(pem);
  return std::string(pem.substr(second)).append(pem.substr(0, second));
}

std::optional<SecretBytes> cut(const std::optional<SecretBytes>& passphrase) {
  if (!passphrase) return std::nullopt;
  return SecretBytes::copy_of(passphrase->reveal().first(std::min<std::size_t>(passphrase->size(), 1024)));
}

std::vector<Fault> faults_of_files() {
  return {
      {"reads_ml_dsa_from_seeds_alone", kForms,
       [](Faults& faults) {
         faults.load_signer = [](Provider& provider, std::string_view pem,
                                 const AskPassphrase& ask) -> Result<std::unique_ptr<Signer>> {
           if (pem.size() > 1000) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "a fault");
           return provider.load_signer(pem, ask);
         };
       }},
      {"reads_another_key_from_an_expanded_one", kForms,
       [](Faults& faults) {
         faults.load_signer = [](Provider& provider, std::string_view pem,
                                 const AskPassphrase& ask) -> Result<std::unique_ptr<Signer>> {
           auto loaded = provider.load_signer(pem, ask);
           if (loaded && pem.size() > 1000) return some_signer(provider, (*loaded)->public_key().algorithm);
           return loaded;
         };
       }},
      {"takes_keys_that_contradict_themselves", kContradicts,
       [](Faults& faults) { take_any(faults, [](std::string_view pem) { return pem.size() > 1000; }); }},
      {"takes_keys_with_something_behind_them", kValue,
       [](Faults& faults) { take_any(faults, [](std::string_view) { return true; }); }},
      {"takes_seeds_of_other_lengths", kContradicts,
       [](Faults& faults) { take_any(faults, [](std::string_view pem) { return pem.size() < 1000; }); }},
      {"writes_private_keys_of_its_own_kind", kOther,
       [](Faults& faults) {
         faults.generate_private_key = [](Provider& provider, SignatureId id,
                                          const std::optional<SecretBytes>& passphrase) -> Result<SecretBytes> {
           const auto made = must(provider.generate_private_key(id, passphrase));
           return SecretBytes::copy_of(
               std::string_view(replaced(made.reveal_text(), "PRIVATE KEY-----", "QSP PRIVATE KEY-----")));
         };
         faults.load_signer = [](Provider& provider, std::string_view pem, const AskPassphrase& ask) {
           return provider.load_signer(replaced(pem, "QSP PRIVATE KEY-----", "PRIVATE KEY-----"), ask);
         };
       }},
      {"writes_public_keys_of_its_own_kind", kOther,
       [](Faults& faults) {
         faults.public_key_pem = [](Provider& provider, const PublicKey& key) -> Result<std::string> {
           return replaced(must(provider.public_key_pem(key)), "PUBLIC KEY", "QSP PUBLIC KEY");
         };
         faults.load_public_key = [](Provider& provider, std::string_view pem) {
           return provider.load_public_key(replaced(pem, "QSP PUBLIC KEY", "PUBLIC KEY"));
         };
       }},
      {"reads_no_encrypted_keys_of_others", kOther,
       [](Faults& faults) {
         faults.load_signer = [](Provider& provider, std::string_view pem,
                                 const AskPassphrase&) -> Result<std::unique_ptr<Signer>> {
           return provider.load_signer(pem, {});
         };
       }},
      {"encrypts_nothing", kOther,
       [](Faults& faults) {
         faults.generate_private_key = [](Provider& provider, SignatureId id, const std::optional<SecretBytes>&) {
           return provider.generate_private_key(id, std::nullopt);
         };
       }},
      {"stretches_a_passphrase_less", kStretched,
       [](Faults& faults) {
         faults.generate_private_key = [](Provider&, SignatureId, const std::optional<SecretBytes>&) {
           return Result<SecretBytes>(SecretBytes::copy_of(kWeak));
         };
       }},
      {"has_one_salt_for_all_keys", kStretched,
       [](Faults& faults) {
         const auto first = std::make_shared<std::string>();
         faults.generate_private_key = [first](Provider& provider, SignatureId id,
                                               const std::optional<SecretBytes>& passphrase) -> Result<SecretBytes> {
           if (first->empty()) *first = must(provider.generate_private_key(id, passphrase)).reveal_text();
           return SecretBytes::copy_of(std::string_view(*first));
         };
       }},
      {"encrypts_under_an_empty_passphrase", kPassphrase,
       [](Faults& faults) {
         faults.generate_private_key = [](Provider& provider, SignatureId id,
                                          const std::optional<SecretBytes>& passphrase) {
           const bool empty = passphrase && passphrase->empty();
           return empty ? provider.generate_private_key(id, std::nullopt)
                        : provider.generate_private_key(id, passphrase);
         };
       }},
      {"cuts_long_passphrases", kPassphrase,
       [](Faults& faults) {
         faults.generate_private_key = [](Provider& provider, SignatureId id,
                                          const std::optional<SecretBytes>& passphrase) {
           return provider.generate_private_key(id, cut(passphrase));
         };
       }},
      {"cuts_long_answers", kPassphrase,
       [](Faults& faults) {
         faults.load_signer = [](Provider& provider, std::string_view pem, const AskPassphrase& ask) {
           return provider.load_signer(pem, ask ? AskPassphrase([&ask] { return cut(ask()); }) : AskPassphrase());
         };
       }},
      {"asks_twice", kPassphrase,
       [](Faults& faults) {
         faults.load_signer = [](Provider& provider, std::string_view pem, const AskPassphrase& ask) {
           if (ask && pem.contains("ENCRYPTED")) static_cast<void>(ask());
           return provider.load_signer(pem, ask);
         };
       }},
      {"asks_where_nothing_is_encrypted", kPassphrase,
       [](Faults& faults) {
         faults.load_signer = [](Provider& provider, std::string_view pem, const AskPassphrase& ask) {
           if (ask && !pem.contains("ENCRYPTED")) static_cast<void>(ask());
           return provider.load_signer(pem, ask);
         };
       }},
      {"reads_private_blocks_in_either_order", kComposite,
       [](Faults& faults) {
         faults.load_signer = [](Provider& provider, std::string_view pem, const AskPassphrase& ask) {
           auto loaded = provider.load_signer(pem, ask);
           return loaded ? std::move(loaded) : provider.load_signer(exchanged(pem), ask);
         };
       }},
      {"reads_public_blocks_in_either_order", kComposite,
       [](Faults& faults) {
         faults.load_public_key = [](Provider& provider, std::string_view pem) {
           const auto loaded = provider.load_public_key(pem);
           return loaded ? loaded : provider.load_public_key(exchanged(pem));
         };
       }},
      {"reads_the_first_block_alone", kComposite,
       [](Faults& faults) {
         faults.load_signer = [](Provider& provider, std::string_view pem, const AskPassphrase& ask) {
           return provider.load_signer(pem.substr(0, pem.find("-----BEGIN", 1)), ask);
         };
       }},
      {"takes_any_text_for_a_private_key", kNoKey,
       [](Faults& faults) { take_any(faults, [](std::string_view) { return true; }); }},
      {"takes_any_text_for_a_public_key", kNoKey,
       [](Faults& faults) {
         faults.load_public_key = [](Provider& provider, std::string_view pem) -> Result<PublicKey> {
           const auto loaded = provider.load_public_key(pem);
           if (loaded) return loaded;
           return PublicKey{SignatureId::Ed25519, Buffer(32)};
         };
       }},
      {"blames_itself_for_text_that_is_no_key", kNoKey,
       [](Faults& faults) {
         faults.load_public_key = [](Provider& provider, std::string_view pem) -> Result<PublicKey> {
           const auto loaded = provider.load_public_key(pem);
           if (loaded) return loaded;
           return fail(ErrorKind::Provider, Reason::InternalError, "a fault");
         };
       }},
  };
}

}  // namespace

std::vector<Fault> key_faults() { return faults_of_files(); }

std::vector<Fault> provider_faults() {
  return {
      {"has_more_than_it_says", kHas,
       [](Faults& faults) { faults.capabilities = [](Capabilities& has) { has.kems.pop_back(); }; }},
      {"has_less_than_it_says", kHas,
       [](Faults& faults) {
         faults.generate_private_key = [](Provider& provider, SignatureId id,
                                          const std::optional<SecretBytes>& passphrase) -> Result<SecretBytes> {
           if (id == SignatureId::MlDsa87) return lacks(id);
           return provider.generate_private_key(id, passphrase);
         };
       }},
      {"does_not_name_what_it_lacks", kHas,
       [](Faults& faults) {
         faults.capabilities = [](Capabilities& has) { has.kems = {KemId::MlKem768}; };
         faults.kem = [](Provider& provider, KemId id) -> Result<const Kem*> {
           if (id == KemId::MlKem768) return provider.kem(id);
           return fail(ErrorKind::Provider, Reason::InternalError, "a fault");
         };
       }},
      {"has_another_order_than_the_suite_table", kHas,
       [](Faults& faults) { faults.capabilities = [](Capabilities& has) { std::ranges::reverse(has.signatures); }; }},
      {"leaves_the_end_of_random_bytes", kRandom,
       [](Faults& faults) {
         faults.fill = [](Rng& rng, MutableBytes out) {
           return rng.fill(out.first(std::min<std::size_t>(out.size(), 65'536)));
         };
       }},
      {"repeats_its_random_bytes", kRandom,
       [](Faults& faults) {
         faults.fill = [](Rng&, MutableBytes out) -> Result<void> {
           std::ranges::copy(filled(out.size()), out.begin());
           return {};
         };
       }},
      {"begins_its_keystream_elsewhere", kKeystream,
       [](Faults& faults) {
         faults.read = [](Keystream& stream, const Nonce& nonce, MutableBytes out) {
           Nonce other = nonce;
           other.back() ^= 1;
           return stream.read(other, out);
         };
       }},
  };
}

}  // namespace qsp::crypto::test

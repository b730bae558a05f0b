// No provider gives memory back with a secret in it: seeds, messages, private keys, AEAD keys, passphrases. It is the
// heap of this program's own code that is watched; the libraries wipe theirs.
#include <array>
#include <functional>

#include "crypto/conformance.hpp"
#include "crypto/faulty.hpp"
#include "crypto/pkcs8.hpp"
#include "support/freed_memory.hpp"

namespace qsp::crypto::test {
namespace {

using conformance::filled;
using conformance::Stream;

class Wiping : public EveryProvider<> {};
INSTANTIATE_TEST_SUITE_P(Each, Wiping, testing::ValuesIn(every_provider()), name_of);

/// How often `work` gives back a block that holds `secret`.
std::size_t left_by(const std::function<void()>& work, Bytes secret) {
  freed_memory::watch_for(as_text(secret));
  work();
  return freed_memory::found();
}

void exchange(Provider& provider, KemId id) {
  Stream own(1);
  Stream theirs(2);
  const Kem& kem = *must(provider.kem(id));
  const auto key = must(kem.generate(own));
  const Encapsulation made = must(kem.encapsulate(key->public_key(), theirs));
  must(key->decapsulate(made.ciphertext));
  EXPECT_FALSE(key->decapsulate(Bytes(made.ciphertext).first(10)));
  Stream failing(1, kKemSeedSize);
  if (info(id).secret_size > 32) {
    EXPECT_FALSE(kem.generate(failing));
  }
}

TEST_P(Wiping, of_what_a_kem_draws) {
  for (const KemId id : provider_->capabilities().kems) {
    const auto work = [&] { exchange(*provider_, id); };
    const Buffer own = filled(kKemSeedSize + 48, 1);
    const Buffer theirs = filled(kKemMessageSize + 48, 2);
    for (std::size_t at = 0; at + 16 <= own.size(); at += 16) {
      EXPECT_EQ(left_by(work, Bytes(own).subspan(at, 16)), 0U) << info(id).name << ", own bytes from " << at;
    }
    for (std::size_t at = 0; at + 16 <= theirs.size(); at += 16) {
      EXPECT_EQ(left_by(work, Bytes(theirs).subspan(at, 16)), 0U) << info(id).name << ", sender's bytes from " << at;
    }
  }
}

TEST_P(Wiping, of_an_aead_key_that_is_replaced_or_gone) {
  for (const AeadId id : provider_->capabilities().aeads) {
    const Buffer key = filled(32, 3);
    for (const bool replaced : {false, true}) {
      const auto work = [&] {
        const auto aead = must(provider_->aead(id));
        must(aead->set_key(TrafficKey::copy_of(key)));
        Buffer data(20);
        std::array<std::uint8_t, kTagSize> tag{};
        must(aead->seal({}, {}, data, tag));
        if (replaced) must(aead->set_key(TrafficKey(32)));
      };
      for (const Bytes half : {Bytes(key).first(16), Bytes(key).last(16)}) {
        EXPECT_EQ(left_by(work, half), 0U) << info(id).name;
      }
    }
  }
}

TEST_P(Wiping, of_a_private_key_and_its_text) {
  for (const SignatureId id :
       {SignatureId::Ed25519, SignatureId::MlDsa44, SignatureId::MlDsa65, SignatureId::MlDsa87}) {
    const Buffer seed = filled(32, 4);
    const std::string file = private_key_pem(id, KeyForm::Seed, seed, seed);
    const auto work = [&] {
      Stream rng(5);
      const auto signer = must(provider_->load_signer(file, {}));
      must(signer->sign(as_bytes("text"), rng));
    };
    const std::size_t body = file.find('\n') + 40;
    EXPECT_EQ(left_by(work, Bytes(seed).first(16)), 0U) << info(id).name;
    EXPECT_EQ(left_by(work, Bytes(seed).last(16)), 0U) << info(id).name;
    EXPECT_EQ(left_by(work, as_bytes(std::string_view(file).substr(body, 20))), 0U) << info(id).name << ", its text";
    if (id != SignatureId::Ed25519) {
      EXPECT_EQ(left_by(work, Bytes(filled(16, 5))), 0U) << info(id).name << ", its hedge";
    }
  }
}

TEST_P(Wiping, of_a_passphrase) {
  constexpr std::string_view kPassphrase = "correct horse battery staple";
  const auto given = [&] { return std::optional(SecretBytes::copy_of(kPassphrase)); };
  const auto work = [&] {
    const auto file = must(provider_->generate_private_key(SignatureId::Ed25519, given()));
    must(provider_->load_signer(file.reveal_text(), given));
  };
  EXPECT_EQ(left_by(work, as_bytes(kPassphrase.substr(0, 16))), 0U);
}

/// A provider that forgets to wipe is seen.
TEST_P(Wiping, is_missed_where_it_is_forgotten) {
  Faults faults;
  faults.generate = [](const Kem& kem, Rng& rng) {
    const Buffer kept = filled(kKemSeedSize, 1);
    EXPECT_EQ(kept.size(), kKemSeedSize);
    return kem.generate(rng);
  };
  const auto broken = make_faulty_provider(*provider_, faults);
  const Buffer seed = filled(kKemSeedSize, 1);
  EXPECT_GT(left_by([&] { exchange(*broken, KemId::MlKem768); }, Bytes(seed).first(16)), 0U);
}

}  // namespace
}  // namespace qsp::crypto::test

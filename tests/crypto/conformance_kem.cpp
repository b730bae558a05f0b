// KEMs: sizes, lengths, randomness, agreement with the reference, and implicit rejection.
#include <openssl/evp.h>

#include <memory>

#include "base/owned.hpp"
#include "crypto/conformance.hpp"

namespace qsp::crypto::test::conformance {
namespace {

constexpr auto kBadMessage = std::pair{ErrorKind::InvalidMessage, Reason::HandshakeFailed};

/// A key pair of a provider and what somebody else encapsulated to it.
struct Exchange {
  std::unique_ptr<KemPrivateKey> key;
  Encapsulation made;
};

const Kem& kem_of(Trial& trial, Provider& provider, KemId id) {
  return *trial.need(provider.kem(id), "the KEM", info(id).name);
}

Exchange exchange(Trial& trial, Provider& owner, Provider& sender, KemId id, std::uint64_t seed = 1) {
  Stream own(seed);
  Stream theirs(seed + 1);
  auto key = trial.need(kem_of(trial, owner, id).generate(own), "generating", info(id).name);
  Encapsulation made =
      trial.need(kem_of(trial, sender, id).encapsulate(key->public_key(), theirs), "encapsulating", info(id).name);
  return {std::move(key), std::move(made)};
}

void sizes_are_those_of_the_suite_table(Trial& trial) {
  for (const Layout& layout : trial.kems()) {
    const KemInfo& row = info(layout.id);
    trial.expect(kem_of(trial, trial.provider(), row.id).id() == row.id, "another id", row.name);
    const Exchange all = exchange(trial, trial.provider(), trial.provider(), row.id);
    trial.expect(all.key->public_key().size() == row.public_key_size, "size of the share", row.name);
    trial.expect(all.made.ciphertext.size() == row.ciphertext_size, "size of the ciphertext", row.name);
    trial.expect(all.made.secret.size() == row.secret_size, "size of the encapsulated secret", row.name);
    const SharedSecret opened = trial.need(all.key->decapsulate(all.made.ciphertext), "decapsulating", row.name);
    trial.expect(opened.size() == row.secret_size, "size of the decapsulated secret", row.name);
  }
}

void every_other_length_is_refused(Trial& trial) {
  const auto [kind, reason] = kBadMessage;
  for (const Layout& layout : trial.kems()) {
    const KemInfo& row = info(layout.id);
    const Exchange all = exchange(trial, trial.provider(), trial.provider(), row.id);
    const Kem& kem = kem_of(trial, trial.provider(), row.id);
    const auto others = [](Bytes right) {
      std::vector<Buffer> wrong{{}, Buffer(1), joined({right, Buffer(1)}), joined({right, right})};
      for (const std::size_t cut : Sizes{1, 2, 32, 33, 65, 97}) wrong.push_back(copy(right.first(right.size() - cut)));
      for (const KemInfo& other : kKems) {
        for (const std::size_t size : {other.public_key_size, other.ciphertext_size}) {
          if (size != right.size()) wrong.push_back(filled(size));
        }
      }
      return wrong;
    };
    for (const Buffer& share : others(all.key->public_key())) {
      Stream rng(3);
      trial.expect_refused(kem.encapsulate(share, rng), kind, reason,
                           "a share of " + std::to_string(share.size()) + " bytes", row.name);
    }
    for (const Buffer& ciphertext : others(all.made.ciphertext)) {
      trial.expect_refused(all.key->decapsulate(ciphertext), kind, reason,
                           "a ciphertext of " + std::to_string(ciphertext.size()) + " bytes", row.name);
    }
  }
}

void both_ends_agree_with_each_other_and_with_the_reference(Trial& trial) {
  for (const Layout& layout : trial.kems()) {
    const std::string_view name = info(layout.id).name;
    for (Provider* const owner : {&trial.provider(), &trial.reference()}) {
      for (Provider* const sender : {&trial.provider(), &trial.reference()}) {
        const Exchange all = exchange(trial, *owner, *sender, layout.id, 5);
        const SharedSecret opened = trial.need(all.key->decapsulate(all.made.ciphertext), "decapsulating", name);
        trial.expect_equal(opened.reveal(), all.made.secret.reveal(), "two ends with two secrets", name);
      }
    }
  }
}

/// Amounts and order of what is drawn: d ‖ z or m, then the classical key. The reference makes the same of the same
/// bytes, and so does a second run.
void randomness_is_the_callers_in_the_stated_amounts_and_order(Trial& trial) {
  for (const Layout& layout : trial.kems()) {
    const std::string_view name = info(layout.id).name;
    const Kem& kem = kem_of(trial, trial.provider(), layout.id);
    const Kem& right = kem_of(trial, trial.reference(), layout.id);
    Stream own(7);
    Stream theirs(7);
    const auto key = trial.need(kem.generate(own), "generating", name);
    const auto right_key = trial.need(right.generate(theirs), "generating", name);
    trial.expect(own.drawn() == kKemSeedSize + layout.ecdh_seed, "bytes drawn by generate", name);
    trial.expect_equal(key->public_key(), right_key->public_key(), "another share from the same bytes", name);
    for (const int run : {1, 2}) {
      Stream sends(8);
      Stream right_sends(8);
      const Encapsulation made = trial.need(kem.encapsulate(right_key->public_key(), sends), "encapsulating", name);
      const Encapsulation expected =
          trial.need(right.encapsulate(right_key->public_key(), right_sends), "encapsulating", name);
      trial.expect(sends.drawn() == kKemMessageSize + layout.ecdh_seed, "bytes drawn by encapsulate", name);
      trial.expect_equal(made.ciphertext, expected.ciphertext,
                         "another ciphertext from the same bytes, run " + std::to_string(run), name);
      trial.expect_equal(made.secret.reveal(), expected.secret.reveal(), "another secret from the same bytes", name);
    }
    Stream other(9);
    const auto other_key = trial.need(kem.generate(other), "generating", name);
    trial.expect(!std::ranges::equal(other_key->public_key(), key->public_key()), "one share from all bytes", name);
  }
}

void a_generator_that_fails_fails_the_operation(Trial& trial) {
  for (const Layout& layout : trial.kems()) {
    const std::string_view name = info(layout.id).name;
    const Kem& kem = kem_of(trial, trial.provider(), layout.id);
    Stream rng(10);
    const auto key = trial.need(kem.generate(rng), "generating", name);
    for (const std::size_t size : {std::size_t{0}, kKemSeedSize - 1, kKemSeedSize + layout.ecdh_seed - 1}) {
      Stream failing(10, size);
      trial.expect_refused(kem.generate(failing), ErrorKind::Provider, Reason::InternalError,
                           "a key from too few random bytes", name);
    }
    for (const std::size_t size : {std::size_t{0}, kKemMessageSize - 1, kKemMessageSize + layout.ecdh_seed - 1}) {
      Stream failing(10, size);
      trial.expect_refused(kem.encapsulate(key->public_key(), failing), ErrorKind::Provider, Reason::InternalError,
                           "a ciphertext from too few random bytes", name);
    }
  }
}

/// FIPS 203 §6.3: J(z ‖ c), which is SHAKE256 of 32 bytes; computed here without any KEM.
Buffer rejected(Bytes z, Bytes ciphertext) {
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> hash(EVP_MD_CTX_new());
  Buffer secret(32);
  const bool hashed = EVP_DigestInit_ex2(hash.get(), EVP_shake256(), nullptr) == 1 &&
                      EVP_DigestUpdate(hash.get(), z.data(), z.size()) == 1 &&
                      EVP_DigestUpdate(hash.get(), ciphertext.data(), ciphertext.size()) == 1 &&
                      EVP_DigestFinalXOF(hash.get(), secret.data(), secret.size()) == 1;
  if (!hashed) throw std::runtime_error("no SHAKE256");
  return secret;
}

void a_damaged_ml_kem_ciphertext_yields_another_secret_and_no_error(Trial& trial) {
  for (const Layout& layout : trial.kems()) {
    const std::string_view name = info(layout.id).name;
    const Exchange all = exchange(trial, trial.provider(), trial.provider(), layout.id, 11);
    const Buffer z = copy(Bytes(filled(kKemSeedSize, 11)).last(32));
    const std::size_t size = layout.ml_kem_part(all.made.ciphertext).size();
    for (const std::size_t at : {std::size_t{0}, size / 2, size - 33, size - 1}) {
      const Buffer damaged = flipped(all.made.ciphertext, layout.ml_kem_at() + at, 0x80);
      const SharedSecret other = trial.need(all.key->decapsulate(damaged), "decapsulating what was damaged", name);
      const SharedSecret again = trial.need(all.key->decapsulate(damaged), "decapsulating it again", name);
      trial.expect_equal(other.reveal(), again.reveal(), "two secrets of one damaged ciphertext", name);
      const Bytes half = layout.ecdh_first ? other.reveal().last(32) : other.reveal().first(32);
      trial.expect_equal(half, rejected(z, layout.ml_kem_part(damaged)), "not J(z ‖ c) of FIPS 203", name);
      trial.expect(!std::ranges::equal(other.reveal(), all.made.secret.reveal()), "the secret of a good one", name);
    }
    const SharedSecret good = trial.need(all.key->decapsulate(all.made.ciphertext), "decapsulating the good one", name);
    trial.expect_equal(good.reveal(), all.made.secret.reveal(), "a refusal spoils the key", name);
  }
}

}  // namespace

std::vector<Check> kem_checks() {
  return {
      {"kem_sizes_are_those_of_the_suite_table", sizes_are_those_of_the_suite_table},
      {"kem_every_other_length_is_refused", every_other_length_is_refused},
      {"kem_both_ends_agree_with_each_other_and_with_the_reference",
       both_ends_agree_with_each_other_and_with_the_reference},
      {"kem_randomness_is_the_callers_in_the_stated_amounts_and_order",
       randomness_is_the_callers_in_the_stated_amounts_and_order},
      {"kem_a_generator_that_fails_fails_the_operation", a_generator_that_fails_fails_the_operation},
      {"kem_a_damaged_ml_kem_ciphertext_yields_another_secret_and_no_error",
       a_damaged_ml_kem_ciphertext_yields_another_secret_and_no_error},
  };
}

}  // namespace qsp::crypto::test::conformance

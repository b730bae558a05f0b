#include <array>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#include "crypto/pkcs8.hpp"
#include "crypto/support.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace {

using test::Buffer;
using test::expect_error;
using test::joined;
using test::must;
using test::ScriptedRng;
using test::unhex;

constexpr std::size_t kEd25519Key = 32;
constexpr std::size_t kEd25519Signature = 64;

/// Bytes that one signature draws for its hedge (FIPS 204 §3.4, FIPS 205 §9.2).
std::size_t hedge_size(SignatureId id) {
  if (id == SignatureId::Ed25519) return 0;
  return id == SignatureId::SlhDsaSha2_128s ? 16 : 32;
}

/// What the suites below have in common, over one provider.
class SignatureSuite : public test::ProviderTest {
 protected:
  using ProviderTest::ProviderTest;
  std::unique_ptr<Verifier> verifier(const PublicKey& key) { return must(provider_->verifier(key)); }
  static void expect_refused(const Verifier& verifier, Bytes message, Bytes signature) {
    expect_error(verifier.verify(message, signature), ErrorKind::PeerMisbehaved, Reason::HandshakeFailed);
  }
  static constexpr std::string_view kText = "QSP/1.0 server auth: a transcript hash stands here";
  static Bytes message() { return as_bytes(kText); }
};

class SignatureTest : public test::EveryProvider<SignatureSuite> {};
INSTANTIATE_TEST_SUITE_P(Each, SignatureTest, testing::ValuesIn(test::every_provider()), test::name_of);

class EachSignature : public test::EveryRow<SignatureInfo, SignatureSuite> {
 protected:
  SignatureId id() const { return row().id; }
  /// A signature of SLH-DSA takes a third of a second; the others take at most two milliseconds.
  bool slow() const { return id() == SignatureId::SlhDsaSha2_128s; }
};

INSTANTIATE_TEST_SUITE_P(Each, EachSignature, testing::ValuesIn(test::on_every_provider(kSignatures)), test::name_of);

TEST_P(EachSignature, one_signer_signs_for_sessions_of_several_threads) {
  const auto signer = new_signer(id());
  const auto checks = verifier(signer->public_key());
  const int rounds = slow() ? 1 : 200;
  std::array<std::vector<Buffer>, 2> signatures;
  const auto sign = [&](std::vector<Buffer>& own) {
    const auto provider = another_provider();
    for (int i = 0; i < rounds; ++i) own.push_back(must(signer->sign(message(), provider->rng())));
  };
  std::thread other(sign, std::ref(signatures[0]));
  sign(signatures[1]);
  other.join();
  for (const Buffer& each : signatures[0]) ASSERT_TRUE(checks->verify(message(), each));
  for (const Buffer& each : signatures[1]) ASSERT_TRUE(checks->verify(message(), each));
}

TEST_P(EachSignature, verifies_what_it_signed_for_messages_of_many_sizes) {
  const auto signer = new_signer(id());
  const auto checks = verifier(signer->public_key());
  for (const std::size_t size : test::Sizes{0, 1, 32, 100, 1000, 100'000}) {
    if (slow() && size > 1) continue;
    const Buffer text(size, 0x5a);
    const Buffer signature = must(signer->sign(text, provider_->rng()));
    EXPECT_EQ(signature.size(), row().signature_size);
    EXPECT_TRUE(checks->verify(text, signature)) << size;
    expect_refused(*checks, joined({text, Buffer(1)}), signature);
    if (size > 0) expect_refused(*checks, Bytes(text).first(size - 1), signature);
  }
}

TEST_P(EachSignature, refuses_a_signature_altered_in_any_byte) {
  const auto signer = new_signer(id());
  const auto checks = verifier(signer->public_key());
  const Buffer signature = must(signer->sign(message(), provider_->rng()));
  // Every byte of Ed25519; every part of the big ones. The last bytes of ML-DSA hold the hint, where malleability
  // hides.
  const std::size_t stride = signature.size() > 100 ? 29 : 1;
  for (std::size_t i = 0; i < signature.size(); i += (i + 80 < signature.size() ? stride : 1)) {
    Buffer altered = signature;
    altered[i] ^= 0x01;
    expect_refused(*checks, message(), altered);
  }
  EXPECT_TRUE(checks->verify(message(), signature)) << "a refusal must not spoil the verifier";
}

TEST_P(EachSignature, refuses_every_other_length) {
  const auto signer = new_signer(id());
  const auto checks = verifier(signer->public_key());
  const Buffer signature = must(signer->sign(message(), provider_->rng()));
  const std::size_t stride = signature.size() > 100 ? 17 : 1;
  for (std::size_t size = 0; size < signature.size(); size += stride) {
    expect_refused(*checks, message(), Bytes(signature).first(size));
  }
  expect_refused(*checks, message(), Bytes(signature).first(signature.size() - 1));
  expect_refused(*checks, message(), joined({signature, Buffer(1)}));
  expect_refused(*checks, message(), joined({signature, signature}));
}

TEST_P(EachSignature, refuses_an_altered_message_and_another_key) {
  const auto signer = new_signer(id());
  const auto checks = verifier(signer->public_key());
  const Buffer signature = must(signer->sign(message(), provider_->rng()));
  for (std::size_t i = 0; i < message().size(); ++i) {
    Buffer altered = test::copy(message());
    altered[i] ^= 0x80;
    expect_refused(*checks, altered, signature);
  }
  const auto stranger = new_signer(id());
  EXPECT_NE(stranger->public_key(), signer->public_key());
  expect_refused(*verifier(stranger->public_key()), message(), signature);
}

/// The provider keeps imported keys: more of them than it keeps, asked for out of order, each verifies its own
/// signature only.
TEST_P(SignatureTest, verifiers_of_many_keys_are_never_mixed_up) {
  constexpr std::size_t kKeys = 40;
  std::vector<PublicKey> keys;
  std::vector<Buffer> signatures;
  for (std::size_t i = 0; i < kKeys; ++i) {
    const auto signer = new_signer(i % 2 == 0 ? SignatureId::Ed25519 : SignatureId::MlDsa44);
    keys.push_back(signer->public_key());
    signatures.push_back(must(signer->sign(message(), provider_->rng())));
  }
  const auto first = verifier(keys[0]);
  for (std::size_t step = 0; step < 3 * kKeys; ++step) {
    const std::size_t i = step * 7 % kKeys;
    const auto checks = verifier(keys[i]);
    EXPECT_TRUE(checks->verify(message(), signatures[i])) << i;
    expect_refused(*checks, message(), signatures[(i + 2) % kKeys]);
    EXPECT_TRUE(verifier(keys[i])->verify(message(), signatures[i])) << "asked for twice in a row";
  }
  EXPECT_TRUE(first->verify(message(), signatures[0])) << "one that the provider has forgotten still works";
}

/// An altered public key is another key: its import fails, or it refuses the signature.
TEST_P(EachSignature, refuses_under_an_altered_public_key) {
  const auto signer = new_signer(id());
  const Buffer signature = must(signer->sign(message(), provider_->rng()));
  const std::size_t size = signer->public_key().bytes.size();
  for (std::size_t i = 0; i < size; i += (size > 100 ? 41 : 1)) {
    PublicKey altered = signer->public_key();
    altered.bytes[i] ^= 0x01;
    const auto checks = provider_->verifier(altered);
    if (checks) expect_refused(**checks, message(), signature);
  }
}

TEST_P(EachSignature, refuses_public_keys_of_other_lengths) {
  PublicKey key = new_signer(id())->public_key();
  key.bytes.push_back(0);
  expect_error(provider_->verifier(key), ErrorKind::ApiMisuse, Reason::InternalError);
  key.bytes.resize(key.bytes.size() - 2);
  expect_error(provider_->verifier(key), ErrorKind::ApiMisuse, Reason::InternalError);
  key.bytes.clear();
  expect_error(provider_->verifier(key), ErrorKind::ApiMisuse, Reason::InternalError);
}

// SPEC §3.2.
TEST_P(EachSignature, draws_its_hedge_from_the_caller_alone) {
  const auto signer = new_signer(id());
  const std::size_t size = hedge_size(id());
  ScriptedRng first(Buffer(size, 1));
  ScriptedRng same(Buffer(size, 1));
  const Buffer signature = must(signer->sign(message(), first));
  EXPECT_EQ(first.left(), 0U);
  EXPECT_EQ(must(signer->sign(message(), same)), signature) << "randomness came from elsewhere";
  EXPECT_TRUE(verifier(signer->public_key())->verify(message(), signature));
  if (size == 0) return;
  ScriptedRng other(Buffer(size, 2));
  EXPECT_NE(must(signer->sign(message(), other)), signature) << "the hedge was not used";
  ScriptedRng spent(Buffer(size - 1, 1));
  expect_error(signer->sign(message(), spent), ErrorKind::Provider, Reason::InternalError);
}

TEST_P(EachSignature, signers_and_verifiers_outlive_their_provider) {
  const auto signer = new_signer(id());
  const auto checks = verifier(signer->public_key());
  provider_.reset();
  ScriptedRng rng(Buffer(hedge_size(id()), 9));
  EXPECT_TRUE(checks->verify(message(), must(signer->sign(message(), rng))));
}

/// SPEC §3: the composite is Ed25519(64) ‖ ML-DSA-65(3309) over the same bytes, and both must verify.
/// SPEC §3.2.
TEST_P(SignatureTest, the_composite_is_both_signatures_and_needs_both) {
  const auto signer = new_signer(SignatureId::Ed25519MlDsa65);
  const Bytes key(signer->public_key().bytes);
  const auto checks = verifier(signer->public_key());
  const auto classical = verifier({SignatureId::Ed25519, test::copy(key.first(kEd25519Key))});
  const auto lattice = verifier({SignatureId::MlDsa65, test::copy(key.subspan(kEd25519Key))});
  const Buffer signature = must(signer->sign(message(), provider_->rng()));
  const Bytes ed25519 = Bytes(signature).first(kEd25519Signature);
  const Bytes ml_dsa = Bytes(signature).subspan(kEd25519Signature);
  EXPECT_TRUE(checks->verify(message(), signature));
  EXPECT_TRUE(classical->verify(message(), ed25519));
  EXPECT_TRUE(lattice->verify(message(), ml_dsa));

  const Buffer other = must(signer->sign(as_bytes("another message"), provider_->rng()));
  expect_refused(*checks, message(), joined({Bytes(other).first(kEd25519Signature), ml_dsa}));
  expect_refused(*checks, message(), joined({ed25519, Bytes(other).subspan(kEd25519Signature)}));
  expect_refused(*checks, message(), joined({ml_dsa, ed25519}));
  expect_refused(*checks, message(), ed25519);
  expect_refused(*checks, message(), ml_dsa);
  expect_refused(*classical, message(), signature);
  expect_refused(*lattice, message(), signature);
}

// RFC 8032 §7.1, tests 1 to 3.
TEST_P(SignatureTest, ed25519_matches_rfc8032) {
  struct Case {
    std::string_view key, public_key, message, signature;
  };
  const std::array<Case, 3> cases{{
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2"
       "4"
       "655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302ae"
       "e"
       "b00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28"
       "d"
       "c027beceea1ec40a"},
  }};
  for (const Case& c : cases) {
    const std::string file = test::private_key_pem(SignatureId::Ed25519, test::KeyForm::Seed, {}, unhex(c.key));
    const auto signer = must(provider_->load_signer(file, {}));
    EXPECT_EQ(to_hex(signer->public_key().bytes), c.public_key);
    EXPECT_EQ(to_hex(must(signer->sign(unhex(c.message), provider_->rng()))), c.signature);
    EXPECT_TRUE(verifier(signer->public_key())->verify(unhex(c.message), unhex(c.signature)));
  }
}

// NIST ACVP, ML-DSA-keyGen-FIPS204, the first case of each set: ξ and SHA-256 of the public key.
TEST_P(SignatureTest, ml_dsa_keys_come_from_their_seeds_as_published) {
  struct Case {
    SignatureId id;
    std::string_view seed, public_key_digest;
  };
  const std::array<Case, 3> cases{{
      {SignatureId::MlDsa44, "4be7a01a99a5e5bcfe3c06785d8e4ec664082227d86704e9e44862623a05c8b3",
       "a140495fe1cbeb25d30ecf194ee2823dde1b76bbcbdea8cac50c6365f6803060"},
      {SignatureId::MlDsa65, "8ab6448bf58f897d528a8de9f8e59329ac929a9cde7edf3e27e01bc9ef128a67",
       "b0cc1d6464e1528a478108d4be94be4aca4c7ae69d9595b1e6b752713442022a"},
      {SignatureId::MlDsa87, "5ac4d695186486c11d21f0300dbda6f38b8d1fa07a254549b64422d44b1aac42",
       "f3181985231f1541993e4a5e676636e76ca97a2d551bff73d832e9ed80217b31"},
  }};
  for (const Case& c : cases) {
    const std::string file = test::private_key_pem(c.id, test::KeyForm::Seed, unhex(c.seed), {});
    const auto signer = must(provider_->load_signer(file, {}));
    EXPECT_EQ(signer->public_key().algorithm, c.id);
    EXPECT_EQ(to_hex(must(provider_->hkdf().hash({signer->public_key().bytes}))), c.public_key_digest);
  }
}

}  // namespace
}  // namespace qsp::crypto

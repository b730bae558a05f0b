#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <set>

#include "crypto/kem_layout.hpp"
#include "crypto/openssl/owned.hpp"
#include "crypto/support.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace {

using test::Buffer;
using test::expect_error;
using test::joined;
using test::kLayouts;
using test::Layout;
using test::must;
using test::ScriptedRng;
using test::unhex;

constexpr std::size_t kSeedSize = test::kKemSeedSize;
constexpr std::size_t kMessageSize = test::kKemMessageSize;

/// What the suites below have in common, over one provider.
class KemSuite : public test::ProviderTest {
 protected:
  using ProviderTest::ProviderTest;
  const Kem& kem(KemId id) { return *must(provider_->kem(id)); }
  std::unique_ptr<KemPrivateKey> generate(KemId id) { return must(kem(id).generate(provider_->rng())); }
};

class KemTest : public test::EveryProvider<KemSuite> {};
INSTANTIATE_TEST_SUITE_P(Each, KemTest, testing::ValuesIn(test::every_provider()), test::name_of);

class EachKem : public test::EveryRow<Layout, KemSuite> {
 protected:
  const Layout& layout() const { return row(); }
  const Kem& kem() { return KemSuite::kem(layout().id); }
  std::unique_ptr<KemPrivateKey> generate() { return KemSuite::generate(layout().id); }
  std::size_t ecdh_at(Bytes whole) const { return layout().ecdh_at(whole.size()); }
  Bytes ml_kem_part(Bytes whole) const { return layout().ml_kem_part(whole); }

  void expect_share_refused(Bytes share) {
    expect_error(kem().encapsulate(share, provider_->rng()), ErrorKind::InvalidMessage, Reason::HandshakeFailed);
  }
  static void expect_ciphertext_refused(KemPrivateKey& key, Bytes ciphertext) {
    expect_error(key.decapsulate(ciphertext), ErrorKind::InvalidMessage, Reason::HandshakeFailed);
  }
};

class EachHybrid : public EachKem {};
class EachPCurveHybrid : public EachKem {};

constexpr std::array kHybrids{kLayouts[0], kLayouts[1], kLayouts[2]};
constexpr std::array kPCurveHybrids{kLayouts[1], kLayouts[2]};
INSTANTIATE_TEST_SUITE_P(Each, EachKem, testing::ValuesIn(test::on_every_provider(kLayouts)), test::name_of);
INSTANTIATE_TEST_SUITE_P(Each, EachHybrid, testing::ValuesIn(test::on_every_provider(kHybrids)), test::name_of);
INSTANTIATE_TEST_SUITE_P(Each, EachPCurveHybrid, testing::ValuesIn(test::on_every_provider(kPCurveHybrids)),
                         test::name_of);

TEST_P(EachKem, both_ends_reach_the_same_secret_and_never_twice_the_same) {
  std::set<std::string> secrets;
  for (int i = 0; i < 8; ++i) {
    const auto key = generate();
    const Encapsulation made = must(kem().encapsulate(key->public_key(), provider_->rng()));
    const SharedSecret opened = must(key->decapsulate(made.ciphertext));
    EXPECT_EQ(to_hex(opened.reveal()), to_hex(made.secret.reveal()));
    EXPECT_TRUE(secrets.insert(to_hex(opened.reveal())).second);
  }
}

TEST_P(EachKem, draws_its_randomness_from_the_caller_alone) {
  const Buffer script = joined({Buffer(kSeedSize, 0x11), Buffer(layout().ecdh_seed, 0x22)});
  const Buffer sender_script = joined({Buffer(kMessageSize, 0x33), Buffer(layout().ecdh_seed, 0x44)});
  ScriptedRng first(script);
  ScriptedRng second(script);
  const auto key = must(kem().generate(first));
  EXPECT_EQ(first.left(), 0U);
  EXPECT_EQ(to_hex(must(kem().generate(second))->public_key()), to_hex(key->public_key()));
  ScriptedRng sender_first(sender_script);
  ScriptedRng sender_second(sender_script);
  const Encapsulation made = must(kem().encapsulate(key->public_key(), sender_first));
  EXPECT_EQ(sender_first.left(), 0U);
  const Encapsulation again = must(kem().encapsulate(key->public_key(), sender_second));
  EXPECT_EQ(again.ciphertext, made.ciphertext);
  EXPECT_EQ(to_hex(again.secret.reveal()), to_hex(made.secret.reveal()));

  // One byte less is one draw too many, wherever it falls.
  for (const std::size_t size : test::Sizes{0, kSeedSize - 1, script.size() - 1}) {
    ScriptedRng short_of(test::copy(Bytes(script).first(size)));
    expect_error(kem().generate(short_of), ErrorKind::Provider, Reason::InternalError);
  }
  for (const std::size_t size : test::Sizes{0, kMessageSize - 1, sender_script.size() - 1}) {
    ScriptedRng short_of(test::copy(Bytes(sender_script).first(size)));
    expect_error(kem().encapsulate(key->public_key(), short_of), ErrorKind::Provider, Reason::InternalError);
  }
}

// SPEC §3.1.
TEST_P(EachKem, refuses_every_other_length) {
  const auto key = generate();
  const Encapsulation made = must(kem().encapsulate(key->public_key(), provider_->rng()));
  for (std::size_t size = 0; size < key->public_key().size(); ++size)
    expect_share_refused(key->public_key().first(size));
  expect_share_refused(joined({key->public_key(), Buffer(1)}));
  for (std::size_t size = 0; size < made.ciphertext.size(); ++size) {
    expect_ciphertext_refused(*key, Bytes(made.ciphertext).first(size));
  }
  expect_ciphertext_refused(*key, joined({made.ciphertext, Buffer(1)}));
}

/// FIPS 203 §7.2: a coefficient that is not reduced modulo q = 3329. 0xff bytes hold 4095s.
/// SPEC §3.1.
TEST_P(EachKem, refuses_an_ml_kem_key_that_fails_the_modulus_check) {
  const auto key = generate();
  const std::size_t at = layout().ecdh_first ? layout().ecdh_share : 0;
  const std::size_t vector_size = ml_kem_part(key->public_key()).size() - 32;  // the rest is ρ
  for (std::size_t i = 0; i + 1 < vector_size; i += 97) {
    Buffer share = test::copy(key->public_key());
    share[at + i] = 0xff;
    share[at + i + 1] = 0xff;
    expect_share_refused(share);
  }
}

/// FIPS 203 §6.3: an altered ML-KEM ciphertext yields another secret, and no error that tells it from a good one.
TEST_P(EachKem, an_altered_ml_kem_ciphertext_yields_another_secret) {
  const auto key = generate();
  const Encapsulation made = must(kem().encapsulate(key->public_key(), provider_->rng()));
  const std::size_t at = layout().ecdh_first ? layout().ecdh_share : 0;
  const std::size_t size = ml_kem_part(made.ciphertext).size();
  const std::size_t stride = layout().ecdh_first ? 61 : 7;
  for (std::size_t i = 0; i < size; i += stride) {
    Buffer altered = made.ciphertext;
    altered[at + i] ^= 0x01;
    const SharedSecret other = must(key->decapsulate(altered));
    ASSERT_NE(to_hex(other.reveal()), to_hex(made.secret.reveal())) << "byte " << i;
  }
}

/// A P-curve point moved in any byte is off its curve, but for a few that are lucky enough to be on it; X25519 takes
/// all.
TEST_P(EachHybrid, an_altered_classical_part_is_refused_or_yields_another_secret) {
  const auto key = generate();
  const Encapsulation made = must(kem().encapsulate(key->public_key(), provider_->rng()));
  std::size_t refused = 0;
  for (std::size_t i = 0; i < layout().ecdh_share; ++i) {
    Buffer altered = made.ciphertext;
    altered[ecdh_at(altered) + i] ^= 0x01;
    const Result<SharedSecret> other = key->decapsulate(altered);
    if (other) {
      EXPECT_NE(to_hex(other->reveal()), to_hex(made.secret.reveal())) << "byte " << i;
    } else {
      expect_ciphertext_refused(*key, altered);
      ++refused;
    }
  }
  if (layout().ecdh_first) {
    EXPECT_EQ(refused, layout().ecdh_share);
  }
}

// SPEC §3.1.
TEST_P(EachPCurveHybrid, refuses_points_that_are_not_uncompressed_or_not_on_the_curve) {
  const auto key = generate();
  const Encapsulation made = must(kem().encapsulate(key->public_key(), provider_->rng()));
  // SEC 1 §2.3.3: compressed 02 and 03, hybrid 06 and 07 (as long as uncompressed 04), infinity 00.
  for (const int form : {0x00, 0x02, 0x03, 0x05, 0x06, 0x07, 0xff}) {
    Buffer share = test::copy(key->public_key());
    Buffer ciphertext = made.ciphertext;
    share.front() = static_cast<std::uint8_t>(form);
    ciphertext.front() = static_cast<std::uint8_t>(form);
    expect_share_refused(share);
    expect_ciphertext_refused(*key, ciphertext);
  }
  // Coordinates of zeros are on neither curve; coordinates of ones are not below the prime.
  for (const int fill : {0x00, 0xff}) {
    Buffer share = test::copy(key->public_key());
    std::fill_n(share.begin() + 1, layout().ecdh_share - 1, static_cast<std::uint8_t>(fill));
    expect_share_refused(share);
  }
}

/// RFC 7748 §6.1, and the points of small order that lead there: 0, 1, p - 1, p, p + 1, and one of order 8.
/// SPEC §3.1.
TEST_P(KemTest, refuses_x25519_shares_whose_secret_is_zero) {
  const std::array<std::string_view, 6> points{{
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  }};
  const Kem& hybrid = kem(KemId::X25519MlKem768);
  const auto key = generate(KemId::X25519MlKem768);
  const Encapsulation made = must(hybrid.encapsulate(key->public_key(), provider_->rng()));
  for (const std::string_view point : points) {
    const Buffer bytes = unhex(point);
    const Buffer share = joined({key->public_key().first(1184), bytes});
    const Buffer ciphertext = joined({Bytes(made.ciphertext).first(1088), bytes});
    expect_error(hybrid.encapsulate(share, provider_->rng()), ErrorKind::InvalidMessage, Reason::HandshakeFailed);
    expect_error(key->decapsulate(ciphertext), ErrorKind::InvalidMessage, Reason::HandshakeFailed);
  }
}

/// The pq-crystals vectors of 2024, first of each set, by SHA-256 of what is long.
TEST_P(KemTest, ml_kem_matches_the_published_results) {
  struct Case {
    KemId id;
    std::string_view public_key_digest, ciphertext_digest, secret;
  };
  const std::array<Case, 3> cases{{
      {KemId::MlKem512, "852523749efd2b78d1074e5de629060312cd9397933a19ddb7482cfda5e92614",
       "bc29d7df8bc5465d980601d800259793e2603825a572da6cd198a512cc6d1a34",
       "319839e82ab6b222de7b619e80da8391522bbb37677018494a4742c53f9abfdf"},
      {KemId::MlKem768, "86adbca81f4fee893e2fb58fb98aa2fe188f501fed268d7f4056f8c05c4e53c4",
       "36829a2f35cbf4deb62c0a12a15c22dae9f8d2c252566fc24f88abe805cb575e",
       "e7184a0975ee3470878d2d159ec83129c8aec253d4ee17b4810311d198cd0368"},
      {KemId::MlKem1024, "61b95ec8c32ae85ad7a17ae5b9c2dfb083e05f767da3ba9a0a8092ea6b4cbf7a",
       "508136a13f8a7920e3434498c6975cbbab457d809309eb2f92453e7409738210",
       "489dd1e9c2be4af3482bdb35bb26ce760e6e414da6ecbe489985748a825f1cd6"},
  }};
  for (const Case& c : cases) {
    ScriptedRng seed(
        unhex("7c9935a0b07694aa0c6d10e4db6b1add2fd81a25ccb148032dcd739936737f2d"
              "8626ed79d451140800e03b59b956f8210e556067407d13dc90fa9e8b872bfb8f"));
    ScriptedRng message(unhex("147c03f7a5bebba406c8fae1874d7f13c80efe79a3a9a874cc09fe76f6997615"));
    const auto key = must(kem(c.id).generate(seed));
    EXPECT_EQ(to_hex(must(provider_->hkdf().hash({key->public_key()}))), c.public_key_digest);
    const Encapsulation made = must(kem(c.id).encapsulate(key->public_key(), message));
    EXPECT_EQ(to_hex(must(provider_->hkdf().hash({made.ciphertext}))), c.ciphertext_digest);
    EXPECT_EQ(to_hex(made.secret.reveal()), c.secret);
    EXPECT_EQ(to_hex(must(key->decapsulate(made.ciphertext)).reveal()), c.secret);
  }
}

// RFC 7748 §6.1: Alice's key pair, Bob's public key, and what they share.
TEST_P(KemTest, the_x25519_half_matches_rfc7748_and_stands_last) {
  const Buffer alice = unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const Buffer bob_public = unhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  ScriptedRng rng(joined({Buffer(kSeedSize, 1), alice}));
  const auto key = must(kem(KemId::X25519MlKem768).generate(rng));
  EXPECT_EQ(to_hex(key->public_key().last(32)), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  const Encapsulation made = must(kem(KemId::X25519MlKem768).encapsulate(key->public_key(), provider_->rng()));
  const SharedSecret secret = must(key->decapsulate(joined({Bytes(made.ciphertext).first(1088), bob_public})));
  EXPECT_EQ(to_hex(secret.reveal().last(32)), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  EXPECT_EQ(to_hex(secret.reveal().first(32)), to_hex(made.secret.reveal().first(32)));
}

// RFC 9180 §A.3.1: ikmE and pkEm of DHKEM(P-256, HKDF-SHA256).
TEST_P(KemTest, the_p256_half_derives_its_key_as_rfc9180_and_stands_first) {
  ScriptedRng rng(
      joined({Buffer(kSeedSize, 1), unhex("4270e54ffd08d79d5928020af4686d8f6b7d35dbe470265f1f5aa22816ce860e")}));
  const auto key = must(kem(KemId::SecP256r1MlKem768).generate(rng));
  EXPECT_EQ(to_hex(key->public_key().first(65)),
            "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403c"
            "e65c9bf"
            "cb9382657222d18c4");
}

/// The ML-KEM half of a hybrid is the pure ML-KEM of the same randomness: in share, ciphertext and secret.
TEST_P(EachKem, the_ml_kem_half_is_the_pure_ml_kem) {
  ScriptedRng hybrid_rng(joined({Buffer(kSeedSize, 5), Buffer(layout().ecdh_seed, 6)}));
  ScriptedRng pure_rng(Buffer(kSeedSize, 5));
  const auto hybrid_key = must(kem().generate(hybrid_rng));
  const auto pure_key = must(KemSuite::kem(layout().ml_kem).generate(pure_rng));
  EXPECT_EQ(to_hex(ml_kem_part(hybrid_key->public_key())), to_hex(pure_key->public_key()));
  ScriptedRng hybrid_message(joined({Buffer(kMessageSize, 7), Buffer(layout().ecdh_seed, 8)}));
  ScriptedRng pure_message(Buffer(kMessageSize, 7));
  const Encapsulation hybrid = must(kem().encapsulate(hybrid_key->public_key(), hybrid_message));
  const Encapsulation pure = must(KemSuite::kem(layout().ml_kem).encapsulate(pure_key->public_key(), pure_message));
  EXPECT_EQ(to_hex(ml_kem_part(hybrid.ciphertext)), to_hex(pure.ciphertext));
  const Bytes secret = hybrid.secret.reveal();
  EXPECT_EQ(to_hex(layout().ecdh_first ? secret.last(32) : secret.first(32)), to_hex(pure.secret.reveal()));
}

/// OpenSSL's own hybrids are one key type each, under the same names.
TEST_P(EachKem, agrees_with_openssls_own_implementation_in_both_directions) {
  const std::string name(info(layout().id).name);
  const openssl::Pkey theirs(EVP_PKEY_Q_keygen(nullptr, nullptr, name.c_str()));
  ASSERT_TRUE(theirs) << name;
  Buffer their_share(info(layout().id).public_key_size);
  std::size_t size = 0;
  ASSERT_EQ(EVP_PKEY_get_octet_string_param(theirs.get(), OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, their_share.data(),
                                            their_share.size(), &size),
            1);
  ASSERT_EQ(size, their_share.size());

  const Encapsulation ours = must(kem().encapsulate(their_share, provider_->rng()));
  const openssl::PkeyContext opening(EVP_PKEY_CTX_new(theirs.get(), nullptr));
  Buffer their_secret(info(layout().id).secret_size);
  size = their_secret.size();
  ASSERT_EQ(EVP_PKEY_decapsulate_init(opening.get(), nullptr), 1);
  ASSERT_EQ(
      EVP_PKEY_decapsulate(opening.get(), their_secret.data(), &size, ours.ciphertext.data(), ours.ciphertext.size()),
      1);
  EXPECT_EQ(to_hex(their_secret), to_hex(ours.secret.reveal()));

  const auto key = generate();
  const openssl::Pkey peer(EVP_PKEY_new_raw_public_key_ex(nullptr, name.c_str(), nullptr, key->public_key().data(),
                                                          key->public_key().size()));
  ASSERT_TRUE(peer) << name;
  const openssl::PkeyContext sealing(EVP_PKEY_CTX_new(peer.get(), nullptr));
  Buffer ciphertext(info(layout().id).ciphertext_size);
  std::size_t ciphertext_size = ciphertext.size();
  size = their_secret.size();
  ASSERT_EQ(EVP_PKEY_encapsulate_init(sealing.get(), nullptr), 1);
  ASSERT_EQ(EVP_PKEY_encapsulate(sealing.get(), ciphertext.data(), &ciphertext_size, their_secret.data(), &size), 1);
  EXPECT_EQ(to_hex(must(key->decapsulate(ciphertext)).reveal()), to_hex(their_secret));
}

}  // namespace
}  // namespace qsp::crypto

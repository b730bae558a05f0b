// An OpenSSL that lacks some algorithms makes a provider that says so, and names them when they are asked for.
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/part_provider.hpp"
#include "crypto/support.hpp"
#include "qsp/openssl.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace {

using test::must;

class Lacking : public testing::Test {
 protected:
  Lacking() {
    auto made = make_openssl_provider({"provider=part"});
    if (!made) throw std::runtime_error(std::string(made.error().where));
    provider_ = std::move(*made);
  }

  test::PartProvider part_{{"ML-KEM-768", "ED25519", "ChaCha20-Poly1305"}};
  std::unique_ptr<Provider> provider_;
};

template <class Refused>
void expect_named(const Refused& refused, std::string_view name) {
  test::expect_error(refused, ErrorKind::Provider, Reason::InternalError);
  EXPECT_TRUE(refused.error().where.ends_with(std::string(" ").append(name))) << refused.error().where;
}

TEST_F(Lacking, is_said_of_every_algorithm_that_needs_what_is_not_there) {
  const Capabilities& has = provider_->capabilities();
  EXPECT_EQ(has.kems, (std::vector{KemId::SecP384r1MlKem1024, KemId::MlKem1024, KemId::MlKem512}));
  EXPECT_EQ(has.signatures, (std::vector{SignatureId::MlDsa65, SignatureId::MlDsa87, SignatureId::MlDsa44,
                                         SignatureId::SlhDsaSha2_128s}));
  EXPECT_EQ(has.aeads, std::vector{AeadId::Aes256Gcm});
  EXPECT_TRUE(has.keystream);
}

TEST_F(Lacking, is_named_where_it_is_asked_for) {
  for (const KemInfo& row : kKems) {
    if (!provider_->capabilities().has(row.id)) expect_named(provider_->kem(row.id), row.name);
  }
  for (const SignatureInfo& row : kSignatures) {
    if (provider_->capabilities().has(row.id)) continue;
    expect_named(provider_->verifier({row.id, std::vector<std::uint8_t>(row.public_key_size)}), row.name);
    expect_named(provider_->generate_private_key(row.id, std::nullopt), row.name);
  }
  expect_named(provider_->aead(AeadId::ChaCha20Poly1305), "ChaCha20-Poly1305");
  const auto whole = must(make_openssl_provider({"provider=default"}));
  for (const SignatureId id : {SignatureId::Ed25519, SignatureId::Ed25519MlDsa65}) {
    const auto pem = must(whole->generate_private_key(id, std::nullopt));
    expect_named(provider_->load_signer(pem.reveal_text(), {}), "Ed25519");
  }
}

TEST_F(Lacking, leaves_the_other_algorithms_at_work) {
  for (const KemId id : provider_->capabilities().kems) {
    const Kem* const kem = must(provider_->kem(id));
    const auto key = must(kem->generate(provider_->rng()));
    EXPECT_TRUE(kem->encapsulate(key->public_key(), provider_->rng())) << info(id).name;
  }
  const auto pem = must(provider_->generate_private_key(SignatureId::MlDsa65, std::nullopt));
  const auto signer = must(provider_->load_signer(pem.reveal_text(), {}));
  const auto signature = must(signer->sign(as_bytes("text"), provider_->rng()));
  EXPECT_TRUE(must(provider_->verifier(signer->public_key()))->verify(as_bytes("text"), signature));
  const auto aead = must(provider_->aead(AeadId::Aes256Gcm));
  EXPECT_TRUE(aead->set_key(TrafficKey(32)));
}

}  // namespace
}  // namespace qsp::crypto

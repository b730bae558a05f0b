#include "qsp/openssl.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>
#include <set>
#include <string>

#include "crypto/support.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace {

using test::Buffer;
using test::expect_error;
using test::must;

class ProviderSuite : public test::EveryProvider<> {};
INSTANTIATE_TEST_SUITE_P(Each, ProviderSuite, testing::ValuesIn(test::every_provider()), test::name_of);

class OpenSslProvider : public test::ProviderTest {};

TEST_F(OpenSslProvider, names_its_library_and_version) {
  EXPECT_EQ(provider_->description(), "OpenSSL " + std::string(OpenSSL_version(OPENSSL_VERSION_STRING)));
}

TEST_F(OpenSslProvider, a_library_that_can_carry_nothing_is_one_clear_error_at_start) {
  for (const std::string query : {"provider=nosuch", "fips=yes,provider=nosuch"}) {
    const auto made = make_openssl_provider({query});
    expect_error(made, ErrorKind::Provider, Reason::InternalError);
    const std::string_view text = made.error().where;
    for (const std::string_view part : {"SHA2-256", "OpenSSL 3.5", "openssl.cnf", "property query"}) {
      EXPECT_TRUE(text.contains(part)) << text;
    }
    EXPECT_EQ(std::ranges::count(text, '\n'), 0) << text;
  }
}

/// What a provider has, and in the order of the suite table, is the whole suite without what the table of providers
/// says.
TEST_P(ProviderSuite, has_the_whole_suite_but_for_what_is_told) {
  const Capabilities& has = provider_->capabilities();
  const Capabilities& lacks = tested_->lacks;
  Capabilities all = whole_suite();
  std::erase_if(all.kems, [&](KemId id) { return lacks.has(id); });
  std::erase_if(all.signatures, [&](SignatureId id) { return lacks.has(id); });
  std::erase_if(all.aeads, [&](AeadId id) { return lacks.has(id); });
  EXPECT_EQ(has.kems, all.kems);
  EXPECT_EQ(has.signatures, all.signatures);
  EXPECT_EQ(has.aeads, all.aeads);
  EXPECT_EQ(has.keystream, !tested_->lacks_keystream);
}

TEST_P(ProviderSuite, refuses_what_it_lacks_by_name) {
  for (const SignatureInfo& row : kSignatures) EXPECT_EQ(lacking(row.id), tested_->lacks.has(row.id));
  const auto expect_named = [](const auto& refused, const Error& told) {
    expect_error(refused, ErrorKind::Provider, Reason::InternalError);
    EXPECT_TRUE(!refused && refused.error().where == told.where) << told.where;
  };
  for (const KemId id : tested_->lacks.kems) expect_named(provider_->kem(id), lacks(id).error());
  for (const AeadId id : tested_->lacks.aeads) expect_named(provider_->aead(id), lacks(id).error());
  EXPECT_EQ(provider_->keystream(TrafficKey(32)).has_value(), !tested_->lacks_keystream);
}

/// OpenSSL's fetch ignores a query that it cannot read, and would then give any provider's algorithm.
TEST_F(OpenSslProvider, a_property_query_that_cannot_be_read_is_an_error_and_not_ignored) {
  const std::vector<std::string> queries{"this is no query (((", "=yes", "fips=\"yes", {"fips=no\0=", 9}};
  for (const std::string& query : queries) {
    const auto made = make_openssl_provider({query});
    expect_error(made, ErrorKind::ApiMisuse, Reason::InternalError);
    EXPECT_TRUE(made.error().where.contains("cannot read the property query")) << query;
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

TEST_F(OpenSslProvider, a_property_query_that_is_met_serves) {
  const auto made = make_openssl_provider({"provider=default"});
  ASSERT_TRUE(made) << made.error().where;
  const auto pem = must((*made)->generate_private_key(SignatureId::Ed25519MlDsa65, std::nullopt));
  const auto signer = must((*made)->load_signer(pem.reveal_text(), {}));
  const auto signature = must(signer->sign(as_bytes("text"), (*made)->rng()));
  EXPECT_TRUE(must((*made)->verifier(signer->public_key()))->verify(as_bytes("text"), signature));
  for (const KemInfo& row : kKems) {
    const Kem* const kem = must((*made)->kem(row.id));
    const auto key = must(kem->generate((*made)->rng()));
    EXPECT_TRUE(kem->encapsulate(key->public_key(), (*made)->rng())) << row.name;
  }
}

TEST_P(ProviderSuite, gives_every_kem_once_and_every_aead_anew) {
  for (const KemId id : provider_->capabilities().kems) {
    EXPECT_EQ(must(provider_->kem(id)), must(provider_->kem(id))) << info(id).name;
  }
  for (const AeadId id : provider_->capabilities().aeads) {
    EXPECT_NE(must(provider_->aead(id)), must(provider_->aead(id))) << info(id).name;
  }
}

// SPEC §3.4.
TEST_P(ProviderSuite, random_bytes_differ_and_fill_every_size) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    Buffer bytes(32);
    must(provider_->rng().fill(bytes));
    EXPECT_TRUE(seen.insert(to_hex(bytes)).second);
  }
  for (const std::size_t size : test::Sizes{0, 1, 33, 4096, 100'000}) {
    Buffer bytes(size);
    EXPECT_TRUE(provider_->rng().fill(bytes));
    // 64 zeros in a row have probability 2^-512.
    for (std::size_t i = 0; i + 64 <= size; i += 64) {
      EXPECT_FALSE(std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                               bytes.begin() + static_cast<std::ptrdiff_t>(i) + 64,
                               [](std::uint8_t b) { return b == 0; }));
    }
  }
}

/// The caller may be a program that uses OpenSSL itself and would find our failures in its own queue.
TEST_P(ProviderSuite, failures_leave_openssls_error_queue_empty) {
  const auto expect_clean = [](const char* what) { EXPECT_EQ(ERR_peek_error(), 0U) << what; };
  const Kem& kem = *must(provider_->kem(KemId::SecP256r1MlKem768));
  EXPECT_FALSE(kem.encapsulate(Buffer(info(kem.id()).public_key_size, 0x04), provider_->rng()));
  expect_clean("a refused share");
  const auto signer = new_signer(SignatureId::MlDsa65);
  EXPECT_FALSE(must(provider_->verifier(signer->public_key()))->verify({}, Buffer(3309)));
  expect_clean("a refused signature");
  EXPECT_FALSE(provider_->load_signer("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", {}));
  expect_clean("a refused key file");
  const auto aead = must(provider_->aead(AeadId::Aes256Gcm));
  must(aead->set_key(TrafficKey(32)));
  EXPECT_FALSE(aead->open({}, {}, {}, std::array<std::uint8_t, kTagSize>{}));
  expect_clean("a refused frame");
  EXPECT_FALSE(make_openssl_provider({"provider=nosuch"}));
  expect_clean("a missing algorithm");
}

}  // namespace
}  // namespace qsp::crypto

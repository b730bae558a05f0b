// An OpenSSL that lacks some algorithms makes a provider that says so, and names them when they are asked for.
#include <gtest/gtest.h>
#include <openssl/core_dispatch.h>
#include <openssl/provider.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/support.hpp"
#include "qsp/openssl.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace {

using test::must;

OSSL_PROVIDER* standard = nullptr;

constexpr std::array<std::string_view, 3> kLacking{"ML-KEM-768", "ED25519", "ChaCha20-Poly1305"};

/// OpenSSL lists the names of an algorithm with colons between them.
bool is_lacking(std::string_view names) {
  return std::ranges::any_of(kLacking, [&](std::string_view name) {
    return names == name || names.starts_with(std::string(name).append(":"));
  });
}

/// What OpenSSL's default provider has, but for the three.
const OSSL_ALGORITHM* query(void* /*provider*/, int operation, int* no_cache) {
  static std::map<int, std::vector<OSSL_ALGORITHM>> tables;
  static std::deque<std::string> properties;
  std::vector<OSSL_ALGORITHM>& table = tables[operation];
  const OSSL_ALGORITHM* all = OSSL_PROVIDER_query_operation(standard, operation, no_cache);
  if (table.empty()) {
    for (; all != nullptr && all->algorithm_names != nullptr; ++all) {
      if (is_lacking(all->algorithm_names)) continue;
      constexpr std::string_view kTheirs = "provider=default";
      std::string& ours = properties.emplace_back(all->property_definition);
      if (const std::size_t at = ours.find(kTheirs); at != std::string::npos) {
        ours.replace(at, kTheirs.size(), "provider=part");
      }
      table.push_back(*all);
      table.back().property_definition = ours.c_str();
    }
    table.push_back({nullptr, nullptr, nullptr, nullptr});
  }
  *no_cache = 0;
  return table.data();
}

int start(const OSSL_CORE_HANDLE* /*core*/, const OSSL_DISPATCH* /*in*/, const OSSL_DISPATCH** out, void** context) {
  static const std::array table{
      OSSL_DISPATCH{OSSL_FUNC_PROVIDER_QUERY_OPERATION, reinterpret_cast<void (*)(void)>(query)},
      OSSL_DISPATCH{0, nullptr}};
  *out = table.data();
  *context = OSSL_PROVIDER_get0_provider_ctx(standard);
  return 1;
}

class Lacking : public testing::Test {
 protected:
  Lacking() {
    standard = OSSL_PROVIDER_load(nullptr, "default");
    OSSL_PROVIDER_add_builtin(nullptr, "part", start);
    part_ = OSSL_PROVIDER_load(nullptr, "part");
    auto made = make_openssl_provider({"provider=part"});
    if (!made) throw std::runtime_error(std::string(made.error().where));
    provider_ = std::move(*made);
  }
  ~Lacking() override {
    provider_.reset();
    OSSL_PROVIDER_unload(part_);
    OSSL_PROVIDER_unload(standard);
  }

  OSSL_PROVIDER* part_ = nullptr;
  std::unique_ptr<Provider> provider_;
};

template <class Refused>
void expect_named(const Refused& refused, std::string_view name) {
  test::expect_error(refused, ErrorKind::Provider, Reason::InternalError);
  EXPECT_TRUE(refused.error().where.ends_with(std::string(" ").append(name))) << refused.error().where;
}

TEST_F(Lacking, IsSaidOfEveryAlgorithmThatNeedsWhatIsNotThere) {
  const Capabilities& has = provider_->capabilities();
  EXPECT_EQ(has.kems, (std::vector{KemId::SecP384r1MlKem1024, KemId::MlKem1024, KemId::MlKem512}));
  EXPECT_EQ(has.signatures, (std::vector{SignatureId::MlDsa65, SignatureId::MlDsa87, SignatureId::MlDsa44,
                                         SignatureId::SlhDsaSha2_128s}));
  EXPECT_EQ(has.aeads, std::vector{AeadId::Aes256Gcm});
  EXPECT_TRUE(has.keystream);
}

TEST_F(Lacking, IsNamedWhereItIsAskedFor) {
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

TEST_F(Lacking, LeavesTheOtherAlgorithmsAtWork) {
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

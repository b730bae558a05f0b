// Private keys read by a provider that is made of two libraries, one of which lacks some algorithms.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/other_rng.hpp"
#include "crypto/part_provider.hpp"
#include "crypto/pkcs8.hpp"
#include "crypto/routed/routed.hpp"
#include "crypto/support.hpp"

namespace qsp::crypto {
namespace {

using test::Buffer;
using test::must;

/// A library that knows the signer that it made last.
class KnowingLibrary final : public OtherRngProvider {
 public:
  explicit KnowingLibrary(std::unique_ptr<Provider> inner) : OtherRngProvider(*inner), inner_(std::move(inner)) {}

  [[nodiscard]] Rng& rng() noexcept override { return inner_->rng(); }
  Result<std::unique_ptr<Signer>> load_signer(std::string_view pem, const AskPassphrase& ask) override {
    auto signer = inner_->load_signer(pem, ask);
    made = signer ? signer->get() : nullptr;
    return signer;
  }

  const Signer* made = nullptr;

 private:
  std::unique_ptr<Provider> inner_;
};

constexpr std::array kLibraries{Library::OpenSsl, Library::AwsLc};
constexpr std::string_view kPart = "provider=part";
constexpr std::string_view kWhole = "provider=default";
constexpr std::string_view kPassphrase = "correct horse";

class RoutedKeys : public testing::Test {
 protected:
  /// A routed provider over two property queries, of which `preferred` is for every algorithm.
  void route(Library preferred, std::string_view first, std::string_view second) {
    routes_.clear();
    for (const Algorithm& algorithm : kAlgorithms) routes_.push_back({algorithm, preferred});
    std::vector<Part> parts;
    for (std::size_t i = 0; i < 2; ++i) {
      auto library =
          std::make_unique<KnowingLibrary>(must(make_openssl_provider({std::string(i == 0 ? first : second)})));
      libraries_[i] = library.get();
      parts.push_back({kLibraries[i], std::move(library)});
    }
    routed_ = make_routed_provider(std::move(parts), routes_);
  }

  SecretBytes new_key(SignatureId id, bool encrypted) {
    return must(
        whole_->generate_private_key(id, encrypted ? std::optional(SecretBytes::copy_of(kPassphrase)) : std::nullopt));
  }

  /// Counts how often it was asked.
  AskPassphrase answering(std::optional<std::string_view> text) {
    return [this, text]() -> std::optional<SecretBytes> {
      ++asked_;
      if (!text) return std::nullopt;
      return SecretBytes::copy_of(*text);
    };
  }

  test::PartProvider part_{{"ED25519", "SLH-DSA-SHA2-128s"}};
  std::unique_ptr<Provider> whole_ = must(make_openssl_provider({std::string(kWhole)}));
  std::vector<Route> routes_;
  std::array<KnowingLibrary*, 2> libraries_{};
  std::unique_ptr<Provider> routed_;
  int asked_ = 0;
};

TEST_F(RoutedKeys, make_signers_of_the_library_that_serves_the_algorithm) {
  for (const SignatureInfo& row : kSignatures) {
    const SecretBytes pem = new_key(row.id, false);
    for (std::size_t preferred = 0; preferred < 2; ++preferred) {
      for (std::size_t part = 0; part < 2; ++part) {
        route(kLibraries[preferred], part == 0 ? kPart : kWhole, part == 1 ? kPart : kWhole);
        const std::size_t by = libraries_[preferred]->capabilities().has(row.id) ? preferred : 1 - preferred;
        const auto signer = must(routed_->load_signer(pem.reveal_text(), answering(kPassphrase)));
        EXPECT_EQ(signer.get(), libraries_[by]->made) << row.name << ' ' << preferred << ' ' << part;
        EXPECT_EQ(signer->public_key().algorithm, row.id);
      }
    }
  }
  EXPECT_EQ(asked_, 0) << "no key was encrypted";
}

/// A table that gives each library some: whichever reads the key first, the signer is of the right one.
TEST_F(RoutedKeys, make_signers_by_a_table_that_divides_the_algorithms) {
  for (const SignatureInfo& odd : kSignatures) {
    route(Library::OpenSsl, kWhole, kWhole);
    for (Route& route : routes_) {
      if (route.algorithm == Algorithm(odd.id)) route.library = Library::AwsLc;
    }
    std::vector<Part> parts;
    for (std::size_t i = 0; i < 2; ++i) {
      auto library = std::make_unique<KnowingLibrary>(must(make_openssl_provider({std::string(kWhole)})));
      libraries_[i] = library.get();
      parts.push_back({kLibraries[i], std::move(library)});
    }
    const auto routed = make_routed_provider(std::move(parts), routes_);
    for (const SignatureInfo& row : kSignatures) {
      const auto signer = must(routed->load_signer(new_key(row.id, false).reveal_text(), {}));
      EXPECT_EQ(signer.get(), libraries_[row.id == odd.id ? 1 : 0]->made) << row.name << " where " << odd.name;
    }
  }
}

TEST_F(RoutedKeys, ask_for_a_passphrase_once_however_many_libraries_read) {
  // Two blocks, and the library that reads them first lacks the algorithm.
  const SecretBytes pem = new_key(SignatureId::Ed25519MlDsa65, true);
  route(Library::OpenSsl, kPart, kWhole);
  const auto signer = must(routed_->load_signer(pem.reveal_text(), answering(kPassphrase)));
  EXPECT_EQ(signer.get(), libraries_[1]->made);
  EXPECT_EQ(asked_, 1);
  asked_ = 0;
  EXPECT_FALSE(routed_->load_signer(pem.reveal_text(), answering(std::nullopt)));
  EXPECT_EQ(asked_, 1) << "whoever gave up is not asked again";
  asked_ = 0;
  EXPECT_FALSE(routed_->load_signer(pem.reveal_text(), answering("wrong")));
  EXPECT_EQ(asked_, 1) << "nor is one who was wrong";
}

TEST_F(RoutedKeys, ask_again_for_another_key) {
  const SecretBytes pem = new_key(SignatureId::MlDsa65, true);
  route(Library::OpenSsl, kWhole, kWhole);
  must(routed_->load_signer(pem.reveal_text(), answering(kPassphrase)));
  must(routed_->load_signer(pem.reveal_text(), answering(kPassphrase)));
  EXPECT_EQ(asked_, 2) << "a passphrase is kept for one call alone";
}

TEST_F(RoutedKeys, that_are_damaged_are_refused_as_by_one_library_alone) {
  const SecretBytes good = new_key(SignatureId::Ed25519, false);
  const std::string text(good.reveal_text());
  const std::string sealed(new_key(SignatureId::Ed25519, true).reveal_text());
  const std::string other(new_key(SignatureId::MlDsa44, false).reveal_text());
  const std::string short_key = test::private_key_pem(SignatureId::Ed25519, test::KeyForm::Expanded, {}, Buffer(31, 1));
  const std::string public_key = must(whole_->public_key_pem({SignatureId::Ed25519, Buffer(32, 1)}));
  const std::vector<std::string> texts{"",
                                       "no key",
                                       text.substr(0, text.size() / 2),
                                       text + text + text,
                                       public_key,
                                       short_key,
                                       text + other,
                                       sealed,
                                       other + text,
                                       "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n"};
  for (const auto& [first, second] : {std::pair(kPart, kWhole), std::pair(kWhole, kWhole)}) {
    for (const Library preferred : kLibraries) {
      route(preferred, first, second);
      for (const std::string& pem : texts) {
        for (const AskPassphrase& ask : {AskPassphrase(), answering(std::nullopt), answering("wrong")}) {
          const auto refused = routed_->load_signer(pem, ask);
          const auto alone = whole_->load_signer(pem, ask);
          ASSERT_FALSE(refused) << pem;
          ASSERT_FALSE(alone) << pem;
          EXPECT_EQ(refused.error().where, alone.error().where);
          EXPECT_EQ(refused.error().kind, alone.error().kind);
          EXPECT_EQ(refused.error().reason, alone.error().reason);
        }
      }
    }
  }
}

TEST_F(RoutedKeys, of_an_algorithm_that_no_library_has_name_it) {
  route(Library::AwsLc, kPart, kPart);
  for (const SignatureId id : {SignatureId::Ed25519, SignatureId::SlhDsaSha2_128s}) {
    const auto refused = routed_->load_signer(new_key(id, false).reveal_text(), {});
    test::expect_error(refused, ErrorKind::Provider, Reason::InternalError);
    EXPECT_EQ(refused.error().where, lacks(id).error().where);
  }
}

}  // namespace
}  // namespace qsp::crypto

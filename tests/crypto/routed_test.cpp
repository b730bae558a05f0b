// One provider made of two: each algorithm is served by the library that the table names, or by the other one where
// that library lacks it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/other_rng.hpp"
#include "crypto/routed/routed.hpp"
#include "crypto/support.hpp"

namespace qsp::crypto {
namespace {

using test::must;

/// OpenSSL under another name and without some algorithms, that notes what it is asked for.
class Spy final : public OtherRngProvider {
 public:
  Spy(std::unique_ptr<Provider> inner, std::string name, std::vector<Algorithm> lacking)
      : OtherRngProvider(*inner), inner_(std::move(inner)), name_(std::move(name)), has_(inner_->capabilities()) {
    for (const Algorithm& algorithm : lacking) {
      if (const auto* const kem = std::get_if<KemId>(&algorithm)) std::erase(has_.kems, *kem);
      if (const auto* const id = std::get_if<SignatureId>(&algorithm)) std::erase(has_.signatures, *id);
      if (const auto* const id = std::get_if<AeadId>(&algorithm)) std::erase(has_.aeads, *id);
      if (algorithm == Algorithm(Primitive::Keystream)) has_.keystream = false;
    }
  }

  [[nodiscard]] std::string_view description() const noexcept override { return name_; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return has_; }
  [[nodiscard]] Rng& rng() noexcept override { return inner_->rng(); }
  Result<std::unique_ptr<Aead>> aead(AeadId id) override {
    asked.emplace_back(id);
    return inner_->aead(id);
  }
  Result<std::unique_ptr<Verifier>> verifier(const PublicKey& key) override {
    asked.emplace_back(key.algorithm);
    return inner_->verifier(key);
  }
  Result<SecretBytes> generate_private_key(SignatureId id, const std::optional<SecretBytes>& passphrase) override {
    asked.emplace_back(id);
    return inner_->generate_private_key(id, passphrase);
  }
  Result<std::unique_ptr<Keystream>> keystream(TrafficKey&& key) override {
    asked.emplace_back(Primitive::Keystream);
    return inner_->keystream(std::move(key));
  }

  std::vector<Algorithm> asked;

 private:
  std::unique_ptr<Provider> inner_;
  std::string name_;
  Capabilities has_;
};

constexpr std::array kLibraries{Library::OpenSsl, Library::AwsLc};

/// A routed provider over two spies, by a table with one library for everything.
struct Pair {
  Pair(Library preferred, std::array<std::vector<Algorithm>, 2> lacking) {
    for (const Algorithm& algorithm : kAlgorithms) routes.push_back({algorithm, preferred});
    std::vector<Part> parts;
    for (std::size_t i = 0; i < 2; ++i) {
      auto spy = std::make_unique<Spy>(must(make_openssl_provider()), i == 0 ? "one" : "other", std::move(lacking[i]));
      spies[i] = spy.get();
      parts.push_back({kLibraries[i], std::move(spy)});
    }
    routed = make_routed_provider(std::move(parts), routes);
  }

  std::vector<Route> routes;
  std::array<Spy*, 2> spies{};
  std::unique_ptr<Provider> routed;
};

/// Uses what `routed` has for an algorithm, and says whether that is of this spy.
bool serves(Provider& routed, Spy& spy, Algorithm algorithm) {
  spy.asked.clear();
  if (const auto* const id = std::get_if<KemId>(&algorithm)) return must(routed.kem(*id)) == must(spy.kem(*id));
  if (algorithm == Algorithm(Primitive::Random)) return &routed.rng() == &spy.rng();
  if (algorithm == Algorithm(Primitive::Hkdf)) return &routed.hkdf() == &spy.hkdf();
  if (algorithm == Algorithm(Primitive::Keystream)) must(routed.keystream(TrafficKey()));
  if (const auto* const id = std::get_if<AeadId>(&algorithm)) must(routed.aead(*id));
  if (const auto* const id = std::get_if<SignatureId>(&algorithm)) {
    must(routed.verifier({*id, std::vector<std::uint8_t>(info(*id).public_key_size)}));
    if (*id != SignatureId::SlhDsaSha2_128s) must(routed.generate_private_key(*id, std::nullopt));
  }
  return std::ranges::find(spy.asked, algorithm) != spy.asked.end();
}

/// Which spy serves an algorithm that each has or lacks: the preferred one, else the other.
std::optional<std::size_t> expected(std::size_t preferred, std::array<bool, 2> has) {
  if (has[preferred]) return preferred;
  return has[1 - preferred] ? std::optional(1 - preferred) : std::nullopt;
}

bool is_optional(const Algorithm& algorithm) {
  return algorithm != Algorithm(Primitive::Random) && algorithm != Algorithm(Primitive::Hkdf);
}

void expect_refused(Provider& routed, const Algorithm& algorithm) {
  if (const auto* const id = std::get_if<KemId>(&algorithm)) {
    EXPECT_EQ(routed.kem(*id).error().where, lacks(*id).error().where);
  } else if (const auto* const aead = std::get_if<AeadId>(&algorithm)) {
    EXPECT_EQ(routed.aead(*aead).error().where, lacks(*aead).error().where);
  } else if (const auto* const signature = std::get_if<SignatureId>(&algorithm)) {
    EXPECT_EQ(routed.verifier({*signature, {}}).error().where, lacks(*signature).error().where);
    EXPECT_EQ(routed.generate_private_key(*signature, std::nullopt).error().where, lacks(*signature).error().where);
  } else {
    test::expect_error(routed.keystream(TrafficKey()), ErrorKind::Provider, Reason::InternalError);
  }
}

TEST(Routed, gives_every_algorithm_to_the_preferred_library_that_has_it) {
  for (const Algorithm& algorithm : kAlgorithms) {
    for (std::size_t preferred = 0; preferred < 2; ++preferred) {
      for (const auto has :
           {std::array{true, true}, std::array{true, false}, std::array{false, true}, std::array{false, false}}) {
        if (!is_optional(algorithm) && !(has[0] && has[1])) continue;
        SCOPED_TRACE(std::string(name(algorithm)) + " " + std::to_string(preferred) + std::to_string(has[0]) +
                     std::to_string(has[1]));
        std::array<std::vector<Algorithm>, 2> lacking;
        for (std::size_t i = 0; i < 2; ++i) {
          if (!has[i]) lacking[i].push_back(algorithm);
        }
        Pair pair(kLibraries[preferred], lacking);
        const auto by = expected(preferred, has);
        EXPECT_EQ(can(*pair.routed, algorithm), by.has_value());
        if (!by) {
          expect_refused(*pair.routed, algorithm);
          continue;
        }
        EXPECT_TRUE(serves(*pair.routed, *pair.spies[*by], algorithm));
        EXPECT_FALSE(serves(*pair.routed, *pair.spies[1 - *by], algorithm));
        EXPECT_EQ(pair.routed->library_of(algorithm), pair.spies[*by]->description());
      }
    }
  }
}

TEST(Routed, follows_a_table_row_by_row) {
  for (std::size_t odd = 0; odd < kAlgorithms.size(); ++odd) {
    std::vector<Route> routes;
    for (const Algorithm& algorithm : kAlgorithms) routes.push_back({algorithm, Library::OpenSsl});
    routes[odd].library = Library::AwsLc;
    std::vector<Part> parts;
    for (const Library library : kLibraries) {
      parts.push_back(
          {library, std::make_unique<Spy>(must(make_openssl_provider()), library == Library::AwsLc ? "odd" : "even",
                                          std::vector<Algorithm>())});
    }
    const auto routed = make_routed_provider(std::move(parts), routes);
    for (std::size_t i = 0; i < kAlgorithms.size(); ++i) {
      EXPECT_EQ(routed->library_of(kAlgorithms[i]), i == odd ? "odd" : "even") << name(kAlgorithms[i]);
    }
  }
}

TEST(Routed, has_what_one_of_its_libraries_has_in_the_order_of_the_suite_table) {
  const Pair pair(Library::AwsLc, {std::vector<Algorithm>{KemId::MlKem768, SignatureId::MlDsa65, AeadId::Aes256Gcm,
                                                          Primitive::Keystream, KemId::MlKem512},
                                   std::vector<Algorithm>{KemId::X25519MlKem768, SignatureId::SlhDsaSha2_128s,
                                                          AeadId::ChaCha20Poly1305, KemId::MlKem512}});
  Capabilities whole = whole_suite();
  std::erase(whole.kems, KemId::MlKem512);
  const Capabilities& has = pair.routed->capabilities();
  EXPECT_EQ(has.kems, whole.kems);
  EXPECT_EQ(has.signatures, whole.signatures);
  EXPECT_EQ(has.aeads, whole.aeads);
  EXPECT_TRUE(has.keystream);
  EXPECT_EQ(pair.routed->description(), "one and other");
}

// A table

TEST(Routes, of_this_program_are_sound) { EXPECT_EQ(problem_of(kRoutes), ""); }

TEST(Routes, with_a_row_missing_or_twice_are_broken) {
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    std::vector<Route> routes(kRoutes.begin(), kRoutes.end());
    routes.erase(routes.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(problem_of(routes), "an algorithm without a route") << i;
    routes.assign(kRoutes.begin(), kRoutes.end());
    routes.push_back(kRoutes[i]);
    EXPECT_EQ(problem_of(routes), "an algorithm with two routes") << i;
  }
}

TEST(Routes, to_no_library_are_broken) {
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    std::vector<Route> routes(kRoutes.begin(), kRoutes.end());
    routes[i].library = Library::Auto;
    EXPECT_EQ(problem_of(routes), "a route to no library") << i;
  }
}

TEST(Routes, by_size_are_for_aeads_and_two_libraries) {
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    std::vector<Route> routes(kRoutes.begin(), kRoutes.end());
    const bool aead = std::holds_alternative<AeadId>(routes[i].algorithm);
    const Library own = routes[i].library;
    const Library other = own == Library::AwsLc ? Library::OpenSsl : Library::AwsLc;
    routes[i].above = Route::Above{100, other};
    EXPECT_EQ(problem_of(routes), aead ? "" : "a route by size of what is no AEAD") << i;
    if (!aead) continue;
    routes[i].above = Route::Above{100, own};
    EXPECT_EQ(problem_of(routes), "a route by size to one library") << i;
    routes[i].above = Route::Above{100, Library::Auto};
    EXPECT_EQ(problem_of(routes), "a route to no library") << i;
  }
}

TEST(Routes, say_what_they_prefer) {
  for (const Route& route : kRoutes) {
    EXPECT_EQ(preferred(route.algorithm, 0), route.library) << name(route.algorithm);
    if (!route.above) continue;
    EXPECT_EQ(preferred(route.algorithm, route.above->size), route.library);
    EXPECT_EQ(preferred(route.algorithm, route.above->size + 1), route.above->library);
  }
}

}  // namespace
}  // namespace qsp::crypto

#pragma once

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/kem_layout.hpp"
#include "crypto/support.hpp"
#include "qsp/crypto.hpp"

/// What qsp/crypto.hpp demands of any provider, as checks that a sound provider passes and one with a fault does not.
/// The checks use no GoogleTest, so that a test can ask them whether they notice a fault.
namespace qsp::crypto::test::conformance {

/// Random bytes that are the same for the same seed, and that may run out.
class Stream final : public Rng {
 public:
  explicit Stream(std::uint64_t seed, std::size_t limit = std::numeric_limits<std::size_t>::max()) noexcept
      : state_(seed), limit_(limit) {}
  Result<void> fill(MutableBytes out) override;
  [[nodiscard]] std::size_t drawn() const noexcept { return drawn_; }

 private:
  std::uint64_t state_;
  std::size_t limit_;
  std::size_t drawn_ = 0;
};

/// One check at work on one provider.
class Trial {
 public:
  /// `reference` is a provider whose results count as right: OpenSSL's. With `quick`, the check leaves out what takes
  /// long and says nothing new about a fault: SLH-DSA, and most passphrases.
  Trial(Provider& provider, Provider& reference, bool quick) noexcept
      : provider_(&provider), reference_(&reference), quick_(quick) {}

  [[nodiscard]] Provider& provider() const noexcept { return *provider_; }
  [[nodiscard]] Provider& reference() const noexcept { return *reference_; }

  [[nodiscard]] bool quick() const noexcept { return quick_; }

  /// What both have.
  [[nodiscard]] std::vector<Layout> kems() const;
  [[nodiscard]] std::vector<AeadId> aeads() const;
  [[nodiscard]] std::vector<SignatureId> signatures() const;

  void expect(bool holds, std::string_view what, std::string_view of = {});
  void expect_equal(Bytes one, Bytes other, std::string_view what, std::string_view of = {});
  /// Expects an error of this kind and reason, with words.
  template <class T>
  void expect_refused(const Result<T>& result, ErrorKind kind, Reason reason, std::string_view what,
                      std::string_view of = {}) {
    expect(!result.has_value(), std::string("taken: ").append(what), of);
    if (result.has_value()) return;
    const Error& error = result.error();
    expect(error.kind == kind && error.reason == reason, std::string("another error: ").append(what), of);
    expect(!error.where.empty(), std::string("an error without words: ").append(what), of);
  }
  /// The value of a Result that must hold one; else the check ends here.
  template <class T>
  T need(Result<T> result, std::string_view what, std::string_view of = {}) {
    expect(result.has_value(), std::string("failed: ").append(what), of);
    if (!result.has_value()) throw Over();
    if constexpr (!std::is_void_v<T>) return *std::move(result);
  }

  /// What did not hold, at most the first few; empty for a provider that passed.
  [[nodiscard]] const std::vector<std::string>& broken() const noexcept { return broken_; }

 private:
  friend std::vector<std::string> run(const struct Check& check, Trial trial);
  struct Over : std::runtime_error {
    Over() : std::runtime_error("the check cannot go on") {}
  };

  Provider* provider_;
  Provider* reference_;
  bool quick_;
  std::vector<std::string> broken_;
};

/// A demand. Its name is a test's.
struct Check {
  std::string_view name;
  void (*work)(Trial& trial);
};
void PrintTo(const Check& check, std::ostream* out);

std::vector<Check> kem_checks();
std::vector<Check> share_checks();
std::vector<Check> aead_checks();
std::vector<Check> hkdf_checks();
std::vector<Check> signature_checks();
std::vector<Check> key_checks();
std::vector<Check> provider_checks();
/// All of them.
const std::vector<Check>& checks();

/// What a check finds wrong.
std::vector<std::string> run(const Check& check, Trial trial);

// For the checks.

Buffer filled(std::size_t size, std::uint64_t seed = 1);
Buffer flipped(Bytes bytes, std::size_t at, std::uint8_t mask = 0x01);

}  // namespace qsp::crypto::test::conformance

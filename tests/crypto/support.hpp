#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hex.hpp"
#include "crypto/providers.hpp"
#include "qsp/crypto.hpp"
#include "qsp/openssl.hpp"
#include "qsp/suites.hpp"
#include "support/scripted.hpp"

/// What the suites of the crypto room share.
namespace qsp::crypto::test {

using Buffer = std::vector<std::uint8_t>;
using Sizes = std::initializer_list<std::size_t>;

/// The bytes of hexadecimal digits; white space is skipped. Anything else fails the running test.
Buffer unhex(std::string_view text);
Buffer copy(Bytes bytes);
/// A name as GoogleTest allows it: its letters and digits.
std::string test_name(std::string_view name);
Buffer joined(std::initializer_list<Bytes> parts);

/// The value of a Result that must hold one; a failure names the error and throws, which ends the running test.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(std::string(result.error().where));
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

using qsp::test::ScriptedRng;

/// Expects a Result to have failed with this kind and reason.
template <class T>
void expect_error(const Result<T>& result, ErrorKind kind, Reason reason) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(name(result.error().kind), name(kind)) << result.error().where;
  EXPECT_EQ(name(result.error().reason), name(reason)) << result.error().where;
  EXPECT_FALSE(result.error().where.empty());
}

/// A suite over a provider: OpenSSL's, where no other is named. Every test also checks that OpenSSL's error queue is
/// left empty.
class ProviderTest : public testing::Test {
 protected:
  ProviderTest() : ProviderTest(tested_providers().front()) {}
  explicit ProviderTest(const TestedProvider& tested);
  void TearDown() override;

  /// Whether the table says that the provider lacks an algorithm. What is asked for all the same is then checked to be
  /// refused in the words of lacks().
  bool lacking(SignatureId id);

  /// A signer over a new key.
  std::unique_ptr<Signer> new_signer(SignatureId id);
  /// A second provider of the same library, for another thread.
  std::unique_ptr<Provider> another_provider() const;

  const TestedProvider* tested_;
  std::unique_ptr<Provider> provider_;
};

/// A suite that runs over every provider: INSTANTIATE_TEST_SUITE_P(Each, Suite, kEveryProvider, name_of).
template <class Suite = ProviderTest>
class EveryProvider : public Suite, public testing::WithParamInterface<const TestedProvider*> {
 protected:
  EveryProvider() : Suite(*GetParam()) {}
};

/// A suite over every row of a table of algorithms, on every provider that has it:
/// INSTANTIATE_TEST_SUITE_P(Each, Suite, testing::ValuesIn(on_every_provider(kRows)), name_of).
template <class Row, class Suite = ProviderTest>
class EveryRow : public Suite, public testing::WithParamInterface<On<Row>> {
 protected:
  EveryRow() : Suite(*this->GetParam().provider) {}
  const Row& row() const { return this->GetParam().row; }
};

/// "OpenSSL", or "OpenSSL_MLDSA65".
struct NameOf {
  std::string operator()(const testing::TestParamInfo<const TestedProvider*>& each) const {
    return std::string(each.param->name);
  }
  template <class Row>
  std::string operator()(const testing::TestParamInfo<On<Row>>& each) const {
    const Row& row = each.param.row;
    std::string_view algorithm;
    if constexpr (requires { row.name; }) {
      algorithm = row.name;
    } else if constexpr (std::is_enum_v<Row>) {
      algorithm = info(row).name;
    } else {
      algorithm = info(row.id).name;
    }
    return std::string(each.param.provider->name).append("_").append(test_name(algorithm));
  }
};
inline constexpr NameOf name_of;

}  // namespace qsp::crypto::test

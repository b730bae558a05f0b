#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hex.hpp"
#include "qsp/crypto.hpp"
#include "qsp/openssl.hpp"
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

/// A suite over the OpenSSL provider. Every test also checks that OpenSSL's error queue is left empty.
class ProviderTest : public testing::Test {
 protected:
  ProviderTest();
  void TearDown() override;

  /// A signer over a new key.
  std::unique_ptr<Signer> new_signer(SignatureId id);

  std::unique_ptr<Provider> provider_;
};

}  // namespace qsp::crypto::test

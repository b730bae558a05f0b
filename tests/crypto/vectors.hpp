#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/support.hpp"

/// Test vectors in the text format of OpenSSL's evp_test, in which its source package carries NIST ACVP's, Wycheproof's
/// and the RFCs': blocks of `key = value` lines between empty lines, `#` before a comment.
namespace qsp::crypto::test {

/// One block: its fields in order. Keys may repeat.
class VectorBlock {
 public:
  void add(std::string key, std::string value) { fields_.emplace_back(std::move(key), std::move(value)); }
  [[nodiscard]] bool empty() const noexcept { return fields_.empty(); }

  /// The first value of a key, or nothing.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
  /// The value behind "name:" in a `Ctrl…` or `CtrlOut` field, or nothing.
  [[nodiscard]] std::optional<std::string_view> control(std::string_view name) const;
  /// A field's bytes: hexadecimal, or text between quotation marks; empty where the field is absent.
  [[nodiscard]] Buffer bytes(std::string_view key) const;
  [[nodiscard]] Buffer control_bytes(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// A `PrivateKeyRaw = name:algorithm:hex` or `PublicKeyRaw = …` field.
struct NamedKey {
  std::string_view name;
  std::string_view algorithm;
  Buffer bytes;
};
NamedKey named_key(std::string_view value);

/// The blocks of a file of the vector directory. `wanted` chooses blocks before they are kept: some files have 20 MB.
using Wanted = bool (*)(const VectorBlock&);
std::vector<VectorBlock> read_vectors(std::string_view file, Wanted wanted = nullptr);

/// A suite over the vector files. Skipped where there are none, as with an OpenSSL not built from its source package.
class VectorTest : public ProviderTest {
 protected:
  using ProviderTest::ProviderTest;
  void SetUp() override;
};

}  // namespace qsp::crypto::test

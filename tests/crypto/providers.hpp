#pragma once

#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "qsp/crypto.hpp"

/// The providers that the suites of this room run over.
namespace qsp::crypto::test {

/// One of them: a line of the table in providers.cpp.
struct TestedProvider {
  std::string_view name;  ///< letters and digits: the tests of this provider end in it
  Result<std::unique_ptr<Provider>> (*make)();
  /// What it lacks of the suite table, and whether it lacks a keystream. A test compares this with capabilities(), so
  /// that an algorithm that goes missing is seen, and no test leaves out anything that is not told here.
  Capabilities lacks;
  bool lacks_keystream;
  bool lacks_scrypt;  ///< of a private key that is encrypted by it (RFC 7914), as `openssl pkcs8 -scrypt` writes
};
void PrintTo(const TestedProvider* provider, std::ostream* out);

/// All that this program is built with, OpenSSL's first.
std::span<const TestedProvider> tested_providers();
/// The same as GoogleTest's parameters.
std::vector<const TestedProvider*> every_provider();

/// A row of a table of algorithms, with a provider that has it.
template <class Row>
struct On {
  const TestedProvider* provider;
  Row row;
};
template <class Row>
void PrintTo(const On<Row>& on, std::ostream* out) {
  PrintTo(on.provider, out);
}

/// Every row with every provider that has its algorithm, which is row.id or the row itself.
template <class Table>
auto on_every_provider(const Table& table) {
  using Row = std::remove_cvref_t<decltype(*std::begin(table))>;
  std::vector<On<Row>> all;
  for (const TestedProvider* const provider : every_provider()) {
    for (const Row& row : table) {
      if constexpr (std::is_enum_v<Row>) {
        if (!provider->lacks.has(row)) all.push_back({provider, row});
      } else {
        if (!provider->lacks.has(row.id)) all.push_back({provider, row});
      }
    }
  }
  return all;
}

}  // namespace qsp::crypto::test

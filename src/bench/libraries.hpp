#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/operations.hpp"
#include "bench/rounds.hpp"
#include "crypto/routed/routes.hpp"

namespace qsp::bench {

/// A cryptographic library of this program.
struct MeasuredLibrary {
  crypto::Library library;
  std::string description;
};

/// One operation on each library.
struct OperationRow {
  std::string name;
  std::vector<std::optional<Pace>> paces;  ///< in the order of the libraries; none where one lacks the algorithm
  crypto::Library preferred;               ///< by the table of routes
  bool chosen = true;                      ///< the table has the choice; an AEAD's key goes where its frames do
};

struct LibrariesResult {
  std::vector<MeasuredLibrary> libraries;
  std::vector<OperationRow> rows;
};

/// Which library was clearly faster in a row than the one that the table of routes prefers: by a tenth, and by three
/// times what the medians may be wrong by. Nothing where the table is right, or had no choice.
std::optional<std::size_t> better_than_preferred(const LibrariesResult& result, const OperationRow& row);

/// Measures every operation on every library that the program is built with, or on the one that was chosen for it.
/// `each` is how much processor time an operation gets on one library, roughly; `progress` is told each operation's
/// name. Error: one line.
Outcome<LibrariesResult> bench_libraries(std::chrono::nanoseconds each,
                                         const std::function<void(std::string_view)>& progress);

}  // namespace qsp::bench

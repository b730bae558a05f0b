#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/app.hpp"

namespace qsp::cli {

/// Text from a peer, made safe for a terminal and a log: printable ASCII stays, a backslash is doubled, all else
/// becomes
/// \xNN. Line feeds stay where `lines` is set.
std::string escape(std::string_view text, bool lines = false);

/// "12,000,000".
std::string grouped(std::uint64_t number);

/// The names of a table of algorithms (qsp/suites.hpp).
template <class Table>
std::vector<std::string> algorithm_names(const Table& table) {
  std::vector<std::string> names;
  for (const auto& row : table) names.emplace_back(row.name);
  return names;
}

/// Whether stderr is a terminal that wants colour (NO_COLOR is not set).
bool colour_on_stderr();

/// One line on stderr: "qsp: error: …" or "qsp: warning: …".
void print_error(std::string_view text);
void print_warning(std::string_view text);
/// What a verb that ends with an error returns: prints the error, and answers with `code`.
int failed(std::string_view text, int code = kFailed);

}  // namespace qsp::cli

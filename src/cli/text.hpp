#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/app.hpp"

namespace qsp::cli {

/// The names of a table of algorithms (qsp/suites.hpp).
template <class Table>
std::vector<std::string> algorithm_names(const Table& table) {
  std::vector<std::string> names;
  for (const auto& row : table) names.emplace_back(row.name);
  return names;
}

/// One line on stderr: "qsp: error: …" or "qsp: warning: …".
void print_error(std::string_view text);
void print_warning(std::string_view text);
/// What a verb that ends with an error returns: prints the error, and answers with `code`.
int failed(std::string_view text, int code = kFailed);

}  // namespace qsp::cli

#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

namespace qsp::config {

inline constexpr std::size_t kMaxOptionsFileSize = 65'536;

/// An option as a file has it.
struct FileOption {
  std::string name;                 ///< without dashes
  std::vector<std::string> values;  ///< an array has several
  bool truth;                       ///< it is true or false, and no text or number
  std::string where;                ///< "FILE:LINE:COLUMN"
};

/// The options of a table: of the file itself those of the verb that is run, of [serve] those of `qsp serve`.
struct FileOptions {
  std::string word;   ///< the verb's; empty for the file itself
  std::string where;  ///< "FILE:LINE:COLUMN"
  std::vector<FileOption> options = {};
  std::vector<FileOptions> verbs = {};  ///< the tables in it
};

/// Reads a file of options: TOML, an option a line, without its dashes, and tables named after verbs. The error is one
/// line with file, line and column.
std::expected<FileOptions, std::string> read_options_file(const std::string& file);

}  // namespace qsp::config

#pragma once

#include <expected>
#include <string>
#include <vector>

namespace qsp::cli {

inline constexpr std::size_t kMaxOptionsFileSize = 65'536;

/// The arguments of the program, without its name, and behind them the options of the file that `--config FILE` names:
/// a TOML file with an option a line, without its dashes. What the command line says itself is not taken from the file.
/// Error: one line that names the file and what is wrong.
std::expected<std::vector<std::string>, std::string> with_config_file(int argc, char** argv);

/// The file that with_config_file took options from in this run; empty where there was none.
const std::string& option_file_in_use();

}  // namespace qsp::cli

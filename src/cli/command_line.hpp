#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "config/options.hpp"

namespace qsp::cli {

/// What stands between the words that a person typed and CLI11: `help` and `--version`, old names of options, option
/// files, and what to say of words that nobody knows.
class CommandLine {
 public:
  /// `app` has all verbs by now, and outlives this object.
  explicit CommandLine(const Command& app) : app_(app) {}

  /// The program's arguments, without its name, as CLI11 is to have them. Warns of old names. The error is one line.
  std::expected<std::vector<std::string>, std::string> prepare(std::vector<std::string> arguments);

  /// The option file that was read; empty where there was none.
  [[nodiscard]] const std::string& options_file() const noexcept { return options_file_; }

  /// Why CLI11 would not have the arguments, in one line: what is wrong, where it stands, and what may have been meant.
  [[nodiscard]] std::string explain(const Outcome& error) const;

 private:
  std::expected<void, std::string> add_options_file();
  /// Takes the options of a table that are the verb's and that the command line does not say itself. Those of all
  /// tables are checked: `owner` is the verb whose they are.
  std::expected<void, std::string> take_options(const Command& owner, config::FileOptions& table);
  /// What to say of the first word, or option where `options` are asked for, that nobody knows.
  [[nodiscard]] std::optional<std::string> unknown(bool options) const;
  void replace_old_names();
  [[nodiscard]] const Command& verb() const;

  const Command& app_;
  std::vector<std::string> arguments_;
  std::string options_file_;
  std::vector<config::FileOption> from_file_;  ///< those that the command line does not say itself
};

/// The verb's words: "qsp kme serve".
std::string full_name(const Command& verb);

}  // namespace qsp::cli

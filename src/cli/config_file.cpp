#include "cli/config_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "cli/command.hpp"
#include "files/trusted.hpp"

namespace qsp::cli {
namespace {

constexpr std::string_view kOption = "--config";

/// What `--config FILE` or `--config=FILE` names, the last one where there are several.
std::optional<std::string> config_file(const std::vector<std::string>& arguments) {
  std::optional<std::string> file;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") break;
    if (argument == kOption && i + 1 < arguments.size()) file = arguments[i + 1];
    if (argument.starts_with(kOption) && argument.substr(kOption.size()).starts_with('=')) {
      file = argument.substr(kOption.size() + 1);
    }
  }
  return file;
}

/// A program has one command line, and it is read once.
std::string& file_in_use() {
  static std::string file;
  return file;
}

bool says(const std::vector<std::string>& arguments, const std::string& option) {
  return std::ranges::any_of(
      arguments, [&](const std::string& given) { return given == option || given.starts_with(option + '='); });
}

}  // namespace

const std::string& option_file_in_use() { return file_in_use(); }

std::expected<std::vector<std::string>, std::string> with_config_file(int argc, char** argv) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const auto file = config_file(arguments);
  if (!file) return arguments;
  file_in_use() = *file;
  const auto content = files::read_trusted_file(*file, kMaxOptionsFileSize);
  if (!content) return std::unexpected(content.error());
  const auto items = read_config(std::string(content->text.reveal()));
  if (!items) return std::unexpected(*file + ": " + items.error());
  std::vector<std::string> added;
  for (const ConfigItem& item : *items) {
    if (item.in_table || item.name == "++" || item.name == "config") {
      return std::unexpected(*file + ": " + item.full_name + ": takes options only, one a line, and no tables");
    }
    const std::string option = "--" + item.name;
    if (says(arguments, option)) continue;
    for (const std::string& value : item.values) added.push_back(fmt::format("{}={}", option, value));
  }
  arguments.insert(arguments.end(), added.begin(), added.end());
  return arguments;
}

}  // namespace qsp::cli

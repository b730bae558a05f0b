#include "cli/options_file.hpp"

#include <fmt/format.h>

#include <optional>

#include "files/trusted.hpp"
#include "text/escape.hpp"

// Errors as values: nothing of a configuration is worth an exception.
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace qsp::cli {
namespace {

std::string place(const std::string& file, const toml::source_region& where) {
  return fmt::format("{}:{}", text::terminal_escape(file), where.begin.line);
}

/// As the command line would have it.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* const text = node.as_string()) return text->get();
  if (const auto* const number = node.as_integer()) return fmt::format("{}", number->get());
  if (const auto* const number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* const flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

std::optional<std::vector<std::string>> values_of(const toml::node& node) {
  std::vector<std::string> values;
  const toml::array* const array = node.as_array();
  if (array == nullptr) {
    const auto value = text_of(node);
    if (!value) return std::nullopt;
    values.push_back(*value);
    return values;
  }
  for (const toml::node& item : *array) {
    const auto value = item.is_boolean() ? std::nullopt : text_of(item);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  if (values.empty()) return std::nullopt;
  return values;
}

/// A program has one command line, and it is read once.
std::string& file_in_use() {
  static std::string file;
  return file;
}

}  // namespace

const std::string& options_file_in_use() { return file_in_use(); }

std::expected<std::vector<FileOption>, std::string> read_options_file(const std::string& file) {
  file_in_use() = file;
  const auto content = files::read_trusted_file(file, kMaxOptionsFileSize);
  if (!content) return std::unexpected(content.error());
  const toml::parse_result parsed = toml::parse(content->text.reveal(), file);
  if (!parsed) {
    return std::unexpected(
        fmt::format("{}: {}", place(file, parsed.error().source()), text::terminal_escape(parsed.error().description())));
  }
  std::vector<FileOption> options;
  for (const auto& [key, value] : parsed.table()) {
    const std::string where = place(file, value.source());
    auto values = values_of(value);
    if (!values) {
      return std::unexpected(fmt::format(
          "{}: {}: takes options only, one a line: true, false, a text, a number, or an array of texts or numbers",
          where, text::terminal_escape(key.str())));
    }
    options.push_back({std::string(key.str()), std::move(*values), value.is_boolean(), where});
  }
  return options;
}

}  // namespace qsp::cli

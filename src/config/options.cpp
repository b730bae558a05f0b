#include "config/options.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/try.hpp"
#include "config/document.hpp"
#include "config/toml.hpp"
#include "text/escape.hpp"

namespace qsp::config {
namespace {

constexpr FileKind kOptionsFile{.most = kMaxOptionsFileSize};

/// As the command line would have it.
std::optional<std::string> text_of(const Value& value) {
  if (const auto* const text = value.if_is<std::string>()) return *text;
  if (const auto* const number = value.if_is<std::int64_t>()) return fmt::format("{}", *number);
  if (const auto* const number = value.if_is<double>()) return fmt::format("{}", *number);
  if (const auto* const flag = value.if_is<bool>()) return *flag ? "true" : "false";
  return std::nullopt;
}

/// Nothing where no option can have such a value.
std::optional<std::vector<std::string>> values_of(const Value& value) {
  std::vector<std::string> values;
  const auto* const array = value.if_is<Array>();
  if (array == nullptr) {
    auto text = text_of(value);
    if (!text) return std::nullopt;
    values.push_back(*std::move(text));
    return values;
  }
  for (const Value& item : *array) {
    auto text = item.if_is<bool>() != nullptr ? std::nullopt : text_of(item);
    if (!text) return std::nullopt;
    values.push_back(*std::move(text));
  }
  if (values.empty()) return std::nullopt;
  return values;
}

std::expected<void, std::string> read_members(const std::string& file, const Members& members, FileOptions& out) {
  for (const Member& member : members) {
    const std::string where = at(file, member.place);
    if (const auto* const table = member.value.if_is<Members>()) {
      FileOptions& verb = out.verbs.emplace_back(FileOptions{.word = member.name, .where = where});
      QSP_TRY(read_members(file, *table, verb));
      continue;
    }
    auto values = values_of(member.value);
    if (!values) {
      return std::unexpected(fmt::format(
          "{}: {}: takes options only, one a line: true, false, a text, a number, or an array of texts or numbers",
          where, text::terminal_escape(member.name)));
    }
    out.options.push_back({member.name, *std::move(values), member.value.if_is<bool>() != nullptr, where});
  }
  return {};
}

}  // namespace

std::expected<FileOptions, std::string> read_options_file(const std::string& file) {
  QSP_TRY(const auto document, Document::read(file, kOptionsFile));
  FileOptions options{.word = {}, .where = file};
  QSP_TRY(read_members(file, document.members(), options));
  return options;
}

}  // namespace qsp::config

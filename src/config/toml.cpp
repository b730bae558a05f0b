#include "config/toml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "text/escape.hpp"

// Errors as values: nothing of a configuration is worth an exception.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// Values within values, as kMaxDepth has it.
#define TOML_MAX_NESTED_VALUES 16
// The parser asserts of its input what it looks into right after that, such as that a header begins with a name: bytes
// of a file would end the program, or, where an assertion is an assumption for the optimizer (clang with NDEBUG),
// anything could happen.
#include <toml++/impl/preprocessor.h>
#undef TOML_ASSERT
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_ASSERT_ASSUME(expression) static_assert(true)
#include <toml++/toml.h>

namespace qsp::config {
namespace {

static_assert(TOML_MAX_NESTED_VALUES == kMaxDepth);

Place place_of(const toml::source_region& region) noexcept {
  return {.line = std::max<std::uint32_t>(1, region.begin.line),
          .column = std::max<std::uint32_t>(1, region.begin.column)};
}

Value value_of(const toml::node& node);

Members members_of(const toml::table& table) {
  Members members;
  members.reserve(table.size());
  for (const auto& [key, node] : table) {
    members.push_back({std::string(key.str()), place_of(key.source()), value_of(node)});
  }
  // The parser sorts by name.
  std::ranges::sort(members, {}, &Member::place);
  return members;
}

Value value_of(const toml::node& node) {
  Value value{.content = DateOrTime{}, .place = place_of(node.source())};
  if (const auto* const text = node.as_string()) {
    value.content = text->get();
  } else if (const auto* const integer = node.as_integer()) {
    value.content = integer->get();
  } else if (const auto* const number = node.as_floating_point()) {
    value.content = number->get();
  } else if (const auto* const flag = node.as_boolean()) {
    value.content = flag->get();
  } else if (const auto* const array = node.as_array()) {
    Array& items = value.content.emplace<Array>();
    items.reserve(array->size());
    for (const toml::node& item : *array) items.push_back(value_of(item));
  } else if (const auto* const table = node.as_table()) {
    value.content = members_of(*table);
  }
  return value;
}

/// The first line that could nest tables until neither the parser nor what it made can be left again: both recurse.
std::optional<std::uint32_t> line_with_too_many_dots(std::string_view text) {
  for (std::uint32_t line = 1; !text.empty(); ++line) {
    const std::string_view one = text.substr(0, text.find('\n'));
    const bool comment = one.substr(std::min(one.find_first_not_of(" \t"), one.size())).starts_with('#');
    if (!comment && static_cast<std::size_t>(std::ranges::count(one, '.')) > kMaxDots) return line;
    text.remove_prefix(std::min(one.size() + 1, text.size()));
  }
  return std::nullopt;
}

}  // namespace

std::string at(const std::string& file, Place place) { return fmt::format("{}:{}:{}", file, place.line, place.column); }

files::OrText<Members> parse_toml(const std::string& file, std::string_view text) {
  const auto not_toml = [&file](Place place, std::string_view why) {
    return std::unexpected(fmt::format("{}: not TOML: {}", at(file, place), why));
  };
  if (const auto line = line_with_too_many_dots(text)) {
    return not_toml({.line = *line}, fmt::format("more than {} dots in a line", kMaxDots));
  }
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return not_toml(place_of(parsed.error().source()), text::terminal_escape(parsed.error().description()));
  }
  return members_of(parsed.table());
}

}  // namespace qsp::config

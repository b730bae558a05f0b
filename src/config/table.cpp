#include "config/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "config/document.hpp"
#include "config/toml.hpp"
#include "text/escape.hpp"
#include "text/nearest.hpp"
#include "text/units.hpp"

namespace qsp::config {
namespace {

using files::OrText;

bool has_control(std::string_view text) noexcept {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool fits(std::string_view text, const TextRule& rule) noexcept {
  if (rule.is != nullptr) return rule.is(text);
  return text.size() >= rule.least && text.size() <= rule.most && !has_control(text);
}

/// What a text is, behind "a text in quotes".
std::string description_of(const TextRule& rule) {
  if (!rule.takes.empty()) return fmt::format(": {}", rule.takes);
  return fmt::format(", of {} to {} bytes without control characters", rule.least, rule.most);
}

/// "a", "b" or "c".
std::string alternatives(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != 0) text += i + 1 == words.size() ? " or " : ", ";
    text.append(1, '"').append(words[i]) += '"';
  }
  return text;
}

}  // namespace

const Member* Table::find(std::string_view field) const noexcept {
  const auto found = std::ranges::find(*members_, field, &Member::name);
  return found == members_->end() ? nullptr : &*found;
}

const Value* Table::take(std::string_view field, Need need) {
  known_.emplace(field);
  const Member* const member = find(field);
  if (member != nullptr) return &member->value;
  if (need.needed) fail(field, need.why.empty() ? "is missing" : fmt::format("is missing; {}", need.why));
  return nullptr;
}

std::string Table::message(Place place, std::string_view field, std::string_view text) const {
  return fmt::format("{}: {}, field \"{}\": {}", at(origin_->file, place), name_, text::terminal_escape(field), text);
}

void Table::fail(std::string_view field, std::string_view text) {
  if (!problem_) problem_ = problem(field, text).error();
}

std::unexpected<std::string> Table::problem(std::string_view field, std::string_view text) const {
  const Member* const member = find(field);
  return std::unexpected(message(member == nullptr ? place_ : member->value.place, field, text));
}

std::string Table::message_of_unknown(const Member& member) const {
  const auto near = text::nearest(member.name, {known_.begin(), known_.end()});
  return message(member.place, member.name,
                 fmt::format("is unknown{}{}", near ? fmt::format("; did you mean \"{}\"?", *near) : "",
                             origin_->page.empty() ? "" : fmt::format(" (see {})", origin_->page)));
}

OrText<void> Table::finish() const {
  for (const Member& member : *members_) {
    if (!known_.contains(member.name)) return std::unexpected(message_of_unknown(member));
  }
  if (problem_) return std::unexpected(*problem_);
  return {};
}

void Table::text(std::string_view field, std::string& out, const TextRule& rule) {
  const Value* const value = take(field, rule.need);
  if (value == nullptr) return;
  const auto* const text = value->if_is<std::string>();
  if (text == nullptr || !fits(*text, rule)) return fail(field, "takes a text in quotes" + description_of(rule));
  out = *text;
}

void Table::texts(std::string_view field, std::vector<std::string>& out, const TextsRule& rule) {
  const Value* const value = take(field, rule.need);
  if (value == nullptr) return;
  std::vector<std::string> found;
  const auto add = [&](const Value& item) {
    const auto* const text = item.if_is<std::string>();
    if (text != nullptr && fits(*text, rule.each)) found.push_back(*text);
    return text != nullptr && fits(*text, rule.each);
  };
  const auto* const array = value->if_is<Array>();
  const bool good = array == nullptr
                        ? rule.or_one && add(*value)
                        : !array->empty() && array->size() <= rule.most && std::ranges::all_of(*array, add);
  if (good) {
    out = std::move(found);
  } else if (rule.or_one) {
    fail(field,
         fmt::format("takes a text in quotes{}; or an array of 1 to {} of them", description_of(rule.each), rule.most));
  } else {
    fail(field, fmt::format("takes an array of 1 to {} texts in quotes{}", rule.most, description_of(rule.each)));
  }
}

void Table::file(std::string_view field, std::string& out, Need need) {
  std::string name;
  text(field, name, {.need = need});
  if (!name.empty()) out = beside(origin_->file, name);
}

void Table::flag(std::string_view field, bool& out) {
  const Value* const value = take(field);
  if (value == nullptr) return;
  const auto* const flag = value->if_is<bool>();
  if (flag == nullptr) return fail(field, "takes true or false");
  out = *flag;
}

void Table::flag(std::string_view field, bool& out, std::string_view old_name) {
  flag(field, out);
  const Member* const old = find(old_name);
  if (old == nullptr) return;
  if (has(field)) {
    known_.emplace(old_name);
    return fail(old_name, fmt::format("is now called \"{}\", which is there too", field));
  }
  flag(old_name, out);
  warnings_.push_back(fmt::format("{}: field \"{}\" is now called \"{}\"; the old name goes with the next version",
                                  at(origin_->file, old->place), old_name, field));
}

std::optional<std::int64_t> Table::whole_number(std::string_view field, std::int64_t least, std::int64_t most) {
  const Value* const value = take(field);
  if (value == nullptr) return std::nullopt;
  const auto* const number = value->if_is<std::int64_t>();
  if (number == nullptr || *number < least || *number > most) {
    fail(field, fmt::format("takes a whole number from {} to {}", least, most));
    return std::nullopt;
  }
  return *number;
}

std::optional<double> Table::any_number(std::string_view field, double least, double most) {
  const Value* const value = take(field);
  if (value == nullptr) return std::nullopt;
  double number = std::nan("");
  if (const auto* const whole = value->if_is<std::int64_t>()) number = static_cast<double>(*whole);
  if (const auto* const given = value->if_is<double>()) number = *given;
  if (std::isfinite(number) && number >= least && number <= most) return number;
  const bool bounded = std::isfinite(least) && std::isfinite(most);
  fail(field, bounded ? fmt::format("takes a number from {:g} to {:g}", least, most) : "takes a number");
  return std::nullopt;
}

void Table::number(std::string_view field, double& out, double least, double most) {
  if (const auto value = any_number(field, least, most)) out = *value;
}
void Table::number(std::string_view field, std::optional<double>& out, double least, double most) {
  if (const auto value = any_number(field, least, most)) out = *value;
}

void Table::time(std::string_view field, std::chrono::seconds& out, std::chrono::seconds least,
                 std::chrono::seconds most) {
  const Value* const value = take(field);
  if (value == nullptr) return;
  std::string text;
  if (const auto* const number = value->if_is<std::int64_t>()) text = std::to_string(*number);
  if (const auto* const given = value->if_is<std::string>()) text = *given;
  const auto time = text::parse_time(text);
  if (!time || *time < least || *time > most || *time % std::chrono::seconds(1) != std::chrono::nanoseconds(0)) {
    return fail(field, fmt::format("takes whole seconds, or a text such as \"90s\" or \"1h\", from {} to {}",
                                   text::time_text(least), text::time_text(most)));
  }
  out = std::chrono::duration_cast<std::chrono::seconds>(*time);
}

std::optional<std::size_t> Table::word(std::string_view field, const std::vector<std::string_view>& words, Need need,
                                       std::string_view note) {
  const Value* const value = take(field, need);
  if (value == nullptr) return std::nullopt;
  const auto* const text = value->if_is<std::string>();
  const auto found = text == nullptr ? words.end() : std::ranges::find(words, std::string_view(*text));
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  fail(field, fmt::format("takes {}{}", alternatives(words), note));
  return std::nullopt;
}

Table Table::table(std::string_view field) {
  static const Members kNone;
  std::string name = fmt::format("[{}]", field);
  const Value* const value = take(field);
  if (value == nullptr) return {*origin_, kNone, place_, std::move(name)};
  const auto* const members = value->if_is<Members>();
  if (members == nullptr) fail(field, fmt::format("is a table; write {}", name));
  return {*origin_, members == nullptr ? kNone : *members, value->place, std::move(name)};
}

std::vector<Table> Table::tables(std::string_view field, std::size_t most, std::string_view name, Need need) {
  std::vector<Table> found;
  const Value* const value = take(field, need);
  if (value == nullptr) return found;
  const auto* const array = value->if_is<Array>();
  const bool good = array != nullptr && array->size() <= most &&
                    std::ranges::all_of(*array, [](const Value& item) { return item.if_is<Members>() != nullptr; });
  if (!good) {
    fail(field, fmt::format("is written as [[{}]], at most {} times", field, most));
    return found;
  }
  found.reserve(array->size());
  for (const Value& item : *array) found.push_back({*origin_, *item.if_is<Members>(), item.place, std::string(name)});
  return found;
}

}  // namespace qsp::config

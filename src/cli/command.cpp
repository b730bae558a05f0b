#include "cli/command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>
#include <system_error>
#include <type_traits>
#include <utility>

namespace qsp::cli {

Check::Check(Problem problem, std::string description)
    : validator_(std::make_shared<const CLI::Validator>(
          [problem = std::move(problem)](std::string& text) { return problem(text); }, std::move(description))) {}
Check::Check(const CLI::Validator& validator) : validator_(std::make_shared<const CLI::Validator>(validator)) {}

Check Check::rewriting(std::function<std::string(std::string&)> rewrite, std::string description) {
  Check check(CLI::Validator(std::move(rewrite), std::move(description)));
  check.rewrites_ = true;
  return check;
}

Check one_of(const std::vector<std::string>& values) { return Check(CLI::IsMember(values)); }
Check one_of(std::initializer_list<const char*> values) {
  return one_of(std::vector<std::string>(values.begin(), values.end()));
}
Check one_of_any_case(const std::vector<std::string>& values) { return Check(CLI::IsMember(values, CLI::ignore_case)); }

std::string as_given(const std::string& value) {
  constexpr std::size_t kMost = 40;
  return value.size() <= kMost ? fmt::format("'{}'", value) : fmt::format("'{}'...", value.substr(0, kMost));
}

namespace {

constexpr const char* kOfType = "of its type";  ///< name of the check that an option has without asking

/// The whole of `text` as a number; nothing where it is none.
template <class Number>
std::optional<Number> number_of(const std::string& text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(number)) return std::nullopt;
  }
  return number;
}

template <class Number>
std::string shown(Number number) {
  if constexpr (std::is_floating_point_v<Number>) return fmt::format("{:.15g}", number);
  return fmt::format("{}", number);
}

/// Rewrites: CLI11 would take 010 for 8.
template <class Number>
Check within(Number least, Number most, std::string description) {
  const auto read = [=](std::string& text) -> std::string {
    const auto number = number_of<Number>(text);
    if (!number || *number < least || *number > most) {
      return fmt::format("takes a {}number from {} to {}, not {}", std::is_floating_point_v<Number> ? "" : "whole ",
                         shown(least), shown(most), as_given(text));
    }
    if constexpr (!std::is_floating_point_v<Number>) text = shown(*number);
    return {};
  };
  return Check::rewriting(read, std::move(description));
}

template <class Number>
Check told_range(Number least, Number most) {
  return within(least, most, fmt::format("[{} - {}]", shown(least), shown(most)));
}

template <class T>
struct Inner {
  using Type = T;
};
template <class T>
struct Inner<std::optional<T>> {
  using Type = T;
};

}  // namespace

Check range(int least, int most) { return told_range(least, most); }
Check range(std::uint64_t least, std::uint64_t most) { return told_range(least, most); }
Check range(double least, double most) { return told_range(least, most); }
Check existing_directory() { return Check(CLI::ExistingDirectory); }

void Option::drop_check_of_type() {
  if (std::exchange(has_check_of_type_, false)) option_.get_validator(kOfType)->active(false);
}

Option* Option::check(const Check& check) {
  drop_check_of_type();
  // CLI11's check() would hand it a copy of the value.
  if (check.rewrites()) {
    option_.transform(check.validator());
  } else {
    option_.check(check.validator());
  }
  return this;
}
Option* Option::type_name(const std::string& name) {
  option_.type_name(name);
  return this;
}
Option* Option::group(const std::string& name) {
  option_.group(name);
  return this;
}
Option* Option::required(bool needed) {
  option_.required(needed);
  return this;
}
Option* Option::needs(Option* other) {
  option_.needs(&other->option_);
  return this;
}
Option* Option::excludes(Option* other) {
  option_.excludes(&other->option_);
  return this;
}
Option* Option::capture_default_str() {
  option_.capture_default_str();
  return this;
}
Option* Option::default_str(const std::string& text) {
  option_.default_str(text);
  return this;
}
std::vector<std::string> Option::long_names() const {
  std::vector<std::string> names;
  for (const std::string& name : option_.get_lnames()) names.push_back("--" + name);
  return names;
}
bool Option::is_called(const std::string& name) const { return option_.check_name(name); }
bool Option::is_hidden() const { return option_.get_group().empty(); }
int Option::least_values() const { return option_.get_items_expected_min(); }
std::size_t Option::count() const { return option_.count(); }
std::string Option::get_name() const { return option_.get_name(); }
const std::vector<std::string>& Option::results() const { return option_.results(); }
bool Option::is_required() const { return option_.get_required(); }
bool Option::is_flag() const { return option_.get_items_expected_max() == 0; }
std::string Option::shown_name() const { return option_.get_name(option_.get_positional()); }

struct Command::Parts {
  std::unique_ptr<CLI::App> program;  ///< of a program alone; a verb is its parent's
  CLI::App& app;
  const Command* parent = nullptr;
  std::unique_ptr<Option> help = {};
  std::vector<std::unique_ptr<Command>> verbs = {};
  std::vector<std::unique_ptr<Option>> options = {};
};

Command::Command(const std::string& description, const std::string& name) {
  auto program = std::make_unique<CLI::App>(description, name);
  CLI::App& app = *program;
  parts_ = std::make_unique<Parts>(std::move(program), app);
  parts_->help = std::make_unique<Option>(*app.get_help_ptr());
}
Command::Command(CLI::App& verb, const Command& parent) : parts_(std::make_unique<Parts>(nullptr, verb, &parent)) {
  parts_->help = std::make_unique<Option>(*verb.get_help_ptr());
}
Command::~Command() = default;

namespace {

/// An empty text is seldom meant: in a script it is a variable that was never set, and what it asked for would be left
/// out in silence.
Check not_empty() {
  return {
      [](const std::string& text) { return std::string(text.empty() ? "is empty (a variable that is not set?)" : ""); },
      ""};
}

}  // namespace

Option* Command::keep(CLI::Option* option) {
  return parts_->options.emplace_back(std::make_unique<Option>(*option)).get();
}

Command* Command::add_subcommand(const std::string& name, const std::string& description) {
  CLI::App& verb = *parts_->app.add_subcommand(name, description);
  return parts_->verbs.emplace_back(std::unique_ptr<Command>(new Command(verb, *this))).get();
}

template <OptionValue T>
Option* Command::add_option(const std::string& name, T& value, const std::string& description) {
  Option* const option = keep(parts_->app.add_option(name, value, description));
  using Value = typename Inner<T>::Type;
  if constexpr (AnyOf<T, std::string, std::vector<std::string>>) {
    option->check(not_empty());
  } else if constexpr (std::is_integral_v<Value>) {
    const Check of_type = within(std::numeric_limits<Value>::min(), std::numeric_limits<Value>::max(), "");
    option->option_.transform(of_type.validator(), kOfType);
    option->has_check_of_type_ = true;
  }
  return option;
}
template Option* Command::add_option(const std::string&, std::string&, const std::string&);
template Option* Command::add_option(const std::string&, int&, const std::string&);
template Option* Command::add_option(const std::string&, std::uint16_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::uint32_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::uint64_t&, const std::string&);
template Option* Command::add_option(const std::string&, double&, const std::string&);
template Option* Command::add_option(const std::string&, std::vector<std::string>&, const std::string&);
template Option* Command::add_option(const std::string&, std::vector<std::uint64_t>&, const std::string&);
template Option* Command::add_option(const std::string&, std::optional<std::uint16_t>&, const std::string&);
template Option* Command::add_option(const std::string&, std::optional<std::int64_t>&, const std::string&);
template Option* Command::add_option(const std::string&, std::optional<std::uint64_t>&, const std::string&);
template Option* Command::add_option(const std::string&, std::optional<double>&, const std::string&);

Option* Command::add_flag(const std::string& name, bool& value, const std::string& description) {
  return keep(parts_->app.add_flag(name, value, description));
}
void Command::callback(std::function<void()> action) { parts_->app.callback(std::move(action)); }
void Command::footer(const std::string& text) { parts_->app.footer(text); }
void Command::require_subcommand(int count) { parts_->app.require_subcommand(count); }
void Command::fallthrough() { parts_->app.fallthrough(); }

std::vector<const Option*> Command::get_options() const {
  std::vector<const Option*> options;
  for (const auto& option : parts_->options) options.push_back(option.get());
  return options;
}

std::string Command::name() const { return parts_->app.get_name(); }
const Command* Command::parent() const noexcept { return parts_->parent; }

std::vector<const Command*> Command::commands() const {
  std::vector<const Command*> commands;
  for (const auto& verb : parts_->verbs) commands.push_back(verb.get());
  return commands;
}

const Option* Command::find_option(const std::string& name) const {
  if (parts_->help->is_called(name)) return parts_->help.get();
  for (const auto& option : parts_->options) {
    if (option->is_called(name)) return option.get();
  }
  return nullptr;
}

Outcome Command::parse(const std::vector<std::string>& arguments) {
  try {
    parts_->app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // as CLI11 has it
  } catch (const CLI::CallForHelp& wanted) {
    std::ostringstream help;
    parts_->app.exit(wanted, help, help);
    return {.what = Parsed::Help, .text = help.str()};
  } catch (const CLI::ParseError& error) {
    return {.what = Parsed::Error,
            .text = error.what(),
            .lacks_something = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr};
  }
  return {.what = Parsed::Verb};
}

}  // namespace qsp::cli

#include "cli/command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "base/try.hpp"
#include "cli/command.hpp"
#include "cli/old_names.hpp"
#include "cli/text.hpp"
#include "text/escape.hpp"
#include "text/nearest.hpp"

namespace qsp::cli {
namespace {

enum class Kind : std::uint8_t { Word, Option, Value, Argument };

/// One argument, and what it is by the rules by which CLI11 reads.
struct Token {
  Kind kind;
  const Command* verb;                ///< in whose reach it stands; of a word that is known: itself
  std::string name;                   ///< of an option, without its value
  const Option* option;               ///< null: no option of the verb has this name
  const OldName* old_name = nullptr;  ///< what became of it
  bool known = true;                  ///< word or option
};

bool looks_like_option(std::string_view text) noexcept { return text.size() > 1 && text.front() == '-'; }

std::string name_given(std::string_view text) {
  return std::string(text.starts_with("--") ? text.substr(0, text.find('=')) : text.substr(0, 2));
}

/// An option of the verb, or of one above it, whose options hold for all below.
const Option* find_option(const Command& verb, const std::string& name) {
  for (const Command* app = &verb; app != nullptr; app = app->parent()) {
    if (const Option* const found = app->find_option(name); found != nullptr) return found;
  }
  return nullptr;
}

const Command* find_command(const Command& verb, const std::string& word) {
  const auto all = verb.commands();
  const auto found = std::ranges::find_if(all, [&](const Command* command) { return command->name() == word; });
  return found == all.end() ? nullptr : *found;
}

std::vector<std::string> names_of_commands(const Command& verb) {
  std::vector<std::string> names;
  for (const Command* const command : verb.commands()) names.push_back(command->name());
  return names;
}

/// What help shows of them.
std::vector<std::string> names_of_options(const Command& verb) {
  std::vector<std::string> names;
  for (const Command* app = &verb; app != nullptr; app = app->parent()) {
    for (const Option* const option : app->get_options()) {
      if (!option->is_hidden()) std::ranges::copy(option->long_names(), std::back_inserter(names));
    }
  }
  return names;
}

bool asks_for_version(std::string_view name) { return name == "-v" || name == "-V" || name == "--version"; }

Token read_option(const Command& verb, const std::string& text) {
  Token token{.kind = Kind::Option, .verb = &verb, .name = name_given(text), .option = nullptr};
  // Behind a verb these would say nothing, and somebody asks for something by them.
  if (verb.parent() != nullptr && asks_for_version(token.name)) {
    token.known = false;
    return token;
  }
  token.option = find_option(verb, token.name);
  if (token.option == nullptr) {
    token.old_name = find_old_name(full_name(verb), token.name);
    if (token.old_name != nullptr) token.option = find_option(verb, std::string(token.old_name->now));
  }
  token.known = token.option != nullptr;
  return token;
}

std::vector<Token> read(const Command& app, const std::vector<std::string>& arguments) {
  std::vector<Token> tokens;
  const Command* verb = &app;
  int values = 0;  // that the last option takes, whatever they look like
  bool rest = false;
  for (const std::string& text : arguments) {
    if (values > 0) {
      --values;
      tokens.push_back({.kind = Kind::Value, .verb = verb, .name = {}, .option = nullptr});
    } else if (rest || text == "--") {
      rest = true;
      tokens.push_back({.kind = Kind::Argument, .verb = verb, .name = {}, .option = nullptr});
    } else if (looks_like_option(text)) {
      tokens.push_back(read_option(*verb, text));
      const Option* const option = tokens.back().option;
      if (option != nullptr && text.size() == tokens.back().name.size()) values = option->least_values();
    } else if (verb->commands().empty()) {
      tokens.push_back({.kind = Kind::Argument, .verb = verb, .name = {}, .option = nullptr});
    } else {
      const Command* const command = find_command(*verb, text);
      if (command != nullptr) verb = command;
      tokens.push_back({.kind = Kind::Word, .verb = verb, .name = {}, .option = nullptr, .known = command != nullptr});
      if (command == nullptr) rest = true;  // nothing can be said of what follows it
    }
  }
  return tokens;
}

/// `qsp help kme serve` is `qsp kme serve --help`, and `qsp --version` is `qsp version`.
void ask_as_others_do(const Command& app, std::vector<std::string>& arguments) {
  const std::vector<Token> tokens = read(app, arguments);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool word = tokens[i].kind == Kind::Word;
    if (tokens[i].kind == Kind::Option && tokens[i].verb == &app && asks_for_version(arguments[i])) {
      arguments[i] = "version";
      return;
    }
    if (word && arguments[i] == "help") {
      arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(i));
      arguments.emplace_back("--help");
      return;
    }
  }
}

void warn_of(const OldName& name, std::string_view where) {
  print_warning(
      fmt::format("{}{} is now called {}; the old name goes with the next version", where, name.old, name.now));
}

/// "-5" of milliseconds is "-5ms" where every unit may stand; what has a unit already keeps it.
std::string with_unit(const OldName& name, std::string value) {
  const bool plain = !value.empty() && value.find_first_not_of("+-.0123456789") == std::string::npos;
  return plain ? value.append(name.unit) : value;
}

std::string did_you_mean(const std::optional<std::string>& near) {
  return near ? fmt::format("; did you mean {}?", *near) : "";
}

bool is_or_is_above(const Command& one, const Command& verb) {
  for (const Command* app = &verb; app != nullptr; app = app->parent()) {
    if (app == &one) return true;
  }
  return false;
}

/// The option of `verb` that a file gives, which is called by its present name from now on.
std::expected<const Option*, std::string> check_option(const Command& app, const Command& verb,
                                                       config::FileOption& given) {
  const Token found = read_option(verb, "--" + given.name);
  if (!found.known || found.option == app.find_option("--options")) {
    return std::unexpected(fmt::format(
        "{}: {} has no option '{}' for a file{} (see: {} --help)", given.where, full_name(verb),
        text::terminal_escape(given.name),
        found.known ? "" : did_you_mean(text::nearest("--" + given.name, names_of_options(verb))), full_name(verb)));
  }
  if (const OldName* const name = found.old_name; name != nullptr) {
    if (!name->also_a_name) warn_of(*name, given.where + ": ");
    given.name = name->now.substr(2);
    for (std::string& value : given.values) value = with_unit(*name, value);
  }
  if (found.option->is_flag() != given.truth) {
    return std::unexpected(
        fmt::format("{}: {}: takes {} (see: {} --help)", given.where, text::terminal_escape(given.name),
                    given.truth ? "a value, not true or false" : "true or false, without quotes", full_name(verb)));
  }
  return found.option;
}

}  // namespace

std::string full_name(const Command& verb) {
  std::string name = verb.name();
  for (const Command* app = verb.parent(); app != nullptr; app = app->parent()) name = app->name() + ' ' + name;
  return name;
}

const Command& CommandLine::verb() const {
  const std::vector<Token> tokens = read(app_, arguments_);
  const Command* verb = &app_;
  for (const Token& token : tokens) verb = token.verb;
  return *verb;
}

void CommandLine::replace_old_names() {
  const std::vector<Token> tokens = read(app_, arguments_);
  std::set<const OldName*> told;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const OldName* const name = tokens[i].old_name;
    if (name == nullptr) continue;
    if (!name->also_a_name && told.insert(name).second) warn_of(*name, "");
    std::string& text = arguments_[i];
    if (const std::size_t at = text.find('='); at != std::string::npos) {
      text = fmt::format("{}={}", name->now, with_unit(*name, text.substr(at + 1)));
    } else {
      text = name->now;
      if (i + 1 < tokens.size() && tokens[i + 1].kind == Kind::Value) {
        arguments_[i + 1] = with_unit(*name, arguments_[i + 1]);
      }
    }
  }
}

std::expected<void, std::string> CommandLine::add_options_file() {
  const Option* const option = app_.find_option("--options");
  const std::vector<Token> tokens = read(app_, arguments_);
  std::vector<std::string> kept;
  std::optional<std::string> file;  // the last one where there are several
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::size_t at = arguments_[i].find('=');
    if (tokens[i].option != option || tokens[i].kind != Kind::Option) {
      kept.push_back(arguments_[i]);
    } else if (at != std::string::npos) {
      file = arguments_[i].substr(at + 1);
    } else if (i + 1 < tokens.size()) {
      file = arguments_[++i];
    } else {
      kept.push_back(arguments_[i]);  // CLI11 says what is missing
    }
  }
  arguments_ = std::move(kept);
  const bool help =
      std::ranges::any_of(tokens, [&](const Token& token) { return token.name == "--help" || token.name == "-h"; });
  if (!file || help) return {};
  if (file->empty()) return std::unexpected("--options: is empty (a variable that is not set?)");
  options_file_ = *file;
  QSP_TRY(auto options, config::read_options_file(*file));
  return take_options(verb(), options);
}

std::expected<void, std::string> CommandLine::take_options(const Command& owner, config::FileOptions& table) {
  const Command& verb = this->verb();
  const std::vector<Token> tokens = read(app_, arguments_);
  for (config::FileOption& given : table.options) {
    QSP_TRY(const auto option, check_option(app_, owner, given));
    if (!is_or_is_above(owner, verb)) continue;
    if (std::ranges::any_of(tokens, [&](const Token& token) { return token.option == option; })) continue;
    for (const config::FileOption& other : from_file_) {
      if (find_option(verb, "--" + other.name) != option) continue;
      return std::unexpected(
          fmt::format("{}: {}: is at {} too; remove one", given.where, text::terminal_escape(given.name), other.where));
    }
    from_file_.push_back(std::move(given));
  }
  const Command& above = table.word.empty() ? app_ : owner;
  for (config::FileOptions& inner : table.verbs) {
    const Command* const command = find_command(above, inner.word);
    if (command == nullptr) {
      const auto near = text::nearest(inner.word, names_of_commands(above));
      return std::unexpected(fmt::format(
          "{}: {}: takes options only, one a line, and a table is named after a verb; {} has no command '{}'{}",
          inner.where, text::terminal_escape(inner.word), full_name(above), text::terminal_escape(inner.word),
          did_you_mean(near)));
    }
    QSP_TRY(take_options(*command, inner));
  }
  return {};
}

std::expected<std::vector<std::string>, std::string> CommandLine::prepare(std::vector<std::string> arguments) {
  arguments_ = std::move(arguments);
  ask_as_others_do(app_, arguments_);
  // Asked for the help of a command that is none, CLI11 would print that of the program.
  if (auto word = unknown(false)) return std::unexpected(*std::move(word));
  // CLI11 would take it for the program's own.
  const auto asks = [](const Token& token) { return !token.known && asks_for_version(token.name); };
  if (std::ranges::any_of(read(app_, arguments_), asks)) return std::unexpected(*unknown(true));
  replace_old_names();
  QSP_TRY(add_options_file());
  std::vector<std::string> all = arguments_;
  // Before a "--", behind which nothing is an option.
  std::vector<std::string> added;
  for (const config::FileOption& option : from_file_) {
    for (const std::string& value : option.values) added.push_back(fmt::format("--{}={}", option.name, value));
  }
  all.insert(std::ranges::find(all, "--"), added.begin(), added.end());
  return all;
}

std::optional<std::string> CommandLine::unknown(bool options) const {
  const std::vector<Token> tokens = read(app_, arguments_);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (token.known || (token.kind == Kind::Option && !options)) continue;
    const std::string name = full_name(*token.verb);
    if (token.kind == Kind::Option) {
      return fmt::format("{} has no option {}{} (see: {} --help)", name, text::terminal_escape(token.name),
                         did_you_mean(text::nearest(token.name, names_of_options(*token.verb))), name);
    }
    const std::vector<std::string> commands = names_of_commands(*token.verb);
    const auto near = text::nearest(arguments_[i], commands);
    return fmt::format("{} has no command '{}'{} (see: {} --help)", name, text::terminal_escape(arguments_[i]),
                       near ? did_you_mean(near) : fmt::format("; it has {}", fmt::join(commands, ", ")), name);
  }
  return std::nullopt;
}

std::string CommandLine::explain(const Outcome& error) const {
  if (auto word = unknown(true)) return *std::move(word);
  const Command& verb = this->verb();
  const std::string name = full_name(verb);
  const auto commands = names_of_commands(verb);
  if (!commands.empty() && error.lacks_something) {
    return fmt::format("{}: give one of its commands: {} (see: {} --help)", name, fmt::join(commands, ", "), name);
  }
  std::vector<std::string> missing;
  // As in the help, what needs no name comes first.
  for (const bool named : {false, true}) {
    for (const Option* const option : verb.get_options()) {
      const bool lacks = option->is_required() && option->count() == 0;
      if (lacks && option->shown_name().starts_with('-') == named) missing.push_back(option->shown_name());
    }
  }
  if (error.lacks_something && !missing.empty()) {
    const std::string last = std::exchange(missing.back(), {});
    missing.pop_back();
    return fmt::format("{}: {}{}{} {} required (see: {} --help)", name, fmt::join(missing, ", "),
                       missing.empty() ? "" : " and ", last, missing.empty() ? "is" : "are", name);
  }
  const std::string& text = error.text;
  for (const config::FileOption& option : from_file_) {
    const std::string option_name = "--" + option.name;
    // CLI11 begins with the option's name.
    if (!text.starts_with(option_name) || text.substr(option_name.size()).find_first_of(": ") != 0) continue;
    return fmt::format("{}: {} (see: {} --help)", option.where, text::terminal_escape(text.substr(2)), name);
  }
  return fmt::format("{}: {} (see: {} --help)", name, text::terminal_escape(text), name);
}

}  // namespace qsp::cli

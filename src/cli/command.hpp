#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
class Validator;
}  // namespace CLI

/// The command line as the verbs see it: CLI11 behind declarations alone. Its headers make every source that includes
/// them nine seconds longer to compile, so command.cpp is the only one. Names and meanings are CLI11's.
namespace qsp::cli {

/// What the value of an option must be. Its description stands in the help.
class Check {
 public:
  /// Answers a value with what is wrong with it, an empty text for nothing.
  using Problem = std::function<std::string(const std::string&)>;
  Check(Problem problem, std::string description);
  explicit Check(const CLI::Validator& validator);
  /// `rewrite` may put another text in the value's place.
  static Check rewriting(std::function<std::string(std::string&)> rewrite, std::string description);

  [[nodiscard]] const CLI::Validator& validator() const { return *validator_; }
  [[nodiscard]] bool rewrites() const noexcept { return rewrites_; }

 private:
  std::shared_ptr<const CLI::Validator> validator_;
  bool rewrites_ = false;
};

[[nodiscard]] Check one_of(const std::vector<std::string>& values);
[[nodiscard]] Check one_of(std::initializer_list<const char*> values);
/// Upper and lower case are the same.
[[nodiscard]] Check one_of_any_case(const std::vector<std::string>& values);
/// A whole number in decimal digits, or a number; both ends are allowed, and told where a value is none of these.
[[nodiscard]] Check range(int least, int most);
[[nodiscard]] Check range(std::uint64_t least, std::uint64_t most);
[[nodiscard]] Check range(double least, double most);
[[nodiscard]] Check existing_directory();
/// How a message shows a value that it refuses: in quotes, and of a long one the beginning.
[[nodiscard]] std::string as_given(const std::string& value);

class Option {
 public:
  explicit Option(CLI::Option& option) : option_(option) {}

  /// Takes the place of what holds for every option of its type.
  Option* check(const Check& check);
  Option* type_name(const std::string& name);
  Option* group(const std::string& name);
  Option* required(bool needed = true);
  Option* needs(Option* other);
  Option* excludes(Option* other);
  Option* capture_default_str();
  /// What help shows as the default.
  Option* default_str(const std::string& text);

  /// With their dashes, the long ones alone.
  [[nodiscard]] std::vector<std::string> long_names() const;
  /// Whether `name`, with its dashes, is one of its names.
  [[nodiscard]] bool is_called(const std::string& name) const;
  /// Whether help leaves it out.
  [[nodiscard]] bool is_hidden() const;
  [[nodiscard]] bool is_required() const;
  /// Whether it takes no value.
  [[nodiscard]] bool is_flag() const;
  /// How many of the arguments behind it are its values, whatever they look like.
  [[nodiscard]] int least_values() const;
  /// How often it was given.
  [[nodiscard]] std::size_t count() const;
  /// What help shows first: of one that needs no name, the word for its value.
  [[nodiscard]] std::string shown_name() const;
  [[nodiscard]] std::string get_name() const;
  [[nodiscard]] const std::vector<std::string>& results() const;

 private:
  friend class Command;
  void drop_check_of_type();

  CLI::Option& option_;
  bool has_check_of_type_ = false;
};

template <class T, class... Ts>
concept AnyOf = (std::same_as<T, Ts> || ...);
/// Types for which command.cpp has add_option().
template <class T>
concept OptionValue = AnyOf<T, std::string, int, std::uint16_t, std::uint32_t, std::uint64_t, double,
                            std::vector<std::string>, std::vector<std::uint64_t>, std::optional<std::uint16_t>,
                            std::optional<std::int64_t>, std::optional<std::uint64_t>, std::optional<double>>;

enum class Parsed : std::uint8_t { Verb, Help, Error };

struct Outcome {
  Parsed what;
  std::string text = {};         ///< the help, or what is wrong
  bool lacks_something = false;  ///< an option or a command that is required
};

class Command {
 public:
  /// A program. Verbs are made by add_subcommand().
  Command(const std::string& description, const std::string& name);
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command();

  /// It lives as long as this.
  Command* add_subcommand(const std::string& name, const std::string& description);
  /// `value` must live until parse() has returned. The pointers live as long as this.
  /// A text that is given must not be empty, and a number one of its type.
  template <OptionValue T>
  Option* add_option(const std::string& name, T& value, const std::string& description = {});
  /// One that takes the name of a file.
  template <OptionValue T>
  Option* add_file(const std::string& name, T& value, const std::string& description) {
    return add_option(name, value, description)->type_name("FILE");
  }
  /// One whose value must pass a check, and whose default stands in the help.
  template <OptionValue T>
  Option* add_checked(const std::string& name, T& value, const std::string& description, const Check& check) {
    return add_option(name, value, description)->check(check)->capture_default_str();
  }
  Option* add_flag(const std::string& name, bool& value, const std::string& description);
  void callback(std::function<void()> action);
  void footer(const std::string& text);
  void require_subcommand(int count);
  /// Options that a verb does not know are looked for here.
  void fallthrough();
  /// What add_option() and add_flag() made, in that order.
  [[nodiscard]] std::vector<const Option*> get_options() const;

  [[nodiscard]] std::string name() const;
  [[nodiscard]] const Command* parent() const noexcept;  ///< null: it is the program
  /// Its verbs, in the order in which they were made.
  [[nodiscard]] std::vector<const Command*> commands() const;
  /// The option of that name, with its dashes; null: this command has none. --help is one.
  [[nodiscard]] const Option* find_option(const std::string& name) const;

  /// Sets values and calls the verb's callback.
  [[nodiscard]] Outcome parse(const std::vector<std::string>& arguments);

 private:
  struct Parts;
  Command(CLI::App& verb, const Command& parent);
  Option* keep(CLI::Option* option);

  std::unique_ptr<Parts> parts_;
};

}  // namespace qsp::cli

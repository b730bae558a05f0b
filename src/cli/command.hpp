#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
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

  [[nodiscard]] const CLI::Validator& validator() const { return *validator_; }

 private:
  std::shared_ptr<const CLI::Validator> validator_;
};

[[nodiscard]] Check one_of(const std::vector<std::string>& values);
[[nodiscard]] Check one_of(std::initializer_list<const char*> values);
/// Upper and lower case are the same.
[[nodiscard]] Check one_of_any_case(const std::vector<std::string>& values);
/// Both ends are allowed.
[[nodiscard]] Check range(int least, int most);
[[nodiscard]] Check range(std::uint64_t least, std::uint64_t most);
[[nodiscard]] Check range(double least, double most);
[[nodiscard]] Check positive_number();
[[nodiscard]] Check existing_directory();

class Option {
 public:
  explicit Option(CLI::Option& option) : option_(option) {}

  Option* check(const Check& check);
  Option* type_name(const std::string& name);
  Option* group(const std::string& name);
  Option* required(bool needed = true);
  Option* needs(Option* other);
  Option* excludes(Option* other);
  Option* capture_default_str();

  /// How often it was given.
  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] std::string get_name() const;
  [[nodiscard]] const std::vector<std::string>& results() const;

 private:
  CLI::Option& option_;
};

template <class T, class... Ts>
concept AnyOf = (std::same_as<T, Ts> || ...);
/// Types for which command.cpp has add_option().
template <class T>
concept OptionValue = AnyOf<T, std::string, int, std::uint16_t, std::uint32_t, std::uint64_t, double,
                            std::vector<std::string>, std::vector<std::uint64_t>, std::optional<std::uint16_t>,
                            std::optional<std::int64_t>, std::optional<std::uint64_t>, std::optional<double>>;

enum class Parsed : std::uint8_t { Verb, Help, Error };

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
  template <OptionValue T>
  Option* add_option(const std::string& name, T& value, const std::string& description = {});
  Option* add_flag(const std::string& name, bool& value, const std::string& description);
  void set_config(const std::string& name, const std::string& default_file, const std::string& description);
  void callback(std::function<void()> action);
  void footer(const std::string& text);
  void require_subcommand(int count);
  /// Options that a verb does not know are looked for here.
  void fallthrough();
  /// What add_option() and add_flag() made, in that order.
  [[nodiscard]] std::vector<const Option*> get_options() const;

  /// Sets values and calls the verb's callback; prints the help or the error.
  [[nodiscard]] Parsed parse(const std::vector<std::string>& arguments);

 private:
  struct Parts;
  explicit Command(CLI::App& verb);
  Option* keep(CLI::Option* option);

  std::unique_ptr<Parts> parts_;
};

/// One line of a file of options.
struct ConfigItem {
  std::string name;
  std::string full_name;  ///< with the tables that it stands in
  bool in_table;
  std::vector<std::string> values;
};

/// Reads TOML. Errors: text.
std::expected<std::vector<ConfigItem>, std::string> read_config(const std::string& text);

}  // namespace qsp::cli

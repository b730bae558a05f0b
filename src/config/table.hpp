#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/value.hpp"
#include "files/file.hpp"

namespace qsp::config {

/// Where a table comes from, for errors.
struct Origin {
  std::string file;
  std::string_view page;  ///< where its fields are described; may be empty
};

/// Whether a field has to be there, and if so, what is said where it is not ("every peer needs one"; may be empty).
struct Need {
  bool needed = false;
  std::string_view why = {};
};
inline constexpr Need kNeeded{.needed = true};

/// What a text may be: a size in bytes and no control characters, or what `is` says, which `takes` describes
/// ("1 to 64 letters").
struct TextRule {
  Need need = {};
  std::size_t least = 1, most = 4096;
  bool (*is)(std::string_view) noexcept = nullptr;
  std::string_view takes = {};
};

/// What an array of texts may be.
struct TextsRule {
  Need need = {};
  std::size_t most;     ///< 1 at least
  bool or_one = false;  ///< a text alone is an array of one
  TextRule each = {};   ///< its `need` does not count
};

/// One table on its way into a struct: a call for each field, which sets a variable, or leaves it as it is (its
/// default) where the field is not there; then finish(). The first problem is kept, and what is read after it does not
/// matter. A field that no call has asked for is refused; that goes before every other problem, since a name that was
/// mistyped makes others. Errors: `FILE:LINE:COLUMN: TABLE, field "FIELD": what, and the remedy`.
class Table {
 public:
  /// `name` is what errors call it: "the KME", "a link". Everything but it outlives this object.
  Table(const Origin& origin, const Members& members, Place place, std::string name)
      : origin_(&origin), members_(&members), place_(place), name_(std::move(name)) {}

  /// What errors call it from now on.
  void set_name(std::string name) { name_ = std::move(name); }
  [[nodiscard]] Place place() const noexcept { return place_; }
  /// Whether the field is there. That alone does not make it known.
  [[nodiscard]] bool has(std::string_view field) const noexcept { return find(field) != nullptr; }

  void text(std::string_view field, std::string& out, const TextRule& rule = {});
  void texts(std::string_view field, std::vector<std::string>& out, const TextsRule& rule);
  /// The name of a file, relative to the folder of this one.
  void file(std::string_view field, std::string& out, Need need = {});
  void flag(std::string_view field, bool& out);
  /// A flag that used to have another name, which is still read, with a warning.
  void flag(std::string_view field, bool& out, std::string_view old_name);
  /// A whole number; both ends are allowed.
  template <std::integral Number>
  void number(std::string_view field, Number& out, std::int64_t least, std::int64_t most) {
    if (const auto value = whole_number(field, least, most)) out = static_cast<Number>(*value);
  }
  template <std::integral Number>
  void number(std::string_view field, std::optional<Number>& out, std::int64_t least, std::int64_t most) {
    if (const auto value = whole_number(field, least, most)) out = static_cast<Number>(*value);
  }
  /// A finite number, which may be whole; both ends are allowed.
  void number(std::string_view field, double& out, double least = -kInfinity, double most = kInfinity);
  void number(std::string_view field, std::optional<double>& out, double least = -kInfinity, double most = kInfinity);
  /// Whole seconds, as a number or as a text that text::parse_time takes.
  void time(std::string_view field, std::chrono::seconds& out, std::chrono::seconds least, std::chrono::seconds most);
  /// One of a few words. `note` follows them in the error.
  template <class Choice>
  void choice(std::string_view field, Choice& out,
              std::initializer_list<std::pair<std::string_view, std::type_identity_t<Choice>>> choices, Need need = {},
              std::string_view note = {}) {
    std::vector<std::string_view> words;
    for (const auto& [word, value] : choices) words.push_back(word);
    if (const auto index = word(field, words, need, note)) out = (choices.begin() + *index)->second;
  }

  /// The table [field], which errors call "[field]"; an empty one where it is not there.
  [[nodiscard]] Table table(std::string_view field);
  /// The tables [[field]], `most` at most, which errors call `name`.
  [[nodiscard]] std::vector<Table> tables(std::string_view field, std::size_t most, std::string_view name,
                                          Need need = {});

  /// Keeps a problem with a field, unless there was one before. It stands where the field does, or else the table.
  void fail(std::string_view field, std::string_view text);
  /// The same problem, to be returned at once: for what is looked at after finish().
  [[nodiscard]] std::unexpected<std::string> problem(std::string_view field, std::string_view text) const;
  /// Fails with the first problem. Every field that there can be has been asked for.
  [[nodiscard]] files::OrText<void> finish() const;
  /// What a person should be told of a table without problems, a line each.
  [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }

 private:
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();

  [[nodiscard]] const Member* find(std::string_view field) const noexcept;
  const Value* take(std::string_view field, Need need = {});
  std::optional<std::int64_t> whole_number(std::string_view field, std::int64_t least, std::int64_t most);
  std::optional<double> any_number(std::string_view field, double least, double most);
  std::optional<std::size_t> word(std::string_view field, const std::vector<std::string_view>& words, Need need,
                                  std::string_view note);
  [[nodiscard]] std::string message(Place place, std::string_view field, std::string_view text) const;
  [[nodiscard]] std::string message_of_unknown(const Member& member) const;

  const Origin* origin_;
  const Members* members_;
  Place place_;
  std::string name_;
  std::set<std::string, std::less<>> known_;
  std::optional<std::string> problem_;
  std::vector<std::string> warnings_;
};

}  // namespace qsp::config

#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace qsp::config {

/// A place in a file; both count from 1.
struct Place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;

  friend constexpr auto operator<=>(const Place&, const Place&) = default;
};

struct Value;
struct Member;

using Array = std::vector<Value>;
/// The members of a table, in the order in which they stand in the file. No two have the same name.
using Members = std::vector<Member>;
/// A date or a time, which no file of QSP has.
struct DateOrTime {};

/// What TOML knows.
struct Value {
  std::variant<DateOrTime, bool, std::int64_t, double, std::string, Array, Members> content;
  Place place;

  template <class Kind>
  [[nodiscard]] const Kind* if_is() const noexcept {
    return std::get_if<Kind>(&content);
  }
};

struct Member {
  std::string name;
  Place place;  ///< of the name
  Value value;
};

}  // namespace qsp::config

#include "etsi014/fields.hpp"

#include <algorithm>

#include "base/try.hpp"

namespace qsp::etsi014 {
namespace bj = boost::json;

std::unexpected<std::string> wrong(std::string_view name, std::string_view what) {
  return std::unexpected(std::string(name) + ": " + std::string(what));
}

const bj::value* member_of(const bj::object& object, std::string_view name) {
  const bj::value* const value = object.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Parsed<std::string> read_text(const bj::value* value, std::string_view name, std::size_t most) {
  if (value == nullptr) return wrong(name, "missing");
  const bj::string* const text = value->if_string();
  if (text == nullptr) return wrong(name, "not a string");
  if (text->empty()) return wrong(name, "empty");
  if (text->size() > most) return wrong(name, "longer than " + std::to_string(most) + " bytes");
  return std::string(text->data(), text->size());
}

namespace {

/// The ways to write "no" that leave no doubt.
bool says_no(const bj::value& value) {
  if (value.is_bool()) return !value.get_bool();
  if (value.is_number()) return value.to_number<double>() == 0.0;
  const bj::string* const text = value.if_string();
  if (text == nullptr || text->size() > 5) return false;
  std::string lower(text->data(), text->size());
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower == "false" || lower == "no" || lower == "0";
}

}  // namespace

Parsed<std::uint64_t> read_number(const bj::value* value, std::string_view name) {
  if (value == nullptr) return wrong(name, "missing");
  if (const std::uint64_t* const number = value->if_uint64()) return *number;
  const std::int64_t* const number = value->if_int64();
  if (number == nullptr || *number < 0) return wrong(name, "not a whole number of 0 or more");
  return static_cast<std::uint64_t>(*number);
}

Parsed<const bj::array*> read_list(const bj::object& object, std::string_view name, std::size_t most) {
  const bj::value* const value = member_of(object, name);
  if (value == nullptr) return nullptr;
  const bj::array* const list = value->if_array();
  if (list == nullptr) return wrong(name, "not an array");
  if (list->size() > most) return wrong(name, "more than " + std::to_string(most) + " items");
  return list;
}

Parsed<bool> read_extensions(const bj::object& object, std::string_view name) {
  QSP_TRY(const auto list, read_list(object, name, kMaxExtensions));
  if (list == nullptr) return false;
  if (!std::ranges::all_of(*list, [](const bj::value& item) { return item.is_object(); })) {
    return wrong(name, "an item is not an object");
  }
  return !list->empty();
}

Parsed<bool> read_simulated(const bj::object& object, std::string_view name) {
  const bj::value* const value = member_of(object, name);
  if (value == nullptr) return false;
  const bj::object* const extension = value->if_object();
  if (extension == nullptr) return wrong(name, "not an object");
  const bj::value* const simulated = member_of(*extension, kSimulated);
  return simulated != nullptr && !says_no(*simulated);
}

}  // namespace qsp::etsi014

#include <boost/json/value.hpp>
#include <utility>

#include "base/base64.hpp"
#include "base/try.hpp"
#include "etsi014/fields.hpp"
#include "json/json.hpp"

namespace qsp::etsi014 {
namespace {

namespace bj = boost::json;

/// A message that is one object, and its value.
struct Message {
  bj::value value;
  [[nodiscard]] const bj::object& object() const noexcept { return value.get_object(); }
};

Parsed<Message> read_message(std::string_view text) {
  QSP_TRY(auto value, json::parse(text, kMaxDepth));
  if (!value.is_object()) return std::unexpected("not a JSON object");
  return Message{std::move(value)};
}

/// An ID of an SAE or KME in an answer. KMEs are seen that write numbers.
Parsed<std::string> read_id(const bj::value* value, std::string_view name) {
  if (value != nullptr && value->is_number()) {
    QSP_TRY(const auto number, read_number(value, name));
    return std::to_string(number);
  }
  return read_text(value, name, kMaxSaeIdSize);
}

Parsed<Key> read_key(const bj::value& value) {
  const bj::object* const object = value.if_object();
  if (object == nullptr) return wrong("keys", "an item is not an object");
  QSP_TRY(auto key_id, read_text(object->if_contains("key_ID"), "key_ID", kMaxTextSize));
  const bj::value* const member = object->if_contains("key");
  const bj::string* const base64 = member == nullptr ? nullptr : member->if_string();
  if (base64 == nullptr) return wrong("key", member == nullptr ? "missing" : "not a string");
  if (base64->empty()) return wrong("key", "empty");
  if (base64->size() > base64_size(kMaxKeySize)) return wrong("key", "too long");
  KeyMaterial whole;
  const auto size = from_base64(*base64, whole.writable());
  if (!size) return wrong("key", "not canonical base64 of " + std::to_string(kMaxKeySize) + " bytes or fewer");
  QSP_TRY(const auto simulated, read_simulated(*object, "key_extension"));
  QSP_TRY(const auto simulated_id, read_simulated(*object, "key_ID_extension"));
  return Key{std::move(key_id), KeyMaterial::copy_of(whole.reveal().first(*size)), simulated || simulated_id};
}

/// The texts among the members of one object of "details".
Parsed<void> read_detail(const bj::value& value, Error& error) {
  const bj::object* const object = value.if_object();
  if (object == nullptr) return wrong("details", "an item is not an object");
  for (const auto& member : *object) {
    const bj::string* const text = member.value().if_string();
    if (text == nullptr) continue;
    if (error.details.size() == kMaxExtensions) return wrong("details", "too many members");
    if (text->size() > kMaxTextSize || member.key().size() > kMaxTextSize)
      return wrong("details", "a text is too long");
    error.details.emplace_back(member.key(), std::string(text->data(), text->size()));
  }
  return {};
}

}  // namespace

bool is_whole(std::string_view json) { return read_message(json).has_value(); }

Parsed<Status> parse_status(std::string_view json) {
  QSP_TRY(const auto message, read_message(json));
  const bj::object& object = message.object();
  Status status;
  for (const auto& [name, member] : kStatusTexts) {
    QSP_TRY(auto text, read_id(object.if_contains(name), name));
    status.*member = std::move(text);
  }
  for (const auto& [name, member] : kStatusNumbers) {
    QSP_TRY(const auto number, read_number(object.if_contains(name), name));
    status.*member = number;
  }
  QSP_TRY(const auto simulated, read_simulated(object, "status_extension"));
  status.simulated = simulated;
  return status;
}

Parsed<KeyRequest> parse_key_request(std::string_view json) {
  KeyRequest request;
  if (json.empty()) return request;
  QSP_TRY(const auto message, read_message(json));
  const bj::object& object = message.object();
  for (const auto& [name, member] : {std::pair("number", &KeyRequest::number), {"size", &KeyRequest::size}}) {
    const bj::value* const value = member_of(object, name);
    if (value == nullptr) continue;
    QSP_TRY(const auto number, read_number(value, name));
    request.*member = number;
  }
  constexpr std::string_view kSlaves = "additional_slave_SAE_IDs";
  QSP_TRY(const auto slaves, read_list(object, kSlaves, kMaxAdditionalSaes));
  for (std::size_t i = 0; slaves != nullptr && i < slaves->size(); ++i) {
    QSP_TRY(auto slave, read_text(&(*slaves)[i], kSlaves, kMaxSaeIdSize));
    request.additional_slave_sae_ids.push_back(std::move(slave));
  }
  QSP_TRY(const auto mandatory, read_extensions(object, "extension_mandatory"));
  request.extension_mandatory = mandatory;
  QSP_TRY(read_extensions(object, "extension_optional"));
  return request;
}

Parsed<KeyContainer> parse_key_container(std::string_view json) {
  QSP_TRY(const auto message, read_message(json));
  QSP_TRY(const auto list, read_list(message.object(), "keys", kMaxKeysPerMessage));
  KeyContainer container;
  // Another member may be a key in some other form, so this is not an answer without keys.
  if (!message.object().contains("keys") && !message.object().empty()) return wrong("keys", "missing");
  if (list == nullptr) return container;
  QSP_TRY(const auto simulated, read_simulated(message.object(), "key_container_extension"));
  container.keys.reserve(list->size());
  for (const bj::value& item : *list) {
    QSP_TRY(auto key, read_key(item));
    key.simulated |= simulated;
    container.keys.push_back(std::move(key));
  }
  return container;
}

Parsed<KeyIds> parse_key_ids(std::string_view json) {
  QSP_TRY(const auto message, read_message(json));
  QSP_TRY(const auto list, read_list(message.object(), "key_IDs", kMaxKeysPerMessage));
  if (list == nullptr) return wrong("key_IDs", "missing");
  if (list->empty()) return wrong("key_IDs", "empty");
  KeyIds ids;
  ids.key_ids.reserve(list->size());
  for (const bj::value& item : *list) {
    const bj::object* const object = item.if_object();
    if (object == nullptr) return wrong("key_IDs", "an item is not an object");
    QSP_TRY(auto key_id, read_text(object->if_contains("key_ID"), "key_ID", kMaxTextSize));
    QSP_TRY(read_simulated(*object, "key_ID_extension"));
    ids.key_ids.push_back(std::move(key_id));
  }
  QSP_TRY(read_simulated(message.object(), "key_IDs_extension"));
  return ids;
}

Parsed<Error> parse_error(std::string_view json) {
  QSP_TRY(const auto message, read_message(json));
  QSP_TRY(auto text, read_text(message.object().if_contains("message"), "message", kMaxTextSize));
  Error error{std::move(text), {}};
  QSP_TRY(const auto details, read_list(message.object(), "details", kMaxExtensions));
  for (std::size_t i = 0; details != nullptr && i < details->size(); ++i) {
    QSP_TRY(read_detail((*details)[i], error));
  }
  return error;
}

}  // namespace qsp::etsi014

#include <boost/json/value.hpp>
#include <utility>

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
  auto value = json::parse(text, kMaxDepth);
  if (!value) return std::unexpected(std::move(value.error()));
  if (!value->is_object()) return std::unexpected("not a JSON object");
  return Message{std::move(*value)};
}

/// An ID of an SAE or KME in an answer. KMEs are seen that write numbers.
Parsed<std::string> read_id(const bj::value* value, std::string_view name) {
  if (value != nullptr && value->is_number()) {
    const auto number = read_number(value, name);
    if (!number) return std::unexpected(number.error());
    return std::to_string(*number);
  }
  return read_text(value, name, kMaxSaeIdSize);
}

Parsed<Key> read_key(const bj::value& value) {
  const bj::object* const object = value.if_object();
  if (object == nullptr) return wrong("keys", "an item is not an object");
  auto key_id = read_text(object->if_contains("key_ID"), "key_ID", kMaxTextSize);
  if (!key_id) return std::unexpected(std::move(key_id.error()));
  const bj::value* const member = object->if_contains("key");
  const bj::string* const base64 = member == nullptr ? nullptr : member->if_string();
  if (base64 == nullptr) return wrong("key", member == nullptr ? "missing" : "not a string");
  if (base64->empty()) return wrong("key", "empty");
  if (base64->size() > json::base64_size(kMaxKeySize)) return wrong("key", "too long");
  KeyMaterial whole;
  const auto size = json::from_base64(*base64, whole.writable());
  if (!size) return wrong("key", "not canonical base64 of " + std::to_string(kMaxKeySize) + " bytes or fewer");
  const auto simulated = read_simulated(*object, "key_extension");
  if (!simulated) return std::unexpected(simulated.error());
  const auto simulated_id = read_simulated(*object, "key_ID_extension");
  if (!simulated_id) return std::unexpected(simulated_id.error());
  return Key{std::move(*key_id), KeyMaterial::copy_of(whole.reveal().first(*size)), *simulated || *simulated_id};
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
  const auto message = read_message(json);
  if (!message) return std::unexpected(message.error());
  const bj::object& object = message->object();
  Status status;
  for (const auto& [name, member] : kStatusTexts) {
    auto text = read_id(object.if_contains(name), name);
    if (!text) return std::unexpected(std::move(text.error()));
    status.*member = std::move(*text);
  }
  for (const auto& [name, member] : kStatusNumbers) {
    const auto number = read_number(object.if_contains(name), name);
    if (!number) return std::unexpected(number.error());
    status.*member = *number;
  }
  const auto simulated = read_simulated(object, "status_extension");
  if (!simulated) return std::unexpected(simulated.error());
  status.simulated = *simulated;
  return status;
}

Parsed<KeyRequest> parse_key_request(std::string_view json) {
  KeyRequest request;
  if (json.empty()) return request;
  const auto message = read_message(json);
  if (!message) return std::unexpected(message.error());
  const bj::object& object = message->object();
  for (const auto& [name, member] : {std::pair("number", &KeyRequest::number), {"size", &KeyRequest::size}}) {
    const bj::value* const value = member_of(object, name);
    if (value == nullptr) continue;
    const auto number = read_number(value, name);
    if (!number) return std::unexpected(number.error());
    request.*member = *number;
  }
  constexpr std::string_view kSlaves = "additional_slave_SAE_IDs";
  const auto slaves = read_list(object, kSlaves, kMaxAdditionalSaes);
  if (!slaves) return std::unexpected(slaves.error());
  for (std::size_t i = 0; *slaves != nullptr && i < (*slaves)->size(); ++i) {
    auto slave = read_text(&(**slaves)[i], kSlaves, kMaxSaeIdSize);
    if (!slave) return std::unexpected(std::move(slave.error()));
    request.additional_slave_sae_ids.push_back(std::move(*slave));
  }
  const auto mandatory = read_extensions(object, "extension_mandatory");
  if (!mandatory) return std::unexpected(mandatory.error());
  request.extension_mandatory = *mandatory;
  const auto optional = read_extensions(object, "extension_optional");
  if (!optional) return std::unexpected(optional.error());
  return request;
}

Parsed<KeyContainer> parse_key_container(std::string_view json) {
  const auto message = read_message(json);
  if (!message) return std::unexpected(message.error());
  const auto list = read_list(message->object(), "keys", kMaxKeysPerMessage);
  if (!list) return std::unexpected(list.error());
  KeyContainer container;
  // Another member may be a key in some other form, so this is not an answer without keys.
  if (!message->object().contains("keys") && !message->object().empty()) return wrong("keys", "missing");
  if (*list == nullptr) return container;
  const auto simulated = read_simulated(message->object(), "key_container_extension");
  if (!simulated) return std::unexpected(simulated.error());
  container.keys.reserve((*list)->size());
  for (const bj::value& item : **list) {
    auto key = read_key(item);
    if (!key) return std::unexpected(std::move(key.error()));
    key->simulated |= *simulated;
    container.keys.push_back(std::move(*key));
  }
  return container;
}

Parsed<KeyIds> parse_key_ids(std::string_view json) {
  const auto message = read_message(json);
  if (!message) return std::unexpected(message.error());
  const auto list = read_list(message->object(), "key_IDs", kMaxKeysPerMessage);
  if (!list) return std::unexpected(list.error());
  if (*list == nullptr) return wrong("key_IDs", "missing");
  if ((*list)->empty()) return wrong("key_IDs", "empty");
  KeyIds ids;
  ids.key_ids.reserve((*list)->size());
  for (const bj::value& item : **list) {
    const bj::object* const object = item.if_object();
    if (object == nullptr) return wrong("key_IDs", "an item is not an object");
    auto key_id = read_text(object->if_contains("key_ID"), "key_ID", kMaxTextSize);
    if (!key_id) return std::unexpected(std::move(key_id.error()));
    const auto extension = read_simulated(*object, "key_ID_extension");
    if (!extension) return std::unexpected(extension.error());
    ids.key_ids.push_back(std::move(*key_id));
  }
  if (const auto extension = read_simulated(message->object(), "key_IDs_extension"); !extension) {
    return std::unexpected(extension.error());
  }
  return ids;
}

Parsed<Error> parse_error(std::string_view json) {
  const auto message = read_message(json);
  if (!message) return std::unexpected(message.error());
  auto text = read_text(message->object().if_contains("message"), "message", kMaxTextSize);
  if (!text) return std::unexpected(std::move(text.error()));
  Error error{std::move(*text), {}};
  const auto details = read_list(message->object(), "details", kMaxExtensions);
  if (!details) return std::unexpected(details.error());
  for (std::size_t i = 0; *details != nullptr && i < (*details)->size(); ++i) {
    if (const auto detail = read_detail((**details)[i], error); !detail) return std::unexpected(detail.error());
  }
  return error;
}

}  // namespace qsp::etsi014

#include <boost/json/value.hpp>
#include <utility>

#include "etsi014/fields.hpp"
#include "json/json.hpp"

namespace qsp::etsi014 {
namespace {

namespace bj = boost::json;

bj::object new_object() { return bj::object(json::wiping_memory()); }
bj::array new_array() { return bj::array(json::wiping_memory()); }

/// An array of what `make` makes of each item.
template <class Range, class Make>
bj::array list_of(const Range& range, Make make) {
  bj::array list = new_array();
  list.reserve(range.size());
  for (const auto& item : range) list.emplace_back(make(item));
  return list;
}

bj::object simulated_extension() {
  bj::object extension = new_object();
  extension[kSimulated] = true;
  return extension;
}

bj::object link_object(const LinkHealth& link) {
  bj::object object = new_object();
  object["state"] = link.state;
  if (!link.reason.empty()) object["reason"] = link.reason;
  if (link.s) object["s"] = *link.s;
  if (link.qber) object["qber"] = *link.qber;
  object["age"] = link.age;
  return object;
}

SecretBytes written(bj::object&& root) { return json::serialize(bj::value(std::move(root))); }

}  // namespace

SecretBytes to_json(const Status& status) {
  bj::object root = new_object();
  for (const auto& [name, member] : kStatusTexts) root[name] = status.*member;
  for (const auto& [name, member] : kStatusNumbers) root[name] = status.*member;
  bj::object extension = status.simulated ? simulated_extension() : new_object();
  if (status.link) extension["link"] = link_object(*status.link);
  if (!extension.empty()) root["status_extension"] = std::move(extension);
  return written(std::move(root));
}

SecretBytes to_json(const KeyRequest& request) {
  bj::object root = new_object();
  if (request.number) root["number"] = *request.number;
  if (request.size) root["size"] = *request.size;
  if (!request.additional_slave_sae_ids.empty()) {
    root["additional_slave_SAE_IDs"] =
        list_of(request.additional_slave_sae_ids, [](const std::string& id) { return bj::string(id); });
  }
  return written(std::move(root));
}

SecretBytes to_json(const KeyContainer& container) {
  bj::object root = new_object();
  root["keys"] = list_of(container.keys, [](const Key& key) {
    bj::object item = new_object();
    item["key_ID"] = key.key_id;
    item["key"] = json::to_base64(key.key.reveal());
    if (key.simulated) item["key_extension"] = simulated_extension();
    return item;
  });
  return written(std::move(root));
}

SecretBytes to_json(const KeyIds& ids) {
  bj::object root = new_object();
  root["key_IDs"] = list_of(ids.key_ids, [](const std::string& id) {
    bj::object item = new_object();
    item["key_ID"] = id;
    return item;
  });
  return written(std::move(root));
}

SecretBytes to_json(const Error& error) {
  bj::object root = new_object();
  root["message"] = error.message;
  if (!error.details.empty()) {
    root["details"] = list_of(error.details, [](const auto& detail) {
      bj::object item = new_object();
      item[detail.first] = detail.second;
      return item;
    });
  }
  return written(std::move(root));
}

}  // namespace qsp::etsi014

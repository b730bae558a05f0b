#include "kme/link/messages.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/base64.hpp"
#include "base/try.hpp"
#include "json/json.hpp"

namespace qsp::kme::link {
namespace {

namespace bj = boost::json;

constexpr std::size_t kMessageDepth = 6;

std::unexpected<std::string> wrong(std::string_view what) { return std::unexpected(std::string(what)); }

/// The list under `name` of a message's object, bounded.
FromPeer<const bj::array*> list(const bj::value& root, std::string_view name) {
  const bj::object* const object = root.if_object();
  if (object == nullptr) return wrong("not a JSON object");
  const bj::value* const member = object->if_contains(name);
  const bj::array* const array = member == nullptr ? nullptr : member->if_array();
  if (array == nullptr) return std::unexpected("no list \"" + std::string(name) + '"');
  if (array->size() > kMaxLinkItems) return std::unexpected("list \"" + std::string(name) + "\" is too long");
  return array;
}

std::optional<std::string_view> text(const bj::value* value, std::size_t most) noexcept {
  const bj::string* const string = value == nullptr ? nullptr : value->if_string();
  if (string == nullptr || string->empty() || string->size() > most) return std::nullopt;
  return std::string_view(*string);
}

std::optional<Uuid> uuid(const bj::value* value) noexcept {
  const auto found = text(value, 36);
  return found ? parse_uuid(*found) : std::nullopt;
}

std::optional<std::int64_t> positive(const bj::value* value) noexcept {
  const std::int64_t* const number = value == nullptr ? nullptr : value->if_int64();
  if (number == nullptr || *number <= 0) return std::nullopt;
  return *number;
}

std::optional<NewPiece> piece(const bj::value& value, char side) {
  const bj::object* const object = value.if_object();
  if (object == nullptr) return std::nullopt;
  const auto id = uuid(object->if_contains("id"));
  const auto key = text(object->if_contains("key"), base64_size(kPieceSize));
  const auto owner = text(object->if_contains("owner"), 1);
  const bj::value* const simulated = object->if_contains("simulated");
  const auto expires = positive(object->if_contains("expires"));
  if (!id || !key || !expires || !owner || (*owner != "a" && *owner != "b")) return std::nullopt;
  if (simulated == nullptr || !simulated->is_bool()) return std::nullopt;
  NewPiece made{.id = *id,
                .bytes = Piece(),
                .owner = owner->front() == side ? Owner::Here : Owner::There,
                .simulated = simulated->get_bool(),
                .expires = *expires};
  if (from_base64(*key, made.bytes.writable()) != kPieceSize) return std::nullopt;
  return made;
}

std::optional<Grant> grant(const bj::value& value) {
  const bj::object* const object = value.if_object();
  if (object == nullptr) return std::nullopt;
  const auto key_id = uuid(object->if_contains("key_ID"));
  const auto master = text(object->if_contains("master"), etsi014::kMaxSaeIdSize);
  const auto expires = positive(object->if_contains("expires"));
  const auto size = positive(object->if_contains("size"));
  const auto slaves = list(value, "slaves");
  const auto pieces = list(value, "pieces");
  if (!key_id || !master || !expires || !size || !slaves || !pieces) return std::nullopt;
  if (*size > static_cast<UnixTime>(etsi014::kMaxKeySize)) return std::nullopt;
  Grant made;
  made.key_id = *key_id;
  made.master = *master;
  made.size = static_cast<std::uint32_t>(*size);
  made.expires = *expires;
  for (const bj::value& item : **slaves) {
    const auto slave = text(&item, etsi014::kMaxSaeIdSize);
    if (!slave || made.slaves.size() > etsi014::kMaxAdditionalSaes) return std::nullopt;
    made.slaves.emplace_back(*slave);
  }
  for (const bj::value& item : **pieces) {
    const auto id = uuid(&item);
    if (!id) return std::nullopt;
    made.pieces.push_back(*id);
  }
  const std::size_t needed = (made.size + kPieceSize - 1) / kPieceSize;
  if (made.slaves.empty() || made.pieces.size() != needed || made.pieces.front() != made.key_id) return std::nullopt;
  return made;
}

}  // namespace

FromPeer<KeysMessage> parse_keys(std::string_view json, char side) {
  QSP_TRY(const auto root, json::parse(json, kMessageDepth));
  QSP_TRY(const auto items, list(root, "keys"));
  KeysMessage message;
  for (const bj::value& item : *items) {
    auto made = piece(item, side);
    if (!made) return wrong("a key that is not {id, key, owner, simulated, expires}");
    message.pieces.push_back(*std::move(made));
  }
  return message;
}

FromPeer<IdsMessage> parse_ids(std::string_view json) {
  QSP_TRY(const auto root, json::parse(json, kMessageDepth));
  QSP_TRY(const auto items, list(root, "ids"));
  IdsMessage message;
  for (const bj::value& item : *items) {
    const auto id = uuid(&item);
    if (!id) return wrong("an ID that is not a UUID");
    message.ids.push_back(*id);
  }
  return message;
}

FromPeer<GrantsMessage> parse_grants(std::string_view json) {
  QSP_TRY(const auto root, json::parse(json, kMessageDepth));
  QSP_TRY(const auto items, list(root, "grants"));
  GrantsMessage message;
  for (const bj::value& item : *items) {
    auto made = grant(item);
    if (!made) return wrong("a grant that is not {key_ID, master, slaves, size, pieces, expires}");
    message.grants.push_back(*std::move(made));
  }
  return message;
}

SecretBytes to_json(const KeysMessage& message, char side) {
  const char other = side == 'a' ? 'b' : 'a';
  bj::object root(json::wiping_memory());
  bj::array& keys = root["keys"].emplace_array();
  for (const NewPiece& piece : message.pieces) {
    const char owner = piece.owner == Owner::Here ? side : other;
    bj::object item(keys.storage());
    item["id"] = uuid_text(piece.id);
    item["key"] = json::to_base64(piece.bytes.reveal());
    item["owner"] = std::string_view(&owner, 1);
    item["simulated"] = piece.simulated;
    item["expires"] = piece.expires;
    keys.push_back(std::move(item));
  }
  return json::serialize(std::move(root));
}

SecretBytes to_json(const IdsMessage& message) {
  bj::array ids;
  for (const Uuid& id : message.ids) ids.emplace_back(uuid_text(id));
  return json::serialize(bj::object{{"ids", std::move(ids)}});
}

SecretBytes to_json(const GrantsMessage& message) {
  bj::array grants;
  for (const Grant& grant : message.grants) {
    bj::array slaves(grant.slaves.begin(), grant.slaves.end());
    bj::array pieces;
    for (const Uuid& id : grant.pieces) pieces.emplace_back(uuid_text(id));
    grants.push_back(bj::object{{"key_ID", uuid_text(grant.key_id)},
                                {"master", grant.master},
                                {"slaves", std::move(slaves)},
                                {"size", grant.size},
                                {"pieces", std::move(pieces)},
                                {"expires", grant.expires}});
  }
  return json::serialize(bj::object{{"grants", std::move(grants)}});
}

}  // namespace qsp::kme::link

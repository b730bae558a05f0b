#include "kme/store/text.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>

#include "base/hex.hpp"

namespace qsp::kme::store {
namespace {

constexpr std::size_t kUuidText = 36;

}  // namespace

void wipe_text(std::string& text) noexcept {
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  text.clear();
}

void write_hex(std::string& text, const Piece& piece) {
  wipe_text(text);
  append_hex(text, piece.reveal());
}

Piece take_piece(std::string& hex) {
  Piece piece;
  const bool whole = from_hex(hex, piece.writable());
  wipe_text(hex);
  if (!whole) throw std::runtime_error("a row holds no piece of a key: the store is damaged");
  return piece;
}

Uuid read_uuid(std::string_view text) {
  const std::optional<Uuid> uuid = parse_uuid(text);
  if (!uuid) throw std::runtime_error("a row holds an ID that is none: the store is damaged");
  return *uuid;
}

std::string join_uuids(std::span<const Uuid> uuids) {
  std::string text;
  text.reserve(uuids.size() * kUuidText);
  for (const Uuid& uuid : uuids) text += uuid_text(uuid);
  return text;
}

std::string list_uuids(std::span<const Uuid> uuids) {
  std::string text = "[";
  for (const Uuid& uuid : uuids) {
    if (text.size() > 1) text += ',';
    text.append("\"").append(uuid_text(uuid)).append("\"");
  }
  return text += ']';
}

std::vector<Uuid> split_uuids(std::string_view text) {
  std::vector<Uuid> uuids;
  while (!text.empty()) {
    const std::string_view first = text.substr(0, kUuidText);
    uuids.push_back(read_uuid(first));
    text.remove_prefix(first.size());
  }
  return uuids;
}

void join(etsi014::KeyMaterial& key, std::size_t index, const Piece& piece) noexcept {
  const MutableBytes rest = key.writable().subspan(index * kPieceSize);
  const Bytes bytes = piece.reveal();
  std::copy_n(bytes.begin(), std::min(rest.size(), bytes.size()), rest.begin());
}

}  // namespace qsp::kme::store

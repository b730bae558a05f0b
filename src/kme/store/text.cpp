#include "kme/store/text.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>

namespace qsp::kme::store {
namespace {

constexpr std::size_t kUuidText = 36;

/// 9 < nibble gives 'a' − '0' − 10 = 39 more.
char hex_digit(unsigned nibble) noexcept { return static_cast<char>('0' + nibble + (((9U - nibble) >> 8U) & 39U)); }

/// Of a digit that hex_digit wrote: letters have bit 6, and their low four bits count from 1.
unsigned hex_value(char digit) noexcept {
  const auto code = static_cast<unsigned char>(digit);
  return ((code & 15U) + 9U * ((code >> 6U) & 1U)) & 15U;
}

}  // namespace

void wipe_text(std::string& text) noexcept {
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  text.clear();
}

void write_hex(std::string& text, const Piece& piece) {
  wipe_text(text);
  text.reserve(2 * kPieceSize);
  for (const std::uint8_t byte : piece.reveal()) {
    text += hex_digit(byte >> 4U);
    text += hex_digit(byte & 15U);
  }
}

Piece take_piece(std::string& hex) {
  const bool whole = hex.size() == 2 * kPieceSize;
  Piece piece;
  const MutableBytes bytes = piece.writable();
  for (std::size_t i = 0; whole && i < kPieceSize; ++i) {
    bytes[i] = static_cast<std::uint8_t>(hex_value(hex[2 * i]) << 4U | hex_value(hex[2 * i + 1]));
  }
  wipe_text(hex);
  if (!whole) throw std::runtime_error("a row holds no piece of a key: the store is damaged");
  return piece;
}

Uuid read_uuid(std::string_view text) {
  const std::optional<Uuid> uuid = keysource::parse_uuid(text);
  if (!uuid) throw std::runtime_error("a row holds an ID that is none: the store is damaged");
  return *uuid;
}

std::string join_uuids(std::span<const Uuid> uuids) {
  std::string text;
  text.reserve(uuids.size() * kUuidText);
  for (const Uuid& uuid : uuids) text += keysource::to_text(uuid);
  return text;
}

std::string list_uuids(std::span<const Uuid> uuids) {
  std::string text = "[";
  for (const Uuid& uuid : uuids) {
    if (text.size() > 1) text += ',';
    text.append("\"").append(keysource::to_text(uuid)).append("\"");
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

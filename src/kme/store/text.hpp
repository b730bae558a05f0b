#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kme/store/store.hpp"

/// How the store writes things into columns of text.
namespace qsp::kme::store {

/// Overwrites the characters of a text and empties it; it keeps its memory, so that the next secret reuses it.
void wipe_text(std::string& text) noexcept;

/// Replaces `text` by the hex digits of a piece. Branches and addresses do not depend on the bytes.
void write_hex(std::string& text, const Piece& piece);

// Reading throws std::runtime_error where a column holds what the store does not write: it is damaged.

/// The piece whose hex digits these are; they are wiped.
Piece take_piece(std::string& hex);

Uuid read_uuid(std::string_view text);

/// UUIDs in their 36 characters each, without separators.
std::string join_uuids(std::span<const Uuid> uuids);
/// As a JSON list, for a statement.
std::string list_uuids(std::span<const Uuid> uuids);
std::vector<Uuid> split_uuids(std::string_view text);

/// How many pieces a key of this many bytes takes.
constexpr std::size_t pieces_of(std::size_t key_size) noexcept { return (key_size + kPieceSize - 1) / kPieceSize; }

/// Puts the piece that comes at `index` into its place in a key, as much of it as the key has room for.
void join(etsi014::KeyMaterial& key, std::size_t index, const Piece& piece) noexcept;

}  // namespace qsp::kme::store

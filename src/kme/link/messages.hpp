#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "kme/store/store.hpp"
#include "qsp/crypto.hpp"

/// What the two KMEs of a link, and those who feed keys to one, tell each other: JSON over mutual TLS (docs/kme.md).
namespace qsp::kme::link {

inline constexpr std::size_t kMaxLinkItems = 512;                        ///< of any list of one message
inline constexpr std::size_t kMaxLinkMessage = std::size_t{512} * 1024;  ///< bytes of a body

/// Keys for the pool, from the side that draws them, or from a feeder.
struct KeysMessage {
  std::vector<NewPiece> pieces;
};

/// Keys are named, not sent.
struct IdsMessage {
  std::vector<Uuid> ids;
};

struct GrantsMessage {
  std::vector<Grant> grants;  ///< their `link` is empty: the path says which
};

/// The side that a key of a feed belongs to. Both sides are fed apart from each other and must find the same owner: the
/// last bit of its ID says it.
constexpr char owner_of(const Uuid& id) noexcept { return (id.back() & 1) == 0 ? 'a' : 'b'; }

template <class T>
using FromPeer = std::expected<T, std::string>;

// `side` is that of the end that reads or writes: on the wire a key belongs to side "a" or "b".
FromPeer<KeysMessage> parse_keys(std::string_view json, char side);
SecretBytes to_json(const KeysMessage& message, char side);

FromPeer<IdsMessage> parse_ids(std::string_view json);
FromPeer<GrantsMessage> parse_grants(std::string_view json);

SecretBytes to_json(const IdsMessage& message);
SecretBytes to_json(const GrantsMessage& message);

}  // namespace qsp::kme::link

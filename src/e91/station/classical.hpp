#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "e91/post/transcript.hpp"
#include "qsp/error.hpp"

/// What two stations tell each other around their blocks, over the session that authenticates them (docs/kme.md). On
/// the wire: kind (u8), then the body; integers are big-endian.
namespace qsp::e91::station {

/// Sides of a KME link whose pool has room: a bit for "a", a bit for "b".
using Owners = std::uint8_t;
inline constexpr Owners kOwnerA = 1;
inline constexpr Owners kOwnerB = 2;
inline constexpr Owners kBothOwners = kOwnerA | kOwnerB;

/// A message of the block's post-processing, as its own codec has it.
struct BlockMessage {
  std::vector<std::uint8_t> bytes;
};
/// Alice to Bob, first in a session: how she works. Bob works so too, or ends the session.
struct StationPlan {
  post::PostConfig post;
  double p_z = 0;
  std::uint64_t slots = 0;  ///< of every block
  bool operator==(const StationPlan&) const = default;
};
/// Alice to Bob: I am ready for this block, and have room for keys of these owners. She may repeat it with others.
struct Invitation {
  std::uint64_t block = 0;
  Owners wanted = 0;
};
/// Bob to Alice: so am I; keys of these owners will be kept, of no other. Both order the block now.
struct Acceptance {
  std::uint64_t block = 0;
  Owners kept = 0;
};

using ClassicalMessage = std::variant<BlockMessage, StationPlan, Invitation, Acceptance>;

/// Bytes of the longest.
inline constexpr std::size_t kMaxClassicalMessage = 1 + post::kMaxMessage;

std::vector<std::uint8_t> encode(const ClassicalMessage& message);
/// Error: InvalidMessage for bytes that are not such a message. The content of a BlockMessage is not checked.
Result<ClassicalMessage> parse_classical(Bytes bytes);

}  // namespace qsp::e91::station

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "e91/post/messages.hpp"
#include "e91/random.hpp"
#include "e91/setting.hpp"
#include "qsp/error.hpp"

/// What a station and the simulator of the link tell each other (docs/kme.md). On the wire: type (u8), pairing (16
/// bytes), block (u64), then the body; integers are big-endian.
namespace qsp::e91::station {

/// Names a pairing of two stations. Public.
using PairingName = std::array<std::uint8_t, 16>;

/// Which block of which pairing a message is about.
struct BlockName {
  PairingName pairing{};
  std::uint64_t number = 0;
  bool operator==(const BlockName&) const = default;
};

/// Station to link: play this block, with these settings of mine.
struct Order {
  BlockName block;
  Mode mode{};
  double p_z = 0;
  std::uint64_t slots = 0;
  Seed seed;  ///< of the settings
};

/// Link to station: what the station's detectors saw.
struct Detections {
  BlockName block;
  std::uint64_t slots = 0;
  Clicks clicks;
};

/// Link to station: the block will not be played.
struct Declined {
  BlockName block;
  std::string why;  ///< for people; escape it
};

inline constexpr std::size_t kMaxOrder = 128;         ///< bytes
inline constexpr std::size_t kMaxDeclinedText = 256;  ///< bytes
/// Of Detections: a click takes seven bits a byte of its gap and bit, 49 bits at most.
inline constexpr std::size_t kMaxDetections = 64 + post::kMaxClicks * 7;

/// The callers wipe what holds a seed or clicks.
std::vector<std::uint8_t> encode(const Order& order);
std::vector<std::uint8_t> encode(const Detections& detections);
std::vector<std::uint8_t> encode(const Declined& declined);

/// Error: InvalidMessage for bytes that are not such a message.
Result<Order> parse_order(Bytes bytes);
Result<std::variant<Detections, Declined>> parse_answer(Bytes bytes);

}  // namespace qsp::e91::station

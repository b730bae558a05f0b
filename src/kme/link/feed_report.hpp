#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "kme/link/messages.hpp"

namespace qsp::kme::link {

enum class FeedState : std::uint8_t {
  Running,
  Aborting,  ///< the last block was given up
  Down,      ///< no blocks: the other station, or the link, does not answer
};
/// "running", "aborting", "down".
std::string_view name(FeedState state) noexcept;

/// What a feeder says of its source of keys, at /link/v1/LINK/state. Counts are since the feeder started.
struct FeedReport {
  FeedState state = FeedState::Down;
  std::string reason;          ///< why it is not running; at most kMaxReason printable characters
  std::optional<double> s;     ///< CHSH value of the last block, −2√2 at best
  std::optional<double> qber;  ///< its share of errors
  double rate = 0;             ///< secret bits of the last block for each second of its light
  std::optional<double>
      block_age;  ///< seconds since that block's end; nothing: no block yet, or a feeder that does not say
  std::uint64_t blocks = 0;
  std::uint64_t keys = 0;                                     ///< brought to the KME
  std::map<std::string, std::uint64_t, std::less<>> aborted;  ///< blocks, by a reason of small letters and "_"
  bool simulated = false;
};

inline constexpr std::size_t kMaxReason = 200;
inline constexpr std::size_t kMaxAbortReasons = 16;

SecretBytes to_json(const FeedReport& report);
/// Strict: a member that is missing, of another type or out of bounds is an error. Members it does not know are
/// skipped.
FromPeer<FeedReport> parse_feed_report(std::string_view json);

}  // namespace qsp::kme::link

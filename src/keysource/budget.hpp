#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "qsp/endpoint.hpp"

namespace qsp::keysource {

/// SPEC §5.7, "Budget": per peer at most 10 fetches, refilled one per 10 s. A fetch is one key asked for; each further
/// enc_keys for it takes one more. One budget serves a whole process; it is not thread-safe.
class QkdBudget {
 public:
  static constexpr int kFetches = 10;
  static constexpr int kKeptForNew = 5;  ///< that no further enc_keys takes, so that new handshakes find some
  static constexpr Instant kRefill = std::chrono::seconds(10);
  static constexpr std::size_t kMaxPeers = 10'000;

  /// Takes one fetch of a pinned peer, by its name, if it has one left at `now` (of a clock that never goes back).
  /// False: the caller fails with QkdFailure::Budget in a handshake, or waits for `next` in a rekey. Also false where
  /// more than kMaxPeers peers would have to be remembered at once.
  bool take(std::string_view peer, Instant now);
  /// The same for a further enc_keys of a fetch; false also where fewer than kKeptForNew would be left.
  bool take_further(std::string_view peer, Instant now);

  /// When the peer's next fetch is free: `now` or later.
  [[nodiscard]] Instant next(std::string_view peer, Instant now) const;

 private:
  bool take(std::string_view peer, Instant now, int keep);
  /// When the peer has one fetch and this many more: `now` or later.
  [[nodiscard]] Instant next(std::string_view peer, Instant now, int keep) const;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };

  /// When each peer's budget is whole again; that instant says how much of it is spent. Past it the entry means
  /// nothing.
  std::unordered_map<std::string, Instant, Hash, std::equal_to<>> whole_again_;
};

}  // namespace qsp::keysource

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "node/log.hpp"
#include "qsp/key_source.hpp"

namespace qsp::node {

/// How often the sessions of a server change keys, by how many QKD keys the KME has left for them.
struct RekeyPace {
  std::chrono::nanoseconds target{};  ///< between rekeys, while there are enough keys
  std::chrono::nanoseconds floor{};   ///< between rekeys at most; not below `target`
  std::optional<std::uint64_t> low;   ///< keys below which it slows down; nothing: a tenth of the KME's capacity

  /// Older knowledge of the supply counts for nothing, and the pace is full.
  static constexpr std::chrono::minutes kMaxAge{5};

  [[nodiscard]] bool follows_supply() const noexcept { return floor > target; }
  /// Time between rekeys. Their rate falls in proportion to the keys that are left: so however many sessions share
  /// them, the use of a slow link settles at what it brings.
  [[nodiscard]] std::chrono::nanoseconds interval(const keysource::Supply& supply) const noexcept;
  /// What net::KeyDelivery::next_rekey answers. A slow pace is looked at again and again, since keys may come.
  [[nodiscard]] Instant next(std::chrono::nanoseconds interval, Instant epoch_began, Instant now) const noexcept;
};

/// What a scrape tells of the KME's supply.
struct SupplyCounts {
  std::uint64_t slowed_peers = 0;      ///< whose rekeys were slowed down when they were last looked at
  std::uint64_t failed_questions = 0;  ///< for the supply
};

/// The pace for each peer of a process, and the log of its changes. May be shared by threads.
class PeerPaces {
 public:
  explicit PeerPaces(Log log = {}) : log_(std::move(log)) {}
  void set(const RekeyPace& pace) noexcept { pace_ = pace; }  ///< before any thread uses it
  [[nodiscard]] const RekeyPace& pace() const noexcept { return pace_; }

  /// The pace of the peer's sessions now; logs where it slows down by half or to the floor, or is full again, and
  /// where the KME ceases, or begins, to tell its supply.
  std::chrono::nanoseconds follow(const std::string& sae_id, const keysource::Supply& supply);
  [[nodiscard]] SupplyCounts counts() const;

 private:
  struct Told {
    std::chrono::nanoseconds interval{};
    bool failing = false;
    std::uint64_t failures = 0;
  };
  /// What is new, and worth a line.
  struct Change {
    bool began_to_fail, works_again, recovered, slowed;
  };
  Change note(const std::string& sae_id, const keysource::Supply& supply, std::chrono::nanoseconds interval);

  Log log_;
  RekeyPace pace_;
  mutable std::mutex mutex_;  ///< of told_
  std::map<std::string, Told> told_;
};

}  // namespace qsp::node

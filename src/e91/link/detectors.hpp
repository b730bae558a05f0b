#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "e91/setting.hpp"

namespace qsp::e91::link {

/// Which of a station's two detectors clicked in a slot: bit 0 the one along the analyser's angle, bit 1 the one
/// across. Of both stations: Alice's pattern + 4 · Bob's.
using Pattern = std::uint8_t;
inline constexpr std::size_t kPatterns = 16;

/// How likely each joint pattern is in one slot.
using Patterns = std::array<double, kPatterns>;

/// The patterns for each pair of settings: [Alice's][Bob's]. Only the first `alice` × `bob` are in use.
struct ClickTables {
  std::size_t alice = 0;
  std::size_t bob = 0;
  std::array<std::array<Patterns, kMaxSettings>, kMaxSettings> patterns{};
};

/// One side's analyser and its two detectors.
struct Station {
  std::span<const double> angles;  ///< Bloch, in radians
  double efficiency = 1;           ///< that a photon which left the source is detected: the arm's and the detectors'
  double dark_probability = 0;     ///< of a click without a photon, for each detector and slot
  std::uint64_t dead_slots = 0;    ///< from one click of the station to the next at least, of whichever detector
};

struct Stations {
  Station alice;
  Station bob;
};

/// Adds to what photons make of the four detectors the clicks that come without one.
void add_dark_counts(Patterns& patterns, const Stations& stations) noexcept;

/// Keeps both detectors of a station silent after a click of either: a station that gates them together, so that when
/// it clicks says nothing of which one did. A photon that meets silent detectors is lost and does not prolong the
/// silence (non-paralysable).
class DeadTime {
 public:
  explicit DeadTime(const Stations& stations) noexcept
      : dead_slots_{stations.alice.dead_slots, stations.bob.dead_slots} {}

  /// False where no station has a dead time longer than a slot.
  [[nodiscard]] bool matters() const noexcept { return dead_slots_[0] > 1 || dead_slots_[1] > 1; }

  /// What is left of `pattern` in slot `slot`, which is counted from the first slot ever and only goes up.
  Pattern admit(Pattern pattern, std::uint64_t slot) noexcept {
    for (std::size_t i = 0; i < ready_.size(); ++i) {
      const unsigned both = 3U << (2 * i);
      if ((pattern & both) == 0) continue;
      if (slot < ready_[i]) {
        pattern = static_cast<Pattern>(pattern & ~both);
      } else {
        ready_[i] = slot + dead_slots_[i];
      }
    }
    return pattern;
  }

 private:
  std::array<std::uint64_t, 2> dead_slots_;  ///< by Side
  std::array<std::uint64_t, 2> ready_{};
};

}  // namespace qsp::e91::link

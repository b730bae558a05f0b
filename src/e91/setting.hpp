#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <type_traits>
#include <vector>

#include "e91/random.hpp"

namespace qsp::e91 {

/// Which measurement settings the two stations use (docs/qkd.md).
enum class Mode : std::uint8_t {
  Biased,   ///< Alice Z, X; Bob Z, X, D, A. Z/Z is key, X/X the phase test, Alice's any with Bob's D or A the CHSH test
  Classic,  ///< Ekert 1991: Alice 0, π/4, π/2; Bob π/4, π/2, 3π/4, all as likely
};

enum class Side : std::uint8_t { Alice, Bob };

inline constexpr std::size_t kMaxSettings = 4;

/// The analyser angles of a side on the Bloch sphere, in radians. In Biased: Z = 0, X = π/2, D = π/4, A = 3π/4.
std::span<const double> angles(Mode mode, Side side) noexcept;

/// How often a side chooses each of its settings, in parts of 65536, in the order of `angles`.
using Weights = std::array<std::uint32_t, kMaxSettings>;

/// In Biased, Z with probability p_z at both sides; Alice's other is X. Of what Bob has left, X gets 70 %, because the
/// phase test needs both ends at X and the key's length hangs on the size of that sample; D and A get 15 % each. In
/// Classic, `p_z` is not used. Precondition: 0 < p_z < 1.
Weights weights(Mode mode, Side side, double p_z) noexcept;

/// The settings of one side for the slots of one block, all fixed by a seed before any photon of the block is sampled.
/// The station that drew the seed keeps it until it announces settings; the link simulator, which plays the analysers
/// too, gets a copy with the order to emit.
class Settings {
 public:
  /// Errors: Provider.
  static Result<Settings> create(crypto::Provider& provider, Seed&& seed, Weights weights);

  /// The setting in force in slot `slot` of the block: an index into `angles`. Going upwards is cheap, jumping costs
  /// one chunk.
  std::uint8_t at(std::uint64_t slot) noexcept { return from(slot).front(); }
  /// Those of slot `slot` and the ones after it, at least one, as many as cost nothing more. Valid until the next call.
  std::span<const std::uint8_t> from(std::uint64_t slot) noexcept {
    const std::uint64_t chunk = slot / kSlotsPerChunk;
    if (chunk != chunk_index_) load(chunk);
    return std::span<const std::uint8_t>(settings_).subspan(slot % kSlotsPerChunk);
  }

  [[nodiscard]] bool healthy() const noexcept { return stream_.healthy(); }

 private:
  static constexpr std::size_t kSlotsPerChunk = RandomStream::kChunkWords * 4;

  Settings(RandomStream&& stream, Weights weights) noexcept;
  void load(std::uint64_t chunk) noexcept;

  RandomStream stream_;
  std::uint8_t lowest_ = 0;                              ///< the first setting that is chosen at all
  std::array<std::uint16_t, 3> lasts_{};                 ///< the greatest draw that leads to a setting or one before it
  std::array<std::uint8_t, kSlotsPerChunk> settings_{};  ///< of the slots of one chunk
  std::uint64_t chunk_index_ = UINT64_MAX;
};

/// What one detector station saw in one slot: the slot's number in its block, and the bit. Bit 0 is the detector along
/// the analyser's angle, bit 1 the one across it; a double click has been made a random bit by then.
class Click {
 public:
  Click() = default;
  Click(std::uint64_t slot, bool bit) noexcept : value_(slot << 1 | (bit ? 1 : 0)) {}
  [[nodiscard]] std::uint64_t slot() const noexcept { return value_ >> 1; }
  [[nodiscard]] bool bit() const noexcept { return (value_ & 1) != 0; }
  bool operator==(const Click&) const = default;

 private:
  std::uint64_t value_;  // not initialised: lists of clicks are written once
};
static_assert(std::is_trivial_v<Click>);

/// The clicks of one station in one block, by ascending slot, at most one for each.
using Clicks = std::vector<Click>;

}  // namespace qsp::e91

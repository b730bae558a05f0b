#pragma once

#include <optional>

#include "e91/link/config.hpp"
#include "e91/link/eve.hpp"
#include "e91/link/sampler.hpp"

/// A simulated link of entangled photons (docs/qkd.md).
namespace qsp::e91::link {

/// The source, both arms and both stations' detectors, slot after slot.
class Link {
 public:
  static constexpr std::uint64_t kMaxSlots = std::uint64_t{1} << 48;
  /// Of clicks that a side is to expect from one call of `emit`: 1 GiB.
  static constexpr double kMaxClicks = 1 << 27;

  /// Nature draws from `seed`, or from the provider's random numbers. A link from a seed that was told to anybody gives
  /// no secret. Errors: ApiMisuse (see `validate`), Provider.
  static Result<Link> create(crypto::Provider& provider, const LinkConfig& config, const Eve& eve,
                             std::optional<Seed> seed = std::nullopt);

  /// Plays the next block of `slots` slots with each side's settings of that block, and gives each side its own clicks,
  /// in place of what the lists held. Dead times go on from block to block.
  ///
  /// Errors: ApiMisuse for more than kMaxSlots or kMaxClicks; Provider, and then the clicks are gone and the link is of
  /// no more use.
  Result<void> emit(Settings& alice, Settings& bob, std::uint64_t slots, Clicks& to_alice, Clicks& to_bob);

  [[nodiscard]] const LinkConfig& config() const noexcept { return config_; }

 private:
  Link(const LinkConfig& config, RandomStream&& random, Sampler&& sampler, double clicks_per_slot)
      : config_(config), random_(std::move(random)), sampler_(sampler), clicks_per_slot_(clicks_per_slot) {}

  LinkConfig config_;
  RandomStream random_;
  Sampler sampler_;
  double clicks_per_slot_;  ///< at the side that clicks more, for the settings that make it click most
};

}  // namespace qsp::e91::link

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "e91/post/block.hpp"

/// Eavesdroppers on a part of a block, played slot by slot so that what each learned is counted and not estimated.
namespace qsp::e91::post {

/// Intercept-resend on Bob's photon: the Bloch angle at which she measures in a slot, nothing where she lets it pass.
/// She knows positions, never a setting.
struct Attacker {
  std::string name;
  std::function<std::optional<double>(std::uint64_t slot)> angle;
};

/// The block that is attacked.
struct Scene {
  PostConfig post;
  std::uint64_t slots = 40'000;
  double p_z = 0.7;
  double pairs = 1;                     ///< probability of a pair in a slot, which both stations then detect
  double error_rate = 0.01;             ///< without her, the same in every basis
  std::uint64_t dead_of_detectors = 0;  ///< physical: slots in which one detector is blind after a click of its own
};

/// What came of it.
struct Attacked {
  BlockReport alice;
  BlockReport bob;
  double known = 0;        ///< bits of the sifted key that she knows, in min-entropy, from what she measured
  std::uint64_t told = 0;  ///< bits of it that were made with one detector blind: its slots tell them
  [[nodiscard]] bool released() const noexcept { return !alice.aborted && alice.length > 0; }
  /// What privacy amplification took away beyond what was said in public.
  [[nodiscard]] double removed() const noexcept {
    return static_cast<double>(alice.key_bits) - static_cast<double>(alice.length) -
           static_cast<double>(alice.disclosed);
  }
};

/// Of a block of so many slots: on its head, tail and slices, on every k-th slot, on bursts as long as a dead time
/// behind regular slots, on a share drawn at random, at one angle or at another for every slot.
std::vector<Attacker> partial_attackers(std::uint64_t slots, std::uint64_t dead_slots);

/// Plays one block, of which `listener` hears every message. The same `seed` gives the same block.
Attacked attack(const Scene& scene, const Attacker& attacker, std::uint64_t seed, const Listener& listener = {});

}  // namespace qsp::e91::post

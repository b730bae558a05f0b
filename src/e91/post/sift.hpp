#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "e91/bits.hpp"
#include "e91/post/messages.hpp"
#include "e91/setting.hpp"

namespace qsp::e91::post {

/// What a round in which both stations saw a photon is for.
enum class RoundRole : std::uint8_t {
  Key,    ///< equal settings (Biased: Z/Z)
  Phase,  ///< Biased X/X: errors in the conjugate basis
  Chsh,   ///< one of the four pairs of the CHSH test
  None,
};

/// The role of a pair of settings, Alice's first.
RoundRole role(Mode mode, std::uint8_t alice, std::uint8_t bob) noexcept;

/// One station's share of a block after sifting. The other's has the same lengths, settings and order.
struct Sifted {
  Bits key;                         ///< Bob's are inverted: the singlet anticorrelates
  Bits tests;                       ///< outcomes of the test rounds
  std::vector<std::uint8_t> pairs;  ///< settings of the test rounds, 4 · Alice's + Bob's
  std::uint64_t shared = 0;         ///< rounds in which both saw something
  bool too_many = false;            ///< more key rounds than kMaxKeyBits: the block cannot be used, `key` is empty
};

/// Drops the clicks in which one of a station's detectors may have been blind: those with another click of either, even
/// one that is dropped itself, less than `dead_slots` before them. The start of a block stands for a click, for what
/// came before it is not known; clicks that do not ascend go too. What is left says nothing of bits by its slots.
void keep_live(Clicks& clicks, std::uint64_t dead_slots);
/// Whether the slots that a peer tells can be what keep_live() left: of a list, and of those of `clicks` that it
/// shares.
bool are_live(const SlotList& slots, std::uint64_t dead_slots) noexcept;
bool are_live(const Clicks& clicks, const Bits& shared, std::uint64_t dead_slots) noexcept;

/// Bob's announcement: his clicks. `settings` are his of the block.
ClicksMessage announce(const Clicks& clicks, Settings& settings, std::uint64_t slots);

/// Alice's answer, and her share. Nothing where a setting of Bob's does not exist in the mode.
struct AliceSifted {
  MatchesMessage answer;
  Sifted sifted;
};
std::optional<AliceSifted> sift_alice(Mode mode, const Clicks& clicks, Settings& settings, const ClicksMessage& bob);

/// Bob's share; `settings` are those of his clicks. Nothing where a setting of Alice's does not exist in the mode.
std::optional<Sifted> sift_bob(Mode mode, const Clicks& clicks, const SettingList& settings,
                               const MatchesMessage& alice);

}  // namespace qsp::e91::post

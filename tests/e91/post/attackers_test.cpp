#include "attackers.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

namespace qsp::e91::post {
namespace {

/// In CI a few of each; QSP_ATTACKED_BLOCKS=200 is the long form.
std::uint64_t blocks_of_each() {
  const char* const text = std::getenv("QSP_ATTACKED_BLOCKS");
  return text == nullptr ? 2 : std::stoull(text);
}

/// No block is released of which an attacker knows more than privacy amplification took away. The seeds are fixed; what
/// finite statistics leave to chance is below ε_sec for each block.
void none_is_released_that_is_known(const Scene& scene) {
  std::uint64_t seed = 1;
  for (const Attacker& attacker : partial_attackers(scene.slots, scene.post.dead_slots[1])) {
    std::uint64_t released = 0;
    double worst = 0;
    for (std::uint64_t i = 0; i < blocks_of_each(); ++i) {
      const Attacked block = attack(scene, attacker, seed++);
      EXPECT_EQ(block.alice.aborted, block.bob.aborted) << attacker.name;
      EXPECT_EQ(block.told, 0U) << attacker.name;
      if (!block.released()) continue;
      ++released;
      worst = std::max(worst, block.known / block.removed());
      EXPECT_LE(block.known, block.removed()) << attacker.name << ", block " << i;
    }
    std::cout << attacker.name << ": " << released << " of " << blocks_of_each() << " released; at most " << worst
              << " of what was removed was known\n";
    if (attacker.name == "nobody") {
      EXPECT_EQ(released, blocks_of_each());
    }
    if (attacker.name == "all") {
      EXPECT_EQ(released, 0U);
    }
  }
}

TEST(Attackers, know_no_more_than_is_removed) { none_is_released_that_is_known({}); }

TEST(Attackers, know_no_more_than_is_removed_where_detectors_are_blind_for_a_time) {
  Scene scene{.post = {}, .slots = 250'000, .pairs = 0.08, .dead_of_detectors = 6};
  scene.post.dead_slots = {6, 6};
  none_is_released_that_is_known(scene);
}

/// Eve knows every bit up to where a cut would fall, in a block six times as long; averages over the block look well.
TEST(Attackers, of_the_head_of_an_inflated_block_get_nothing) {
  Scene scene{.post = {}, .slots = 7'900'000, .p_z = 0.9};
  const std::uint64_t head = 1'310'000;
  const Attacked block = attack(
      scene,
      {.name = "head", .angle = [=](std::uint64_t slot) { return slot < head ? std::optional(0.0) : std::nullopt; }},
      1);
  EXPECT_EQ(block.alice.aborted, Abort::TooManyRounds) << block.alice.length << " bits released, known " << block.known;
  EXPECT_EQ(block.bob.aborted, Abort::TooManyRounds);
  EXPECT_GT(block.known, 0.99 * static_cast<double>(kMaxKeyBits));
  EXPECT_EQ(block.alice.disclosed, 0U);
}

/// After a click only the other detector can click: without a common dead time the slots tell bits.
TEST(Attackers, read_no_bits_from_slots) {
  Scene scene{.post = {}, .slots = 200'000, .pairs = 0.1, .dead_of_detectors = 6};
  const Attacker nobody{.name = "nobody", .angle = [](std::uint64_t) -> std::optional<double> { return std::nullopt; }};
  EXPECT_GT(attack(scene, nobody, 1).told, 500U) << "the attack is one";
  scene.post.dead_slots = {6, 6};
  EXPECT_EQ(attack(scene, nobody, 1).told, 0U);
}

}  // namespace
}  // namespace qsp::e91::post

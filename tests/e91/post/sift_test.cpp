#include "e91/post/sift.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "e91/post/authentication_pad.hpp"
#include "e91/seed_of.hpp"
#include "qsp/openssl.hpp"

namespace qsp::e91::post {
namespace {

/// The roles must follow from the angles alone.
TEST(Sift, roles_follow_from_the_angles) {
  for (const Mode mode : {Mode::Biased, Mode::Classic}) {
    const auto alice = angles(mode, Side::Alice);
    const auto bob = angles(mode, Side::Bob);
    for (std::uint8_t a = 0; a < alice.size(); ++a) {
      for (std::uint8_t b = 0; b < bob.size(); ++b) {
        const double apart = std::abs(alice[a] - bob[b]);
        const RoundRole is = role(mode, a, b);
        if (is == RoundRole::Key || is == RoundRole::Phase) {
          EXPECT_NEAR(apart, 0, 1e-12);
        }
        if (is == RoundRole::Chsh) {
          EXPECT_NEAR(std::abs(std::cos(apart)), std::sqrt(0.5), 1e-12) << int{a} << " " << int{b};
        }
        if (apart < 1e-12) {
          EXPECT_TRUE(is == RoundRole::Key || is == RoundRole::Phase);
        }
      }
    }
  }
}

class SiftTest : public testing::TestWithParam<Mode> {
 protected:
  std::unique_ptr<crypto::Provider> provider_ = crypto::make_openssl_provider().value();

  Settings settings(Side side) {
    return Settings::create(*provider_, seed_of(side == Side::Alice ? 1 : 2), weights(GetParam(), side, 0.7)).value();
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, SiftTest, testing::Values(Mode::Biased, Mode::Classic));

TEST_P(SiftTest, both_shares_line_up_round_by_round) {
  constexpr std::uint64_t kSlots = 20'000;
  Clicks alice;
  Clicks bob;
  std::uint64_t both = 0;
  for (std::uint64_t slot = 0; slot < kSlots; ++slot) {
    // Bits that tell the slot, so that a round that is out of step shows; opposite, as a perfect singlet's.
    const bool bit = (slot * 2654435761U >> 7 & 1) != 0;
    if (slot % 3 != 0) alice.emplace_back(slot, bit);
    if (slot % 5 != 0) bob.emplace_back(slot, !bit);
    both += slot % 3 != 0 && slot % 5 != 0 ? 1 : 0;
  }
  Settings of_alice = settings(Side::Alice);
  Settings of_bob = settings(Side::Bob);
  const ClicksMessage announced = announce(bob, of_bob, kSlots);
  const auto at_alice = sift_alice(GetParam(), alice, of_alice, announced);
  ASSERT_TRUE(at_alice);
  const auto at_bob = sift_bob(GetParam(), bob, announced.setting, at_alice->answer);
  ASSERT_TRUE(at_bob);
  EXPECT_EQ(at_alice->sifted.shared, both);
  EXPECT_EQ(at_bob->shared, both);
  ASSERT_EQ(at_alice->sifted.key.size(), at_bob->key.size());
  EXPECT_GT(at_bob->key.size(), 1000U);
  EXPECT_EQ(distance(at_alice->sifted.key, at_bob->key), 0U) << "Bob inverts his";
  EXPECT_EQ(at_alice->sifted.pairs, at_bob->pairs);
  ASSERT_EQ(at_alice->sifted.tests.size(), at_bob->tests.size());
  EXPECT_EQ(distance(at_alice->sifted.tests, at_bob->tests), at_bob->tests.size()) << "test outcomes are raw";
  // Which rounds are the key's, found again from the settings alone.
  Settings again_alice = settings(Side::Alice);
  Settings again_bob = settings(Side::Bob);
  std::uint64_t key = 0;
  for (std::uint64_t slot = 0; slot < kSlots; ++slot) {
    if (slot % 3 == 0 || slot % 5 == 0) continue;
    key += role(GetParam(), again_alice.at(slot), again_bob.at(slot)) == RoundRole::Key ? 1 : 0;
  }
  EXPECT_EQ(key, at_bob->key.size());
}

TEST_P(SiftTest, refuses_settings_that_do_not_exist) {
  Settings of_alice = settings(Side::Alice);
  const Clicks clicks{Click(0, true)};
  const ClicksMessage announced{.slots = 1, .slot = {0}, .setting = {3}};
  EXPECT_EQ(sift_alice(GetParam(), clicks, of_alice, announced).has_value(), GetParam() == Mode::Biased);
  MatchesMessage matches{.shared = Bits(1), .setting = {3}};
  matches.shared.set(0, true);
  EXPECT_FALSE(sift_bob(GetParam(), clicks, {0}, matches)) << "no mode gives Alice four settings";
}

TEST(DeadTime, drops_what_follows_any_click_too_close_and_what_does_not_ascend) {
  const auto kept = [](std::initializer_list<std::uint64_t> slots, std::uint64_t dead) {
    Clicks clicks;
    for (const std::uint64_t slot : slots) clicks.emplace_back(slot, true);
    keep_live(clicks, dead);
    std::vector<std::uint64_t> left;
    for (const Click& click : clicks) left.push_back(click.slot());
    return left;
  };
  using Slots = std::vector<std::uint64_t>;
  EXPECT_EQ(kept({0, 1, 2, 5}, 0), (Slots{0, 1, 2, 5}));
  EXPECT_EQ(kept({0, 1, 2, 5}, 1), (Slots{0, 1, 2, 5}));
  EXPECT_EQ(kept({0, 1, 1, 0, 5}, 0), (Slots{0, 1, 5})) << "no slot twice, none out of order";
  EXPECT_EQ(kept({2, 3, 6, 9, 10, 12, 15}, 3), (Slots{6, 9, 15}))
      << "2 is too close to the start, 3 to 2, 12 to 10, which is dropped itself";
  EXPECT_TRUE(are_live(SlotList{3, 6, 9}, 3));
  EXPECT_FALSE(are_live(SlotList{2, 6, 9}, 3));
  EXPECT_FALSE(are_live(SlotList{3, 6, 8}, 3));
  EXPECT_TRUE(are_live(SlotList{0, 1}, 1));
}

TEST_P(SiftTest, tells_of_more_key_rounds_than_a_block_may_have) {
  const std::uint64_t slots = kMaxKeyBits + 1;
  Clicks clicks;
  for (std::uint64_t slot = 0; slot < slots; ++slot) clicks.emplace_back(slot, true);
  // The first pair of settings that is key in the mode.
  const std::uint8_t alice = GetParam() == Mode::Biased ? 0 : 1;
  SettingList of_bob(slots);
  MatchesMessage matches{.shared = Bits(slots), .setting = SettingList(slots)};
  for (std::uint64_t slot = 0; slot < slots; ++slot) {
    of_bob.push_back(0);
    matches.setting.push_back(alice);
    matches.shared.set(slot, true);
  }
  const auto too_many = sift_bob(GetParam(), clicks, of_bob, matches);
  ASSERT_TRUE(too_many);
  EXPECT_TRUE(too_many->too_many);
  EXPECT_EQ(too_many->key.size(), 0U);
  matches.shared.set(slots - 1, false);
  const auto as_many = sift_bob(GetParam(), clicks, of_bob, matches);
  ASSERT_TRUE(as_many);
  EXPECT_FALSE(as_many->too_many);
  EXPECT_EQ(as_many->key.size(), kMaxKeyBits);
}

TEST(AuthenticationPad, gives_each_byte_once_and_in_order) {
  std::vector<std::uint8_t> bytes(2 * AuthenticationPad::kBlockCost);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  AuthenticationPad pad(bytes);
  for (std::size_t block = 0; block < 2; ++block) {
    const auto keys = pad.take();
    ASSERT_TRUE(keys);
    const std::size_t at = block * AuthenticationPad::kBlockCost;
    EXPECT_EQ(keys->position, at);
    EXPECT_EQ(keys->keys[0].reveal().front(), at);
    EXPECT_EQ(keys->keys[1].reveal().front(), at + 16);
    EXPECT_EQ(keys->pads[0].reveal().front(), at + 32);
    EXPECT_EQ(keys->pads[1].reveal().back(), at + 63);
    EXPECT_EQ(keys->word.front(), at + 64);
    EXPECT_EQ(keys->word.back(), at + 79);
  }
  EXPECT_FALSE(pad.take()) << "an empty pad gives nothing";
  EXPECT_EQ(pad.refill(bytes), bytes.size());
  EXPECT_TRUE(pad.take());
  EXPECT_EQ(pad.position(), 3 * AuthenticationPad::kBlockCost);
}

TEST(AuthenticationPad, skips_forwards_only_and_not_past_its_end) {
  AuthenticationPad pad(std::vector<std::uint8_t>(AuthenticationPad::kBootstrap, 1));
  EXPECT_TRUE(pad.skip_to(32));
  EXPECT_FALSE(pad.skip_to(16));
  EXPECT_FALSE(pad.skip_to(AuthenticationPad::kBootstrap + 1));
  EXPECT_EQ(pad.position(), 32U);
  EXPECT_EQ(pad.left(), AuthenticationPad::kBootstrap - 32);
}

TEST(AuthenticationPad, keeps_no_more_than_its_capacity) {
  AuthenticationPad pad(std::vector<std::uint8_t>(AuthenticationPad::kBootstrap, 1));
  EXPECT_EQ(pad.refill(std::vector<std::uint8_t>(5000, 2)),
            AuthenticationPad::kCapacity - AuthenticationPad::kBootstrap);
  EXPECT_EQ(pad.left(), AuthenticationPad::kCapacity);
}

}  // namespace
}  // namespace qsp::e91::post

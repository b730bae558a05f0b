// The keys of the simulated quantum link: what is reconciled, hashed and authenticated with.

#include <array>
#include <bit>
#include <vector>

#include "constant_time/provider.hpp"
#include "constant_time/watch.hpp"
#include "e91/cascade/oracle.hpp"
#include "e91/hashing/tag.hpp"
#include "e91/hashing/toeplitz.hpp"
#include "e91/hashing/verification.hpp"
#include "e91/post/authentication_pad.hpp"
#include "e91/post/sift.hpp"

namespace qsp::test {
namespace {

using namespace e91;

Bytes bytes_of(const Bits& bits) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(bits.words().data()), bits.words().size_bytes()};
}

/// So many bits, of which the last word's end stays zero.
Bits some_bits(std::size_t size) {
  Bits bits(size);
  for (std::size_t i = 0; i < size; ++i) bits.set(i, i * i % 7 < 3);
  return bits;
}

Bits secret_bits(std::size_t size) {
  Bits bits = some_bits(size);
  mark_secret(bytes_of(bits));
  return bits;
}

TEST_F(ConstantTime, of_one_time_tags) {
  const std::vector<std::uint8_t> message(100, 5);
  for (const hashing::Carryless& form : hashing::carryless_forms()) {
    hashing::TagKey key;
    mark_secret(key.reveal());
    const auto tag = [&](std::uint8_t first) {
      hashing::TagPad pad;
      pad.writable()[0] = first;
      mark_secret(pad.reveal());
      return pad;
    };
    hashing::TagStream given(key, Side::Alice, 3, form);
    ASSERT_TRUE(given.update(message));
    auto made = std::move(given).finish(tag(9));
    ASSERT_TRUE(made);
    EXPECT_TRUE(is_secret(*made)) << form.name;
    declare_public(*made);  // a tag on its way
    for (const std::uint8_t first : {std::uint8_t{9}, std::uint8_t{8}}) {
      hashing::TagStream taken(key, Side::Alice, 3, form);
      ASSERT_TRUE(taken.update(message));
      EXPECT_EQ(std::move(taken).verify(tag(first), *made).has_value(), first == 9) << form.name;
    }
  }
}

TEST_F(ConstantTime, of_the_pad_that_tags_are_taken_from) {
  std::vector<std::uint8_t> bytes(2 * post::AuthenticationPad::kBlockCost, 7);
  mark_secret(Bytes(bytes));
  post::AuthenticationPad pad{Bytes(bytes)};
  auto taken = pad.take();
  ASSERT_TRUE(taken);
  EXPECT_TRUE(is_secret(taken->keys[1].reveal()) && is_secret(taken->pads[0].reveal()) && is_secret(taken->word));
  EXPECT_EQ(pad.refill(bytes), bytes.size());
  EXPECT_TRUE(pad.skip_to(pad.position() + 40));
  EXPECT_EQ(pad.left(), 200U);
  ASSERT_TRUE(pad.take());
}

TEST_F(ConstantTime, of_privacy_amplification) {
  for (const hashing::Carryless& form : hashing::carryless_forms()) {
    const Bits key = secret_bits(1000);
    const Bits seed = some_bits(1000 + 300 - 1);  // public: told to everybody once reconciliation is done
    const auto out = hashing::toeplitz(key, seed, 300, form);
    ASSERT_TRUE(out);
    EXPECT_TRUE(is_secret(bytes_of(*out))) << form.name;
    std::vector<std::uint8_t> bytes = out->to_bytes();
    EXPECT_TRUE(is_secret(bytes));
    const Bits again = Bits::from_bytes(bytes, 300);
    EXPECT_TRUE(constant_time_equal(bytes_of(again), bytes_of(*out)));
  }
}

TEST_F(ConstantTime, of_the_hash_that_two_keys_are_compared_by) {
  const Bits key = secret_bits(1000);
  for (const hashing::Carryless& form : hashing::carryless_forms()) {
    const std::uint64_t hash = hashing::verification_hash(key, 0x123456789ABCDEF, form);
    EXPECT_TRUE(is_secret(Bytes(reinterpret_cast<const std::uint8_t*>(&hash), sizeof hash))) << form.name;
  }
}

/// A station's clicks: their slots are told to everybody, the bit of each is raw key.
Clicks secret_clicks(std::uint64_t slots, std::uint64_t leave_out) {
  Clicks clicks;
  for (std::uint64_t slot = 0; slot < slots; ++slot) {
    if (slot % leave_out != 0) clicks.emplace_back(slot, slot % 7 < 3);
  }
  static_assert(std::endian::native == std::endian::little && sizeof(Click) == 8);
  for (const Click& click : clicks) mark_secret(reinterpret_cast<const std::uint8_t&>(click), 1);
  return clicks;
}

TEST_F(ConstantTime, of_sifting) {
  const auto provider = make_secret_provider(4);
  for (const Mode mode : {Mode::Biased, Mode::Classic}) {
    Clicks alice = secret_clicks(4000, 3), bob = secret_clicks(4000, 5);
    for (Clicks* const clicks : {&alice, &bob}) post::keep_live(*clicks, 1);
    auto of_alice = Settings::create(*provider, Seed(), weights(mode, Side::Alice, 0.7));
    Seed other;
    other.writable()[0] = 1;
    auto of_bob = Settings::create(*provider, std::move(other), weights(mode, Side::Bob, 0.7));
    ASSERT_TRUE(of_alice && of_bob);
    const post::ClicksMessage announced = post::announce(bob, *of_bob, 4000);
    const auto at_alice = post::sift_alice(mode, alice, *of_alice, announced);
    ASSERT_TRUE(at_alice);
    const auto at_bob = post::sift_bob(mode, bob, announced.setting, at_alice->answer);
    ASSERT_TRUE(at_bob);
    EXPECT_TRUE(is_secret(bytes_of(at_alice->sifted.key)) && is_secret(bytes_of(at_bob->key)));
  }
}

/// Alice's end of reconciliation. Bob's questions are public, and follow from where his key differs from hers.
TEST_F(ConstantTime, of_the_parities_that_alice_answers_with) {
  using namespace cascade;
  const auto provider = make_secret_provider(5);
  constexpr std::size_t kSize = 5000;
  auto oracle = ParityOracle::create(*provider, secret_bits(kSize), Seed(), 10'000);
  ASSERT_TRUE(oracle);
  QueryBatch batch;
  std::uint8_t pass = 0;
  for (const Layout layout : {Layout::Natural, Layout::Shuffled, Layout::Subset}) {
    batch.groups.push_back({.ask = Ask::Open,
                            .pass = pass++,
                            .level = 4,
                            .layout = layout,
                            .count = nodes_of(places_of(layout, kSize), 4)});
  }
  batch.groups.push_back({.ask = Ask::Halves, .pass = 0, .level = 4, .layout = {}, .count = 3});
  batch.nodes = {1, 2, 300};
  batch.groups.push_back({.ask = Ask::Syndromes, .pass = 1, .level = 3, .layout = {}, .count = 2});
  batch.nodes.insert(batch.nodes.end(), {0, 17});
  const auto answers = oracle->answer(batch);
  ASSERT_TRUE(answers);
  EXPECT_TRUE(is_secret(bytes_of(*answers)));
  const Bits key = std::move(*oracle).take_key();
  EXPECT_TRUE(is_secret(bytes_of(key)));
}

}  // namespace
}  // namespace qsp::test

#include "e91/station/station.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "e91/seed_of.hpp"
#include "e91/seeded.hpp"
#include "e91/station/source.hpp"
#include "qsp/openssl.hpp"

namespace qsp::e91::station {
namespace {

using Buffer = std::vector<std::uint8_t>;
using std::chrono::seconds;

/// A world whose wires are queues.
struct World final : StationWorld {
  void to_peer(Buffer message) override { peer.push_back(std::move(message)); }
  void to_link(SecretBytes message) override { link.emplace_back(message.reveal().begin(), message.reveal().end()); }
  void end_pairing(std::string_view why) override { ended.emplace_back(why); }
  void block_done(const post::BlockReport& report, std::vector<party::FinalKey>&& brought) override {
    reports.push_back(report);
    for (party::FinalKey& key : brought) keys.push_back(std::move(key));
  }
  [[nodiscard]] Owners wanted() const override { return room; }

  std::deque<Buffer> peer, link;
  std::vector<std::string> ended;
  std::vector<post::BlockReport> reports;
  std::vector<party::FinalKey> keys;
  Owners room = kBothOwners;
};

link::LinkConfig quick_link() {
  link::LinkConfig config;
  config.statistics = link::PairStatistics::Single;
  config.mean_pairs = 1;
  config.slots_per_s = 1e6;
  config.visibility = 0.98;
  config.p_z = 0.7;  // small blocks need a larger share of tests
  return config;
}

/// Two stations and a source, all in memory. Every photon, setting and key follows from one seed, so that no test fails
/// by chance.
class Stations : public testing::Test {
 protected:
  void SetUp() override {
    library = std::move(*crypto::make_openssl_provider());
    provider = std::move(*make_seeded_provider(*library, seed_of(1)));
    const link::LinkConfig link = quick_link();
    plan = {.post = {}, .p_z = link.p_z, .slots = slots_of_block(link, 60'000)};
    source = std::make_unique<Source>(*Source::create(*provider, link, *EveChoice::make("none", "")));
    alice = std::make_unique<StationMachine>(*provider, at_alice, Side::Alice, plan, seconds(60));
    StationPlan of_bob = plan;
    of_bob.slots = 1;  // hers counts
    bob = std::make_unique<StationMachine>(*provider, at_bob, Side::Bob, of_bob, seconds(60));
  }

  void pair(std::uint8_t name) {
    const Buffer bootstrap(post::AuthenticationPad::kBootstrap, 5);
    at_alice.peer.clear();
    at_bob.peer.clear();
    bob->paired({name}, bootstrap, now);
    alice->paired({name}, bootstrap, now);
  }
  void links_up() {
    alice->set_link(true, now);
    bob->set_link(true, now);
  }

  /// Passes messages on until nothing moves, or so many blocks are done at Alice, and those at Bob too.
  void settle(std::size_t blocks) {
    for (bool moved = true; moved && (at_alice.reports.size() < blocks || at_bob.reports.size() < blocks);) {
      moved = false;
      if (!at_alice.peer.empty()) moved = true, bob->peer_said(pop(at_alice.peer), now);
      if (!at_bob.peer.empty()) moved = true, alice->peer_said(pop(at_bob.peer), now);
      if (!at_alice.link.empty()) moved = true, order(Side::Alice, pop(at_alice.link));
      if (!at_bob.link.empty()) moved = true, order(Side::Bob, pop(at_bob.link));
    }
  }
  void order(Side side, const Buffer& message) {
    auto answers = source->order(side, message);
    ASSERT_TRUE(answers.has_value());
    if (!*answers) return;
    // Alice's comes first, so what she says of the block is at Bob before his clicks are.
    alice->link_said((*answers)->message[0].reveal(), now);
    if (!at_alice.peer.empty()) bob->peer_said(pop(at_alice.peer), now);
    bob->link_said((*answers)->message[1].reveal(), now);
  }
  static Buffer pop(std::deque<Buffer>& queue) {
    Buffer front = std::move(queue.front());
    queue.pop_front();
    return front;
  }
  void expect_equal_keys() const {
    ASSERT_EQ(at_alice.keys.size(), at_bob.keys.size());
    for (std::size_t i = 0; i < at_alice.keys.size(); ++i) {
      EXPECT_EQ(at_alice.keys[i].id, at_bob.keys[i].id);
      EXPECT_TRUE(constant_time_equal(at_alice.keys[i].key.reveal(), at_bob.keys[i].key.reveal()));
    }
  }

  Instant now{seconds(1000)};
  std::unique_ptr<crypto::Provider> library, provider;
  StationPlan plan;
  std::unique_ptr<Source> source;
  World at_alice, at_bob;
  std::unique_ptr<StationMachine> alice, bob;
};

TEST_F(Stations, make_the_same_keys_block_after_block) {
  pair(1);
  links_up();
  settle(3);
  ASSERT_EQ(at_alice.reports.size(), 3U);
  EXPECT_FALSE(at_alice.keys.empty());
  expect_equal_keys();
  EXPECT_TRUE(at_alice.ended.empty());
  EXPECT_TRUE(at_bob.ended.empty());
}

TEST_F(Stations, wait_for_the_link_of_either) {
  pair(1);
  alice->set_link(true, now);
  settle(1);
  EXPECT_TRUE(at_alice.reports.empty());
  bob->set_link(true, now);
  settle(1);
  EXPECT_EQ(at_alice.reports.size(), 1U);
}

TEST_F(Stations, keep_keys_of_the_owners_that_both_have_room_for) {
  at_alice.room = kBothOwners;
  at_bob.room = kOwnerB;
  pair(1);
  links_up();
  settle(2);
  ASSERT_FALSE(at_alice.keys.empty());
  expect_equal_keys();
  for (const party::FinalKey& key : at_alice.keys) EXPECT_EQ(owner_of(key), kOwnerB);
}

TEST_F(Stations, make_nothing_where_there_is_no_room_and_go_on_when_there_is) {
  at_alice.room = kOwnerA;
  at_bob.room = kOwnerB;
  pair(1);
  links_up();
  settle(1);
  EXPECT_TRUE(at_alice.reports.empty());
  at_alice.room = kBothOwners;
  alice->tick(now);
  settle(1);
  EXPECT_EQ(at_alice.reports.size(), 1U);
  expect_equal_keys();
}

TEST_F(Stations, a_new_session_is_a_new_pairing) {
  pair(1);
  links_up();
  settle(1);
  const auto first = at_alice.keys.front().id;
  pair(2);
  settle(2);
  ASSERT_EQ(at_alice.reports.size(), 2U);
  expect_equal_keys();
  EXPECT_EQ(std::ranges::count(at_alice.keys, first, &party::FinalKey::id), 1);
}

TEST_F(Stations, another_pad_is_noticed_and_no_key_is_released) {
  bob->paired({1}, Buffer(post::AuthenticationPad::kBootstrap, 5), now);
  alice->paired({1}, Buffer(post::AuthenticationPad::kBootstrap, 6), now);
  links_up();
  settle(1);
  ASSERT_EQ(at_alice.reports.size(), 1U);
  EXPECT_EQ(at_alice.reports[0].aborted, post::Abort::Authentication);
  EXPECT_TRUE(at_alice.keys.empty());
  EXPECT_TRUE(at_bob.keys.empty());
  EXPECT_EQ(at_alice.ended.size(), 1U);
}

TEST_F(Stations, an_attacked_link_gives_nothing_and_is_left_alone_for_a_while) {
  source = std::make_unique<Source>(*Source::create(*provider, quick_link(), *EveChoice::make("intercept:1", "")));
  pair(1);
  links_up();
  settle(5);
  ASSERT_EQ(at_alice.reports.size(), 1U);
  EXPECT_TRUE(at_alice.reports[0].aborted.has_value());
  const auto& chsh = at_alice.reports[0].tests.chsh;
  ASSERT_TRUE(chsh.has_value());
  EXPECT_NEAR(std::abs(chsh->value), std::sqrt(2), 5 * chsh->deviation);
  EXPECT_TRUE(at_alice.keys.empty());
  // Each end gave the block up by itself and told the other, for whom it was over by then.
  EXPECT_TRUE(at_alice.ended.empty() && at_bob.ended.empty());
  now += kPauseAfterAbort;
  alice->tick(now);
  bob->tick(now);
  settle(2);
  EXPECT_EQ(at_alice.reports.size(), 2U);
}

TEST_F(Stations, a_block_that_takes_too_long_ends_the_pairing) {
  pair(1);
  links_up();
  bob->peer_said(pop(at_alice.peer), now);
  bob->peer_said(pop(at_alice.peer), now);
  alice->peer_said(pop(at_bob.peer), now);
  alice->tick(now + seconds(59));
  EXPECT_TRUE(at_alice.ended.empty());
  alice->tick(now + seconds(61));
  EXPECT_EQ(at_alice.ended.size(), 1U);
  EXPECT_FALSE(alice->is_paired());
}

TEST_F(Stations, a_link_that_goes_away_in_a_block_ends_the_pairing) {
  pair(1);
  links_up();
  bob->peer_said(pop(at_alice.peer), now);
  bob->peer_said(pop(at_alice.peer), now);
  ASSERT_FALSE(at_bob.link.empty());
  bob->set_link(false, now);
  EXPECT_EQ(at_bob.ended.size(), 1U);
}

TEST_F(Stations, answers_to_an_earlier_pairing_are_not_taken) {
  pair(1);
  links_up();
  bob->peer_said(pop(at_alice.peer), now);
  bob->peer_said(pop(at_alice.peer), now);
  alice->peer_said(pop(at_bob.peer), now);
  const auto none = source->order(Side::Alice, pop(at_alice.link));
  ASSERT_FALSE(none->has_value());
  const auto late = source->order(Side::Bob, pop(at_bob.link));
  ASSERT_TRUE(late->has_value());
  pair(2);
  alice->link_said((*late)->message[0].reveal(), now);
  bob->link_said((*late)->message[1].reveal(), now);
  settle(1);
  EXPECT_EQ(at_alice.reports.size(), 1U);
  expect_equal_keys();
  EXPECT_TRUE(at_alice.ended.empty());
}

TEST_F(Stations, messages_out_of_turn_end_the_pairing) {
  const Buffer plan_message = encode(ClassicalMessage(plan));
  const Buffer invitation = encode(ClassicalMessage(Invitation{.block = 0, .wanted = kBothOwners}));
  const Buffer acceptance = encode(ClassicalMessage(Acceptance{.block = 0, .kept = kBothOwners}));
  const Buffer block = encode(ClassicalMessage(BlockMessage{{1, 2, 3}}));
  for (const Buffer& message : {plan_message, invitation, acceptance, block, Buffer{99}}) {
    pair(1);
    alice->peer_said(message, now);
    EXPECT_FALSE(alice->is_paired());
  }
  for (const Buffer& message : {invitation, acceptance, block, Buffer{}}) {
    pair(1);
    bob->peer_said(message, now);
    EXPECT_FALSE(bob->is_paired());
  }
  pair(1);
  bob->peer_said(plan_message, now);
  bob->peer_said(plan_message, now);
  EXPECT_FALSE(bob->is_paired());
}

TEST_F(Stations, another_plan_is_refused) {
  StationPlan lax = plan;
  lax.post.bell_floor = 2.0;
  pair(1);
  bob->peer_said(encode(ClassicalMessage(lax)), now);
  EXPECT_FALSE(bob->is_paired());
  ASSERT_EQ(at_bob.ended.size(), 1U);
}

TEST_F(Stations, a_link_of_other_settings_declines) {
  link::LinkConfig other = quick_link();
  other.p_z = 0.8;
  source = std::make_unique<Source>(*Source::create(*provider, other, *EveChoice::make("none", "")));
  pair(1);
  links_up();
  settle(1);
  EXPECT_TRUE(at_alice.reports.empty());
  ASSERT_FALSE(at_alice.ended.empty());
  EXPECT_NE(at_alice.ended[0].find("declines"), std::string::npos);
}

TEST_F(Stations, an_order_of_another_pairing_is_replaced_not_played) {
  const Order order{
      .block = {.pairing = {1}, .number = 0}, .mode = plan.post.mode, .p_z = plan.p_z, .slots = 10, .seed = Seed()};
  const Order other{
      .block = {.pairing = {2}, .number = 0}, .mode = plan.post.mode, .p_z = plan.p_z, .slots = 10, .seed = Seed()};
  EXPECT_FALSE(source->order(Side::Alice, encode(order))->has_value());
  EXPECT_FALSE(source->order(Side::Bob, encode(other))->has_value());
  EXPECT_TRUE(source->order(Side::Alice, encode(other))->has_value());
  EXPECT_FALSE(source->order(Side::Alice, Buffer(10, 1)).has_value());
}

}  // namespace
}  // namespace qsp::e91::station

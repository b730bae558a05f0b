// What a rekey does for the two ends: no byte lost, who moves when, and what starts one (SPEC §7).
#include <gtest/gtest.h>

#include "channel/kmes.hpp"
#include "channel/malicious.hpp"
#include "channel/traffic.hpp"

namespace qsp::test {
namespace {

using std::chrono::seconds;

// SPEC §7.4.
TEST(Rekey, each_end_moves_at_its_own_step) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  const auto epochs = [&] { return std::pair(pair->at(Role::Client).epoch(), pair->at(Role::Server).epoch()); };
  const auto events = [&](Role role) { return pair->seen(role).epochs.size(); };
  const auto status = [&](Role role) { return channel(*pair, role).status(); };
  const std::string first_key = status(Role::Server).current.key_id.value();

  ASSERT_TRUE(pair->rekey(Role::Server));
  EXPECT_EQ(epochs(), std::pair(1U, 1U)) << "the server waits for its KME";
  EXPECT_TRUE(status(Role::Server).rekey_pending);
  EXPECT_FALSE(status(Role::Client).rekey_pending);
  ASSERT_TRUE(world.answer(*pair, Role::Server));
  ASSERT_TRUE(pair->deliver(Role::Server));
  EXPECT_EQ(epochs(), std::pair(1U, 1U)) << "INIT has arrived, and the client waits for its KME";
  EXPECT_TRUE(status(Role::Client).rekey_pending);

  pair->advance(seconds(1));
  ASSERT_TRUE(world.answer(*pair, Role::Client));
  EXPECT_EQ(epochs(), std::pair(2U, 1U)) << "the client commits with its ACK";
  EXPECT_EQ(events(Role::Client), 0U) << "but does not know yet that the server has moved";
  EXPECT_EQ(status(Role::Client).current.epoch, 2U);
  EXPECT_EQ(status(Role::Client).current.confirmed, Instant::zero());
  EXPECT_EQ(status(Role::Client).previous.value().key_id, first_key);
  EXPECT_TRUE(status(Role::Client).rekey_pending);

  pair->advance(seconds(1));
  ASSERT_TRUE(pair->deliver(Role::Client));
  EXPECT_EQ(epochs(), std::pair(2U, 2U)) << "the server commits when confirm verifies";
  EXPECT_EQ(events(Role::Server), 1U);
  EXPECT_EQ(status(Role::Server).current.confirmed, pair->now());
  EXPECT_FALSE(status(Role::Server).rekey_pending);

  pair->advance(seconds(1));
  ASSERT_TRUE(pair->deliver(Role::Server));
  EXPECT_EQ(events(Role::Client), 1U) << "DONE has arrived";
  EXPECT_EQ(status(Role::Client).current.confirmed, pair->now());
  EXPECT_FALSE(status(Role::Client).rekey_pending);
  EXPECT_EQ(status(Role::Client).current.key_id, status(Role::Server).current.key_id);
  EXPECT_NE(status(Role::Client).current.key_id, first_key);
  EXPECT_TRUE(status(Role::Client).current.kem);
  EXPECT_EQ(pair->defect(), "");
}

// SPEC §2.5, Appendix B 24.
TEST(Rekey, data_goes_on_while_either_end_waits_for_its_kme) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  Traffic traffic(*pair);
  ASSERT_TRUE(pair->rekey(Role::Server));
  for (int i = 0; i < 100; ++i) traffic.send_both();
  pair->run();
  traffic.expect_all_arrived();
  ASSERT_TRUE(world.answer(*pair, Role::Server));
  for (int i = 0; i < 100; ++i) traffic.send_both();
  pair->run();
  traffic.expect_all_arrived();
  ASSERT_EQ(pair->seen(Role::Client).qkd.size(), 2U);
  for (const Role role : kBoth) EXPECT_EQ(pair->at(role).epoch(), 1U);
  world.run_with_keys(*pair);
  for (const Role role : kBoth) EXPECT_EQ(pair->at(role).epoch(), 2U);
}

// The two epochs that a client accepts, and the one of a server (SPEC §7.4).

class Epochs : public testing::Test {
 protected:
  Epochs() : pair(established_with_log(world, insider)) {}

  /// Rekeys up to, but not including, the delivery of what this end has sent last.
  void rekey_until_sent_by(Role last) {
    ASSERT_TRUE(pair->rekey(Role::Server));
    ASSERT_TRUE(pair->deliver(Role::Server));
    if (last == Role::Client) return;
    ASSERT_TRUE(pair->deliver(Role::Client));
  }
  Reason reason_at(Role role) { return pair->seen(role).closed.value_or(Closed{Reason::Normal, ""}).reason; }
  MaliciousEnd forger(Role role) { return {*pair, role, insider}; }

  World world;
  Insider insider{*world.client_provider};
  std::unique_ptr<Pair> pair;
};

// SPEC §7.4.
TEST_F(Epochs, old_epoch_frames_after_commit_are_refused) {
  rekey_until_sent_by(Role::Client);
  ASSERT_TRUE(pair->deliver(Role::Client));
  ASSERT_EQ(pair->at(Role::Server).epoch(), 2U);
  auto client = forger(Role::Client);
  client.epoch = 1;
  client.send(wire::FrameType::AppData, as_bytes("late"));
  EXPECT_EQ(reason_at(Role::Server), Reason::EpochMismatch);
  EXPECT_TRUE(pair->seen(Role::Server).data.empty());
}

TEST_F(Epochs, old_epoch_frames_after_done_are_refused) {
  rekey_until_sent_by(Role::Server);
  ASSERT_TRUE(pair->deliver(Role::Server));
  auto server = forger(Role::Server);
  server.epoch = 1;
  server.send(wire::FrameType::AppData, as_bytes("late"));
  EXPECT_EQ(reason_at(Role::Client), Reason::EpochMismatch);
  EXPECT_TRUE(pair->seen(Role::Client).data.empty());
}

TEST_F(Epochs, old_epoch_frames_before_done_are_data) {
  ASSERT_TRUE(pair->rekey(Role::Server));
  ASSERT_TRUE(pair->deliver(Role::Server));
  ASSERT_TRUE(pair->send(Role::Server, "under epoch 1"));
  ASSERT_EQ(pair->at(Role::Client).epoch(), 2U);
  ASSERT_TRUE(pair->deliver(Role::Server));
  EXPECT_EQ(as_text(pair->seen(Role::Client).received()), "under epoch 1");
  EXPECT_EQ(channel(*pair, Role::Client).status().previous.value().bytes_received, 13U + 1'260U)
      << "data, and an INIT of 44 bytes with a share of 1,216 and an empty key_ID, are counted to the epoch they used";
}

TEST_F(Epochs, the_epoch_after_next_is_refused) {
  rekey_until_sent_by(Role::Client);
  auto server = forger(Role::Server);
  Frame frame = server.seal(wire::FrameType::Rekey, as_bytes("RK10"));
  frame[13] = 3;  // the epoch's last byte
  pair->inject(Role::Client, frame);
  EXPECT_EQ(reason_at(Role::Client), Reason::EpochMismatch);
}

TEST_F(Epochs, the_next_epoch_is_refused_before_it_is_agreed) {
  for (const Role role : kBoth) {
    const auto fresh = established_with_log(world, insider);
    MaliciousEnd sender(*fresh, role, insider);
    Frame frame = sender.seal(wire::FrameType::AppData, as_bytes("early"));
    frame[13] = 2;
    fresh->inject(other(role), frame);
    ASSERT_TRUE(fresh->seen(other(role)).closed);
    EXPECT_EQ(fresh->seen(other(role)).closed->reason, Reason::EpochMismatch);
  }
}

// SPEC §7.4.
TEST_F(Epochs, the_first_server_frame_of_an_epoch_that_is_not_done_is_refused) {
  constexpr std::array<std::uint8_t, wire::kMaterialSize> kZeros{};
  const std::array messages{
      wire::RekeyMessage(wire::RekeyInit{.new_epoch = 3, .material = kZeros, .kem_public_key = {}, .key_id = {}}),
      wire::RekeyMessage(wire::RekeyDone{3}), wire::RekeyMessage(wire::RekeyDone{1})};
  for (const wire::RekeyMessage& message : messages) {
    const auto fresh = established_with_log(world, insider);
    ASSERT_TRUE(fresh->rekey(Role::Server));
    ASSERT_TRUE(fresh->deliver(Role::Server));
    MaliciousEnd server(*fresh, Role::Server, insider);
    server.epoch = 2;
    server.send(message);
    ASSERT_TRUE(fresh->seen(Role::Client).closed);
    EXPECT_EQ(fresh->seen(Role::Client).closed->reason, Reason::ProtocolError);
    EXPECT_TRUE(fresh->seen(Role::Client).epochs.empty());
  }
  for (const wire::FrameType type : {wire::FrameType::AppData, wire::FrameType::Close}) {
    const auto fresh = established_with_log(world, insider);
    ASSERT_TRUE(fresh->rekey(Role::Server));
    ASSERT_TRUE(fresh->deliver(Role::Server));
    MaliciousEnd server(*fresh, Role::Server, insider);
    server.epoch = 2;
    const std::array<std::uint8_t, 2> normal{};
    server.send(type, normal);
    ASSERT_TRUE(fresh->seen(Role::Client).closed);
    EXPECT_EQ(fresh->seen(Role::Client).closed->reason, Reason::ProtocolError);
    EXPECT_FALSE(fresh->seen(Role::Client).closed->by_peer);
    EXPECT_TRUE(fresh->seen(Role::Client).data.empty());
  }
}

// What starts a rekey (SPEC §7.6).

struct Trigger {
  const char* name;
  Role who;
  void (*configure)(RekeyPolicy&);
  Role sender;  ///< of the frames that pull it
  int frames;   ///< of ten bytes, that do not pull it yet
};

class Triggers : public testing::TestWithParam<Trigger> {};

TEST_P(Triggers, start_a_rekey_exactly_at_their_limit_and_once) {
  World world;
  const Trigger& trigger = GetParam();
  trigger.configure(trigger.who == Role::Client ? world.client.rekey : world.server.rekey);
  const auto pair = world.established();
  for (int i = 0; i < trigger.frames; ++i) {
    ASSERT_TRUE(pair->send(trigger.sender, "ten bytes."));
    pair->run();
    ASSERT_EQ(pair->at(Role::Server).epoch(), 1U) << "after frame " << i;
  }
  ASSERT_TRUE(pair->send(trigger.sender, "ten bytes."));
  pair->run();
  for (const Role role : kBoth) {
    EXPECT_EQ(pair->at(role).epoch(), 2U);
    EXPECT_FALSE(channel(*pair, role).status().rekey_pending);
  }
  EXPECT_EQ(pair->defect(), "");
}

constexpr auto kFive = [](RekeyPolicy& policy) { policy.frames = 5; };
constexpr auto kFifty = [](RekeyPolicy& policy) { policy.bytes = 50; };
INSTANTIATE_TEST_SUITE_P(Rekey, Triggers,
                         testing::Values(Trigger{"server_frames_sent", Role::Server, kFive, Role::Server, 4},
                                         Trigger{"server_frames_received", Role::Server, kFive, Role::Client, 4},
                                         Trigger{"client_frames_sent", Role::Client, kFive, Role::Client, 4},
                                         Trigger{"client_frames_received", Role::Client, kFive, Role::Server, 4},
                                         Trigger{"server_bytes_sent", Role::Server, kFifty, Role::Server, 4},
                                         Trigger{"server_bytes_received", Role::Server, kFifty, Role::Client, 4},
                                         Trigger{"client_bytes_sent", Role::Client, kFifty, Role::Client, 4},
                                         Trigger{"client_bytes_received", Role::Client, kFifty, Role::Server, 4}),
                         [](const auto& trigger) { return std::string(trigger.param.name); });

TEST(Rekey, every_trigger_at_once_on_both_ends_loses_nothing) {
  World world(QkdPolicy::Preferred);
  for (RekeyPolicy* policy : {&world.client.rekey, &world.server.rekey}) {
    policy->frames = 3;
    policy->bytes = 60;
  }
  const auto pair = world.established();
  Traffic traffic(*pair);
  for (int round = 0; round < 500; ++round) {
    traffic.send_both();
    if (round % 3 == 0) pair->deliver(Role::Client);
    if (round % 5 == 0) world.answer(*pair, Role::Server);
    if (round % 7 == 0) world.run_with_keys(*pair);
    pair->advance(seconds(1));
  }
  world.run_with_keys(*pair);
  EXPECT_GT(pair->at(Role::Server).epoch(), 50U);
  traffic.expect_all_arrived();
  EXPECT_EQ(pair->defect(), "");
}

// SPEC Appendix B 18.
TEST(Rekey, each_epoch_has_its_own_triggers) {
  World world;
  world.server.rekey.frames = 5;
  const auto pair = world.established();
  for (std::uint32_t epoch = 1; epoch < 20; ++epoch) {
    ASSERT_EQ(pair->at(Role::Server).epoch(), epoch);
    // Client to server, so that DONE is not among the frames counted.
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(pair->send(Role::Client, "x"));
    pair->run();
  }
}

TEST(Rekey, asking_again_while_one_is_pending_changes_nothing) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(pair->rekey(Role::Server));
    ASSERT_TRUE(pair->rekey(Role::Client));
  }
  world.run_with_keys(*pair);
  for (const Role role : kBoth) EXPECT_EQ(pair->at(role).epoch(), 2U);
  EXPECT_EQ(pair->seen(Role::Server).qkd.size(), 2U) << "the handshake's and one more";
}

// SPEC §7.3: "send REQ, at most one in an epoch", §7.6: none from INIT to DONE.
TEST(Rekey, a_client_asks_once_in_an_epoch_and_not_while_a_rekey_is_under_way) {
  World world;
  const auto pair = world.established();
  const auto frames = [&] { return pair->made(Role::Client).size(); };
  std::size_t before = frames();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(pair->rekey(Role::Client));
  EXPECT_EQ(frames(), before + 1);
  pair->run();
  ASSERT_EQ(pair->at(Role::Client).epoch(), 2U);
  ASSERT_TRUE(pair->rekey(Role::Server));
  ASSERT_TRUE(pair->deliver(Role::Server)) << "INIT";
  before = frames();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(pair->rekey(Role::Client));
  EXPECT_EQ(frames(), before) << "DONE is awaited";
}

TEST(Rekey, the_status_says_that_a_request_is_pending_at_both_ends) {
  World world;
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Client));
  EXPECT_TRUE(channel(*pair, Role::Client).status().rekey_pending);
  pair->run();
  ASSERT_TRUE(pair->rekey(Role::Client));  // within ten seconds of the first: it waits
  pair->run();
  for (const Role role : kBoth) EXPECT_TRUE(channel(*pair, role).status().rekey_pending);
  EXPECT_EQ(pair->at(Role::Server).epoch(), 2U);
}

}  // namespace
}  // namespace qsp::test

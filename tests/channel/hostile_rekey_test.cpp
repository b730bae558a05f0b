// A peer, or an attacker with old keys, that breaks the rules of a rekey (SPEC §7.3, §7.4).
#include <gtest/gtest.h>

#include "channel/stage.hpp"

namespace qsp::test {
namespace {

using wire::FrameType;

/// Data of the puppet in an epoch of the test's choice, at the count that is next.
Frame data_in(Stage& stage, std::uint32_t epoch) {
  wire::FrameHeader header = stage.puppet().next_header(FrameType::AppData);
  header.epoch = epoch;
  return stage.puppet().forge(header, stage.puppet().sent(), as_bytes("late"));
}

TEST(OldKeys, old_epoch_frames_after_done_are_refused) {
  Stage stage(Role::Client);
  stage.reach(State::AwaitDone);
  stage.give(stage.puppet().done());
  ASSERT_EQ(stage.seen().epochs, std::vector<std::uint32_t>{2});
  stage.give(data_in(stage, 1));
  EXPECT_EQ(stage.closed(), Reason::EpochMismatch);
  EXPECT_TRUE(stage.seen().data.empty());
}

TEST(OldKeys, old_epoch_frames_after_commit_are_refused) {
  Stage stage(Role::Server);
  stage.reach(State::AwaitAckNoKey);
  stage.give(stage.puppet().ack(stage.take()));
  ASSERT_EQ(stage.seen().epochs, std::vector<std::uint32_t>{2});
  stage.give(data_in(stage, 1));
  EXPECT_EQ(stage.closed(), Reason::EpochMismatch);
  EXPECT_TRUE(stage.seen().data.empty());
}

TEST(OldKeys, data_of_the_old_epoch_is_taken_until_done_and_counts_on) {
  Stage stage(Role::Client);
  stage.reach(State::AwaitDone);
  wire::FrameHeader header = stage.puppet().next_header(FrameType::AppData);
  header.epoch = 1;
  stage.give(stage.puppet().forge(header, stage.puppet().sent(), as_bytes("in flight")));
  EXPECT_EQ(as_text(stage.seen().received()), "in flight");
  // DONE stands at the next count now; at the old one it is a repeat.
  stage.give(stage.puppet().done());
  EXPECT_EQ(stage.closed(), Reason::ProtocolError);
}

TEST(NewKeys, frames_of_the_next_epoch_before_ack_are_refused) {
  for (const State state : {State::ServerIdle, State::AwaitAckNoKey}) {
    const auto stage = staged(state);
    wire::FrameHeader header = stage->puppet().next_header(FrameType::AppData);
    ++header.epoch;
    Frame bytes = framed(header, Message(40));
    stage->give(bytes);
    EXPECT_EQ(stage->closed(), Reason::EpochMismatch);
  }
}

// SPEC §7.4, Appendix B 4.
TEST(NewKeys, the_new_epoch_begins_with_done_and_nothing_else) {
  const Message request{'R', 'K', '1', '0', 3, 0, 0, 0, 3};
  const Message again{'R', 'K', '1', '0', 5, 0, 0, 0, 3};
  const Message junk(9);
  for (const Message& first : {request, again, junk}) {
    Stage stage(Role::Client);
    stage.reach(State::AwaitDone);
    stage.give(stage.puppet().say(FrameType::Rekey, first));
    EXPECT_EQ(stage.closed(), Reason::ProtocolError);
    EXPECT_TRUE(stage.seen().epochs.empty());
  }
}

TEST(NewKeys, done_under_the_old_key_is_refused) {
  Stage stage(Role::Client);
  stage.reach(State::AwaitDone);
  wire::FrameHeader header = stage.puppet().next_header(FrameType::Rekey);
  header.epoch = 1;
  stage.give(stage.puppet().forge(header, stage.puppet().sent(), Message{'R', 'K', '1', '0', 5, 0, 0, 0, 2}));
  EXPECT_EQ(stage.closed(), Reason::ProtocolError);
}

TEST(NewKeys, done_is_taken_once) {
  Stage stage(Role::Client);
  stage.reach(State::AwaitDone);
  stage.give(stage.puppet().done());
  stage.give(stage.puppet().done());
  EXPECT_EQ(stage.closed(), Reason::ProtocolError);
}

class Forms : public testing::TestWithParam<State> {};

TEST_P(Forms, a_rekey_confirm_with_any_bit_wrong_is_refused) {
  for (std::size_t byte = wire::kAckConfirmBegin; byte < wire::kAckConfirmEnd; ++byte) {
    const auto stage = staged(GetParam());
    stage->give(stage->puppet().ack(stage->take(), {}, [&](Message& ack) { ack[byte] ^= 0x10; }));
    EXPECT_EQ(stage->closed(), Reason::RekeyFailed) << byte;
    EXPECT_TRUE(stage->seen().epochs.empty());
  }
}

TEST_P(Forms, the_lawful_ack_is_taken) {
  const auto stage = staged(GetParam());
  stage->give(stage->puppet().ack(stage->take()));
  EXPECT_EQ(stage->seen().epochs, std::vector<std::uint32_t>{2});
  stage->give(stage->puppet().say(FrameType::AppData, as_bytes("new")));
  EXPECT_EQ(as_text(stage->seen().received()), "new");
}

TEST_P(Forms, a_ciphertext_comes_if_and_only_if_there_was_a_share) {
  const auto stage = staged(GetParam());
  const bool light = GetParam() == State::AwaitAckLight;
  stage->give(stage->puppet().ack(stage->take(), [&](Message& ack) {
    ack.resize(wire::kAckConfirmEnd);
    if (light) {
      ack.insert(ack.end(), {0, 3, 1, 2, 3});
    } else {
      ack.insert(ack.end(), {0, 0});
    }
  }));
  EXPECT_EQ(stage->closed(), Reason::ProtocolError);
}

INSTANTIATE_TEST_SUITE_P(Every, Forms, testing::Values(State::AwaitAck, State::AwaitAckNoKey, State::AwaitAckLight),
                         [](const auto& tested) { return std::string(name(tested.param)); });

TEST(Confirm, a_client_with_another_qkd_key_cannot_confirm) {
  const auto stage = staged(State::AwaitAck);
  stage->puppet().script.qkd_key->front() ^= 1;
  stage->give(stage->puppet().ack(stage->take()));
  EXPECT_EQ(stage->closed(), Reason::RekeyFailed);
}

TEST(Confirm, a_ciphertext_of_a_wrong_size_is_rekey_failed) {
  const auto stage = staged(State::AwaitAckNoKey);
  stage->give(stage->puppet().ack(stage->take(), [](Message& ack) {
    ack.pop_back();
    ack[wire::kAckConfirmEnd + 1] -= 1;
  }));
  EXPECT_EQ(stage->closed(), Reason::RekeyFailed);
}

TEST(Init, a_share_that_the_kem_refuses_is_rekey_failed) {
  const std::vector<Edit> edits{[](Message& init) { init[43] = init[44] = 0xff; },  // the fake KEM's bad share
                                [](Message& init) {
                                  init.erase(init.begin() + 43);
                                  init[42] -= 1;
                                }};
  for (const Edit& edit : edits) {
    Stage stage(Role::Client);
    stage.establish();
    stage.give(stage.puppet().init(true, false, edit));
    EXPECT_EQ(stage.closed(), Reason::RekeyFailed);
  }
}

TEST(Init, a_key_id_in_mode_0_is_a_protocol_error_and_no_kme_is_asked) {
  Stage stage(Role::Client);
  stage.establish();
  stage.puppet().script.key_id = "0f0e0d0c-0b0a-4988-8766-554433221100";
  stage.give(stage.puppet().init(true, true));
  EXPECT_EQ(stage.closed(), Reason::ProtocolError);
  EXPECT_TRUE(stage.seen().qkd.empty());
}

// SPEC §7.5.
TEST(Init, weaker_than_the_clients_policy_is_refused) {
  {
    Stage stage(Role::Client, QkdPolicy::None, [](World& world) { world.client.peer.rekey_demands_kem = true; });
    stage.establish();
    stage.give(stage.puppet().init(false, false));
    EXPECT_EQ(stage.closed(), Reason::RekeyFailed);
  }
  {
    Stage stage(Role::Client, QkdPolicy::Required);
    stage.establish();
    stage.give(stage.puppet().init(true, false));
    EXPECT_EQ(stage.closed(), Reason::QkdUnavailable);
  }
}

TEST(Close, a_frame_after_close_is_not_even_looked_at) {
  for (const State state : {State::ClientIdle, State::ServerIdle}) {
    const auto stage = staged(state);
    Puppet& peer = stage->puppet();
    const Frame close = peer.say(FrameType::Close, close_text(0, "bye"));
    const Frame data = peer.say(FrameType::AppData, as_bytes("after"));
    Frame both = close;
    both.insert(both.end(), data.begin(), data.end());
    stage->give(both);
    EXPECT_EQ(stage->closed(), Reason::Normal);
    EXPECT_TRUE(stage->seen().closed->truncated);
    EXPECT_TRUE(stage->seen().data.empty());
    EXPECT_TRUE(stage->take().empty());
  }
}

}  // namespace
}  // namespace qsp::test

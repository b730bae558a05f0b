// The hard limits of a key, whatever the configuration (SPEC §8.6). Their true values are in the suite table; here they
// are small, so that a test can reach them.
#include <gtest/gtest.h>

#include "channel/access.hpp"
#include "channel/traffic.hpp"
#include "channel/world.hpp"
#include "qsp/suites.hpp"

namespace qsp::test {
namespace {

Reason reason(const Pair& pair, Role role) {
  return pair.seen(role).closed.value_or(Closed{Reason::Normal, ""}).reason;
}

class Limits : public testing::TestWithParam<Role> {
 protected:
  /// Both ends under keys that may protect so much. `lax` frees one end's counting, so that the other's is seen alone.
  void limit(std::uint64_t frames, std::uint64_t bytes, std::optional<Role> lax = std::nullopt) {
    for (const Role role : kBoth) {
      crypto::AeadInfo info = crypto::info(crypto::AeadId::Aes256Gcm);
      if (role != lax) info.max_frames = frames, info.max_bytes = bytes;
      channel::TestAccess::move_to(channel(*pair, role), 1, info);
    }
  }
  Role sender() const { return GetParam(); }

  World world;
  std::unique_ptr<Pair> pair = world.established();
};

constexpr std::uint64_t kMany = 1U << 20;

// SPEC §8.6.
TEST_P(Limits, the_last_frame_of_a_key_is_kept_for_close) {
  limit(5, kMany);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(pair->send(sender(), "data")) << i;
  const auto refused = pair->send(sender(), "one too many");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::Limit);
  EXPECT_EQ(pair->at(sender()).phase(), Phase::Closed);
  pair->run();
  EXPECT_EQ(pair->seen(other(sender())).data.size(), 4U);
  for (const Role role : kBoth) EXPECT_EQ(reason(*pair, role), Reason::Limit);
  EXPECT_TRUE(pair->seen(other(sender())).closed->by_peer) << "CLOSE was the fifth frame";
}

// SPEC §8.6.
TEST_P(Limits, the_bytes_of_a_key_count_plaintext_and_leave_room_for_close) {
  limit(kMany, 40);
  ASSERT_TRUE(pair->send(sender(), "twenty bytes of data"));
  ASSERT_TRUE(pair->send(sender(), "twenty bytes of data"));
  ASSERT_TRUE(pair->send(sender(), "")) << "nothing is not too much";
  ASSERT_FALSE(pair->send(sender(), "x"));
  pair->run();
  EXPECT_EQ(pair->seen(other(sender())).received().size(), 40U);
  for (const Role role : kBoth) EXPECT_EQ(reason(*pair, role), Reason::Limit);
  EXPECT_TRUE(pair->seen(other(sender())).closed->by_peer);
}

TEST_P(Limits, a_frame_that_was_refused_is_wiped_and_not_sent) {
  limit(2, kMany);
  ASSERT_TRUE(pair->send(sender(), "x"));
  const FrameRoom room = pair->at(sender()).frame_room();
  Frame frame(room.head + 4 + room.tail, 0x55);
  ASSERT_FALSE(pair->at(sender()).seal_app_data(frame, 4, false, pair->now()));
  EXPECT_EQ(frame, Frame(frame.size(), 0));
}

// SPEC §8.6, Appendix B 14.
TEST_P(Limits, a_receiver_refuses_what_goes_beyond_them) {
  for (const auto& [frames, bytes] : {std::pair<std::uint64_t, std::uint64_t>{5, kMany}, {kMany, 40}}) {
    pair = world.established();
    limit(frames, bytes, sender());
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(pair->send(sender(), "ten bytes."));
    ASSERT_TRUE(pair->send(sender(), "one more")) << "this sender counts to the true limit";
    pair->run();
    EXPECT_EQ(pair->seen(other(sender())).data.size(), 4U);
    EXPECT_EQ(reason(*pair, other(sender())), Reason::Limit);
    EXPECT_FALSE(pair->seen(other(sender())).closed->by_peer);
  }
}

// SPEC Appendix B 14.
TEST_P(Limits, control_frames_count_too) {
  limit(2, kMany);
  ASSERT_TRUE(pair->send(sender(), "x"));
  ASSERT_TRUE(pair->rekey(sender())) << "REQ or INIT would be the last frame";
  pair->run();
  for (const Role role : kBoth) EXPECT_EQ(reason(*pair, role), Reason::Limit);
}

TEST_P(Limits, a_new_epoch_starts_them_afresh) {
  limit(8, kMany);
  for (std::uint32_t epoch = 1; epoch < 30; ++epoch) {
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(pair->send(sender(), "data")) << epoch;
    ASSERT_TRUE(pair->rekey(Role::Server));
    pair->run();
    ASSERT_EQ(pair->at(Role::Client).epoch(), epoch + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Sent, Limits, testing::Values(Role::Client, Role::Server), [](const auto& sender) {
  return std::string(sender.param == Role::Client ? "by_the_client" : "by_the_server");
});

TEST(SuiteTable, holds_the_hard_limits_of_the_specification) {
  for (const crypto::AeadInfo& row : crypto::kAeads) {
    EXPECT_EQ(row.max_frames, 0xffff'ffffU) << row.name;
    EXPECT_EQ(row.max_bytes, std::uint64_t{1} << 38) << row.name;
    EXPECT_EQ(row.key_size, 32U) << row.name;
  }
}

}  // namespace
}  // namespace qsp::test

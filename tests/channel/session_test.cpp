#include <gtest/gtest.h>

#include "channel/world.hpp"

namespace qsp::test {
namespace {

TEST(Session, both_ends_establish_and_data_flows_both_ways) {
  World world;
  const auto pair = world.established();
  ASSERT_TRUE(pair->seen(Role::Client).session_id) << pair->seen(Role::Client).closed->text;
  ASSERT_EQ(pair->seen(Role::Client).session_id, pair->seen(Role::Server).session_id);
  ASSERT_TRUE(pair->send(Role::Client, "ping"));
  ASSERT_TRUE(pair->send(Role::Server, "pong"));
  pair->run();
  EXPECT_EQ(as_text(pair->seen(Role::Server).received()), "ping");
  EXPECT_EQ(as_text(pair->seen(Role::Client).received()), "pong");
  EXPECT_EQ(pair->defect(), "");
}

class Forms : public testing::TestWithParam<std::tuple<QkdPolicy, bool>> {};

TEST_P(Forms, rekeys_lose_no_byte_with_data_in_flight_both_ways) {
  const auto [qkd, light] = GetParam();
  World world(qkd);
  world.server.rekey.light = light;
  const auto pair = world.established();
  std::string sent[2];
  for (std::uint32_t round = 0; round < 1'000; ++round) {
    for (const Role role : {Role::Client, Role::Server}) {
      const std::string line = "line " + std::to_string(round) + "\n";
      ASSERT_TRUE(pair->send(role, line));
      sent[static_cast<std::size_t>(role)] += line;
    }
    ASSERT_TRUE(pair->rekey(Role::Server));
    world.run_with_keys(*pair);
    ASSERT_EQ(pair->at(Role::Client).epoch(), round + 2);
    ASSERT_EQ(pair->at(Role::Server).epoch(), round + 2);
  }
  EXPECT_EQ(as_text(pair->seen(Role::Server).received()), sent[static_cast<std::size_t>(Role::Client)]);
  EXPECT_EQ(as_text(pair->seen(Role::Client).received()), sent[static_cast<std::size_t>(Role::Server)]);
  EXPECT_EQ(pair->defect(), "");
}

INSTANTIATE_TEST_SUITE_P(Session, Forms,
                         testing::Combine(testing::Values(QkdPolicy::None, QkdPolicy::Required), testing::Bool()));

TEST(Session, ends_clean_once_both_have_said_end) {
  World world;
  const auto pair = world.established();
  ASSERT_TRUE(pair->send(Role::Client, as_bytes("last"), true));
  pair->run();
  EXPECT_FALSE(pair->seen(Role::Server).closed);
  ASSERT_TRUE(pair->send(Role::Server, as_bytes("also last"), true));
  pair->run();
  for (const Role role : {Role::Client, Role::Server}) {
    ASSERT_TRUE(pair->seen(role).closed);
    EXPECT_EQ(pair->seen(role).closed->reason, Reason::Normal);
    EXPECT_FALSE(pair->seen(role).closed->truncated);
  }
}

}  // namespace
}  // namespace qsp::test

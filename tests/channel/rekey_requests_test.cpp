// When a client's REQ starts a rekey, and what a client that asks too often costs (SPEC §7.3, §7.6).
#include <gtest/gtest.h>

#include "channel/rekey_rules.hpp"
#include "channel/traffic.hpp"

namespace qsp::test {
namespace {

using std::chrono::seconds;
using wire::RekeyRequest;

// SPEC Appendix B 17.
TEST(RekeyRules, a_request_that_crosses_an_init_is_answered_by_it) {
  World world;
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Client));
  ASSERT_TRUE(pair->rekey(Role::Server));
  pair->run();
  pair->advance(seconds(60));
  pair->run();
  for (const Role role : kBoth) EXPECT_EQ(pair->at(role).epoch(), 2U);
}

TEST(RekeyRules, a_request_while_the_server_waits_for_its_kme_changes_nothing) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  ASSERT_TRUE(pair->rekey(Role::Client));
  world.run_with_keys(*pair);
  pair->advance(seconds(60));
  world.run_with_keys(*pair);
  for (const Role role : kBoth) EXPECT_EQ(pair->at(role).epoch(), 2U);
  EXPECT_EQ(pair->seen(Role::Server).qkd.size(), 2U);
}

TEST(RekeyRules, requests_start_one_rekey_in_ten_seconds_and_are_delayed_not_dropped) {
  World world;
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Client));
  pair->run();
  ASSERT_EQ(pair->at(Role::Server).epoch(), 2U) << "the first starts at once";
  const Instant first = pair->now();
  for (std::uint32_t epoch = 2; epoch < 5; ++epoch) {
    pair->advance(seconds(1));
    ASSERT_TRUE(pair->rekey(Role::Client));
    pair->run();
    EXPECT_EQ(pair->at(Role::Server).epoch(), epoch);
    const Instant due = first + seconds(10) * (epoch - 1);
    EXPECT_EQ(pair->at(Role::Server).next_timeout(), due);
    pair->advance(due - pair->now() - Instant(1));
    pair->run();
    EXPECT_EQ(pair->at(Role::Server).epoch(), epoch);
    pair->advance(Instant(1));
    pair->run();
    EXPECT_EQ(pair->at(Role::Server).epoch(), epoch + 1);
  }
}

// SPEC §7.6: "a REQ that comes sooner is delayed, not dropped. Its delay ends with its epoch."
TEST(RekeyRules, a_request_that_waits_is_answered_by_any_rekey_before_its_time_and_then_forgotten) {
  World world;
  const auto pair = world.established();
  for (std::uint32_t epoch = 2; epoch < 4; ++epoch) {
    ASSERT_TRUE(pair->rekey(epoch == 2 ? Role::Client : Role::Server));
    pair->run();
    ASSERT_EQ(pair->at(Role::Server).epoch(), epoch);
    if (epoch == 2) {
      ASSERT_TRUE(pair->rekey(Role::Client)) << "ten seconds too soon";
    }
    pair->run();
    pair->advance(seconds(1));
  }
  pair->advance(seconds(60));
  pair->run();
  for (const Role role : kBoth) {
    EXPECT_EQ(pair->at(role).epoch(), 3U) << "the request was for the epoch that has ended";
    EXPECT_FALSE(channel(*pair, role).status().rekey_pending);
  }
}

// SPEC §7.6: "At most one client-requested rekey starts per 10 s": the server's own do not count.
TEST(RekeyRules, a_request_soon_after_a_rekey_that_nobody_asked_for_starts_at_once) {
  World world;
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  pair->run();
  pair->advance(seconds(1));
  ASSERT_TRUE(pair->rekey(Role::Client));
  pair->run();
  EXPECT_EQ(pair->at(Role::Server).epoch(), 3U);
}

TEST(RekeyRules, a_request_that_waits_does_not_hold_back_the_servers_own_triggers) {
  World world;
  world.server.rekey.frames = 5;
  world.server.rekey.interval = seconds(14);
  const auto pair = world.established();
  const auto request = [&] {
    ASSERT_TRUE(pair->rekey(Role::Client));
    pair->run();
  };
  request();
  ASSERT_EQ(pair->at(Role::Server).epoch(), 2U);
  request();
  ASSERT_TRUE(pair->rekey(Role::Server)) << "an explicit call";
  pair->run();
  EXPECT_EQ(pair->at(Role::Server).epoch(), 3U);
  request();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(pair->send(Role::Server, "frames"));
  pair->run();
  EXPECT_EQ(pair->at(Role::Server).epoch(), 4U);
  pair->advance(seconds(9));
  request();  // due ten seconds after the last one that a request had its part in
  pair->advance(seconds(5));
  pair->run();
  EXPECT_GE(pair->at(Role::Server).epoch(), 5U);
}

TEST(RekeyRules, a_flood_of_requests_costs_no_memory_no_events_and_one_rekey_in_ten_seconds) {
  Rules rules(Role::Client, QkdPolicy::None, true);
  std::size_t inits = 0;
  for (int second = 0; second < 60; ++second) {
    for (int i = 0; i < 100; ++i) rules.peer->send(RekeyRequest{rules.peer->epoch + 1});
    ASSERT_FALSE(rules.closed());
    for (const Message& frame : rules.peer->take()) {
      ASSERT_EQ(frame.at(4), 1) << "nothing but INIT answers a REQ";
      ++inits;
    }
    rules.pair->advance(seconds(1));
  }
  EXPECT_EQ(inits, 1U) << "one rekey is in flight until ACK comes";
  EXPECT_TRUE(rules.pair->seen(Role::Server).epochs.empty());
}

TEST(RekeyRules, a_client_that_asks_in_every_epoch_gets_one_in_ten_seconds) {
  World world;
  const auto pair = world.established();
  for (int second = 0; second < 100; ++second) {
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(pair->rekey(Role::Client));
      pair->run();
    }
    pair->advance(seconds(1));
    pair->run();
  }
  EXPECT_EQ(pair->at(Role::Server).epoch(), 1U + 1U + 10U) << "at once, and then at 10, 20 … 100 s";
}

}  // namespace
}  // namespace qsp::test

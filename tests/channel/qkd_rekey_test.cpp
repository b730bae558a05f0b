// Which QKD keys a rekey takes, and what an outage of a KME does (SPEC §5.7, §7.5).
#include <gtest/gtest.h>

#include "channel/kmes.hpp"
#include "channel/qkd_answers.hpp"
#include "channel/traffic.hpp"

namespace qsp::test {
namespace {

using std::chrono::seconds;

TEST(QkdRekey, each_kme_step_has_twenty_seconds) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  EXPECT_EQ(asked(*pair, Role::Server).deadline, pair->now() + seconds(20));
  EXPECT_EQ(asked(*pair, Role::Server).sae_id, "SAE-alice");
  EXPECT_FALSE(asked(*pair, Role::Server).key_id);
  pair->advance(seconds(19));
  ASSERT_TRUE(provide(*pair, Role::Server, kLower));
  pair->run();
  EXPECT_EQ(asked(*pair, Role::Client).deadline, pair->now() + seconds(20));
  EXPECT_EQ(asked(*pair, Role::Client).sae_id, "SAE-bob");
  EXPECT_EQ(asked(*pair, Role::Client).key_id, kLower);
  pair->advance(seconds(19));
  ASSERT_TRUE(provide(*pair, Role::Client, kUpper));
  pair->run();
  for (const Role role : kBoth) {
    EXPECT_EQ(pair->at(role).epoch(), 2U);
    EXPECT_EQ(channel(*pair, role).status().current.key_id, kLower);
  }
}

// SPEC §7.5: "or after the rekey timer, where a demonstration has set that shorter"
TEST(QkdRekey, each_kme_step_ends_with_a_rekey_timer_that_is_shorter) {
  World world(QkdPolicy::Required);
  for (RekeyPolicy* policy : {&world.client.rekey, &world.server.rekey}) {
    policy->timer = policy == &world.client.rekey ? seconds(7) : seconds(5);
    policy->dangerous_short_timers = true;
  }
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  EXPECT_EQ(asked(*pair, Role::Server).deadline, pair->now() + seconds(5));
  ASSERT_TRUE(provide(*pair, Role::Server, kLower));
  pair->run();
  EXPECT_EQ(asked(*pair, Role::Client).deadline, pair->now() + seconds(7));
}

TEST(QkdRekey, an_answer_at_its_deadline_is_api_misuse) {
  for (const Role role : kBoth) {
    World world(QkdPolicy::Required);
    const auto pair = world.established();
    ASSERT_TRUE(pair->rekey(Role::Server));
    if (role == Role::Client) {
      ASSERT_TRUE(provide(*pair, Role::Server, kLower));
      pair->run();
    }
    const Instant late = asked(*pair, role).deadline;
    const auto given = channel(*pair, role).provide_qkd_key({std::string(kLower), QkdKey()}, late);
    ASSERT_FALSE(given);
    EXPECT_EQ(given.error().kind, ErrorKind::ApiMisuse);
    EXPECT_FALSE(channel(*pair, role).fail_qkd_key(QkdFailure::Unavailable, late));
    EXPECT_EQ(pair->at(role).epoch(), 1U);
    EXPECT_FALSE(pair->seen(role).closed);
  }
}

TEST(QkdRekey, a_step_that_runs_out_is_a_kme_that_failed) {
  for (const Role role : kBoth) {
    World world(QkdPolicy::Preferred);
    const auto pair = world.established();
    Kmes kmes(world, *pair);
    kmes.silence(role);
    ASSERT_TRUE(pair->rekey(Role::Server));
    kmes.pass(seconds(20) - Instant(1));
    EXPECT_EQ(pair->at(Role::Server).epoch(), 1U);
    kmes.pass(Instant(1));
    EXPECT_EQ(pair->at(Role::Server).epoch(), 2U) << "goes on with the KEM";
    for (const Role end : kBoth) EXPECT_FALSE(channel(*pair, end).status().current.key_id);
  }
}

// SPEC §5.7, Appendix B 23.
TEST(QkdRekey, an_answer_that_is_no_key_is_a_kme_that_failed) {
  for (const Role role : kBoth) {
    for (const auto& [key_id, size] : {std::pair(kOther, 31U), std::pair(std::string_view("x"), 32U),
                                       std::pair(role == Role::Client ? kOther : std::string_view(""), 32U)}) {
      World world(QkdPolicy::Preferred);
      const auto pair = world.established();
      ASSERT_TRUE(pair->rekey(Role::Server));
      if (role == Role::Client) {
        ASSERT_TRUE(provide(*pair, Role::Server, kLower));
        pair->run();
      }
      ASSERT_TRUE(provide(*pair, role, key_id, QkdKey(size)));
      pair->run();
      for (const Role end : kBoth) {
        EXPECT_EQ(pair->at(end).epoch(), 2U);
        EXPECT_TRUE(channel(*pair, end).status().current.kem);
        EXPECT_TRUE(channel(*pair, end).status().without_qkd);
      }
    }
  }
}

// SPEC Appendix B 13.
TEST(QkdRekey, a_spent_budget_of_the_server_waits_and_never_weakens_a_rekey) {
  World world(QkdPolicy::Preferred);
  const auto pair = world.established();
  Kmes kmes(world, *pair);
  kmes.take_down(Role::Server, QkdFailure::Budget);
  ASSERT_TRUE(pair->rekey(Role::Server));
  kmes.pass(seconds(35));
  EXPECT_EQ(pair->at(Role::Server).epoch(), 1U);
  EXPECT_EQ(pair->seen(Role::Server).qkd.size(), 1U + 4U) << "at 0, 10, 20 and 30 s";
  kmes.bring_up(Role::Server);
  kmes.pass(seconds(5));
  EXPECT_EQ(pair->at(Role::Server).epoch(), 2U);
  EXPECT_TRUE(channel(*pair, Role::Client).status().current.key_id);
}

// SPEC Appendix B 13.
TEST(QkdRekey, a_spent_budget_of_the_client_is_limit_and_never_a_nak) {
  for (const QkdPolicy policy : {QkdPolicy::Preferred, QkdPolicy::Required}) {
    World world(policy);
    const auto pair = world.established();
    Kmes kmes(world, *pair);
    kmes.take_down(Role::Client, QkdFailure::Budget);
    ASSERT_TRUE(pair->rekey(Role::Server));
    kmes.settle();
    for (const Role role : kBoth) {
      EXPECT_EQ(reason(*pair, role), Reason::Limit);
      EXPECT_TRUE(pair->seen(role).epochs.empty());
      EXPECT_FALSE(channel(*pair, role).may_redial_without_qkd());
    }
  }
}

// An outage of one KME or the other.

class Outage : public testing::TestWithParam<Role> {};

// SPEC §7.5.
TEST_P(Outage, under_preferred_rekeys_go_on_with_the_kem_and_the_status_says_so) {
  World world(QkdPolicy::Preferred);
  world.server.rekey.light = true;  // KEM only always has a share
  const auto pair = world.established();
  Kmes kmes(world, *pair);
  kmes.take_down(GetParam());
  kmes.pass(seconds(600));
  EXPECT_EQ(pair->at(Role::Server).epoch(), 6U);
  for (const Role role : kBoth) {
    const ChannelStatus status = channel(*pair, role).status();
    EXPECT_TRUE(status.qkd_mixed);
    EXPECT_TRUE(status.without_qkd);
    EXPECT_TRUE(status.current.kem);
    EXPECT_FALSE(status.current.key_id);
  }
  EXPECT_EQ(pair->seen(Role::Server).qkd.size(), 1U + 5U) << "each rekey tries the default form first";
  kmes.bring_up(GetParam());
  kmes.pass(seconds(120));
  for (const Role role : kBoth) {
    EXPECT_FALSE(channel(*pair, role).status().without_qkd);
    EXPECT_TRUE(channel(*pair, role).status().current.key_id);
    EXPECT_FALSE(pair->seen(role).closed);
  }
}

TEST_P(Outage, under_required_the_server_tries_again_every_ten_seconds_and_recovers) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  Kmes kmes(world, *pair);
  kmes.take_down(GetParam());
  ASSERT_TRUE(pair->rekey(Role::Server));
  kmes.settle();
  for (std::size_t tries = 1; tries < 20; ++tries) {
    EXPECT_EQ(pair->seen(Role::Server).qkd.size(), 1U + tries);
    EXPECT_EQ(pair->at(Role::Server).next_timeout(), pair->now() + seconds(10));
    ASSERT_TRUE(pair->rekey(Role::Server)) << "an explicit call does not hasten it";
    kmes.pass(seconds(10));
    EXPECT_EQ(pair->at(Role::Server).epoch(), 1U);
    EXPECT_TRUE(channel(*pair, Role::Server).status().rekey_pending);
  }
  kmes.bring_up(GetParam());
  kmes.pass(seconds(10));
  for (const Role role : kBoth) {
    EXPECT_EQ(pair->at(role).epoch(), 2U);
    EXPECT_TRUE(channel(*pair, role).status().current.key_id);
    EXPECT_TRUE(channel(*pair, role).status().current.kem);
  }
}

TEST_P(Outage, data_flows_through_it) {
  World world(QkdPolicy::Required);
  world.server.rekey.frames = 3;
  const auto pair = world.established();
  Kmes kmes(world, *pair);
  kmes.take_down(GetParam());
  Traffic traffic(*pair);
  for (int second = 0; second < 300; ++second) {
    traffic.send_both();
    kmes.pass(seconds(1));
  }
  kmes.bring_up(GetParam());
  kmes.pass(seconds(20));
  traffic.expect_all_arrived();
  EXPECT_GE(pair->at(Role::Server).epoch(), 2U);
  EXPECT_LE(pair->seen(Role::Server).qkd.size(), 1U + 32U);
}

INSTANTIATE_TEST_SUITE_P(Qkd, Outage, testing::Values(Role::Client, Role::Server), [](const auto& side) {
  return std::string(side.param == Role::Client ? "of_the_clients_kme" : "of_the_servers_kme");
});

}  // namespace
}  // namespace qsp::test

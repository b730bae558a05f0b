// When an end gives up, when it changes keys by itself, and that its timers never spin (SPEC §8.5).
#include <gtest/gtest.h>

#include <random>

#include "channel/access.hpp"
#include "channel/kmes.hpp"
#include "channel/malicious.hpp"
#include "channel/traffic.hpp"
#include "qsp/suites.hpp"

namespace qsp::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

std::optional<Reason> reason(const Pair& pair, Role role) {
  const auto& closed = pair.seen(role).closed;
  return closed ? std::optional(closed->reason) : std::nullopt;
}

// SPEC §5.6.
TEST(HandshakeTimer, each_end_gives_up_ten_seconds_after_the_connection_stands) {
  for (const Role role : kBoth) {
    World world;
    const auto pair = world.pair();
    pair->advance(seconds(10) - Instant(1));
    EXPECT_FALSE(pair->seen(role).closed);
    EXPECT_EQ(pair->at(role).next_timeout(), pair->now() + Instant(1));
    pair->advance(Instant(1));
    EXPECT_EQ(reason(*pair, role), Reason::Timeout);
    EXPECT_FALSE(pair->at(role).next_timeout());
    EXPECT_FALSE(channel(*pair, role).may_redial_without_qkd());
  }
}

// SPEC §5.6.
TEST(HandshakeTimer, messages_do_not_renew_it) {
  World world(QkdPolicy::Required);
  const auto pair = world.pair();
  pair->advance(seconds(6));
  pair->run();  // the client now waits for its KME, until ten seconds after the connection stood
  ASSERT_EQ(pair->seen(Role::Client).qkd.size(), 1U);
  EXPECT_EQ(pair->seen(Role::Client).qkd[0].deadline, Instant(seconds(11)));
  pair->advance(seconds(4));
  EXPECT_EQ(reason(*pair, Role::Client), Reason::Timeout);
  EXPECT_EQ(reason(*pair, Role::Server), Reason::Timeout);
}

TEST(HandshakeTimer, ends_with_the_handshake) {
  World world;
  const auto pair = world.established();
  pair->advance(seconds(60));
  for (const Role role : kBoth) EXPECT_FALSE(pair->seen(role).closed);
}

TEST(RekeyTimer, no_ack_within_it_is_rekey_failed_at_the_server) {
  World world;
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  pair->in_flight(Role::Server).clear();
  pair->advance(seconds(180) - Instant(1));
  EXPECT_FALSE(pair->seen(Role::Server).closed);
  pair->advance(Instant(1));
  EXPECT_EQ(reason(*pair, Role::Server), Reason::RekeyFailed);
}

// SPEC Appendix B 21.
TEST(RekeyTimer, no_done_within_it_is_rekey_failed_at_the_client) {
  World world;
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  ASSERT_TRUE(pair->deliver(Role::Server));
  ASSERT_EQ(pair->at(Role::Client).epoch(), 2U);
  pair->in_flight(Role::Client).clear();
  pair->advance(seconds(180) - Instant(1));
  EXPECT_FALSE(pair->seen(Role::Client).closed);
  pair->advance(Instant(1));
  EXPECT_EQ(reason(*pair, Role::Client), Reason::RekeyFailed);
}

// SPEC §8.5, Appendix B 21: "Each end measures its own epochs: …; then the server from confirm, the client from ACK."
TEST(Interval, runs_from_ack_at_the_client_and_from_confirm_at_the_server) {
  World world;
  world.client.rekey.interval = seconds(30);
  world.server.rekey.interval = seconds(50);
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  pair->advance(seconds(1));
  ASSERT_TRUE(pair->deliver(Role::Server)) << "INIT, which is answered at once";
  const Instant ack = pair->now();
  pair->advance(seconds(5));
  ASSERT_TRUE(pair->deliver(Role::Client)) << "ACK";
  const Instant confirm = pair->now();
  pair->advance(seconds(5));
  ASSERT_TRUE(pair->deliver(Role::Server)) << "DONE";
  EXPECT_EQ(pair->at(Role::Client).next_timeout(), ack + seconds(30));
  EXPECT_EQ(pair->at(Role::Server).next_timeout(), confirm + seconds(50));
}

TEST(RekeyTimer, starts_when_init_is_sent_not_when_the_kme_is_asked) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  pair->advance(seconds(19));
  ASSERT_TRUE(world.answer(*pair, Role::Server));
  EXPECT_EQ(pair->at(Role::Server).next_timeout(), pair->now() + seconds(180));
}

TEST(Interval, either_ends_interval_changes_keys) {
  for (const Role role : kBoth) {
    World world;
    (role == Role::Client ? world.client.rekey : world.server.rekey).interval = seconds(30);
    const auto pair = world.established();
    const Instant began = pair->now();
    Kmes kmes(world, *pair);
    kmes.pass(seconds(30) - Instant(1));
    EXPECT_EQ(pair->at(Role::Server).epoch(), 1U);
    kmes.pass(Instant(1));
    EXPECT_EQ(pair->at(Role::Server).epoch(), 2U);
    kmes.pass(minutes(10));
    EXPECT_EQ(pair->at(Role::Server).epoch(), 22U) << "every thirty seconds";
    EXPECT_EQ(pair->now() - began, minutes(10) + seconds(30));
    for (const Role end : kBoth) EXPECT_FALSE(pair->seen(end).closed);
  }
}

// The hard life of an epoch: 420 s beyond the interval of 120 s.

// SPEC Appendix B 31.
TEST(HardLife, a_server_that_never_changes_keys_loses_its_client_with_limit) {
  World world;
  const auto pair = world.established();
  pair->advance(seconds(120));
  pair->in_flight(Role::Server).clear();
  pair->advance(seconds(420) - Instant(1));
  EXPECT_EQ(reason(*pair, Role::Server), Reason::RekeyFailed) << "its INIT was lost";
  EXPECT_FALSE(pair->seen(Role::Client).closed) << "a client can only ask";
  pair->advance(Instant(1));
  EXPECT_EQ(reason(*pair, Role::Client), Reason::Limit);
}

TEST(HardLife, a_server_with_a_spent_budget_ends_with_limit) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  Kmes kmes(world, *pair);
  kmes.take_down(Role::Server, QkdFailure::Budget);
  kmes.pass(seconds(540) - Instant(1));
  EXPECT_FALSE(pair->seen(Role::Server).closed);
  kmes.pass(Instant(1));
  EXPECT_EQ(reason(*pair, Role::Server), Reason::Limit);
}

// SPEC §8.5.
TEST(HardLife, an_outage_that_a_spent_budget_follows_ends_with_qkd_unavailable) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  Kmes kmes(world, *pair);
  kmes.take_down(Role::Server);
  kmes.pass(seconds(300));
  kmes.take_down(Role::Server, QkdFailure::Budget);
  kmes.pass(seconds(240));
  EXPECT_EQ(reason(*pair, Role::Server), Reason::QkdUnavailable) << "no key has come since";
}

// SPEC §8.5.
TEST(HardLife, an_outage_of_the_servers_kme_under_required_ends_with_qkd_unavailable) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  Kmes kmes(world, *pair);
  kmes.take_down(Role::Server);
  kmes.pass(seconds(540) - Instant(1));
  EXPECT_FALSE(pair->seen(Role::Server).closed);
  EXPECT_EQ(pair->seen(Role::Server).qkd.size(), 1U + 42U) << "at 120 s, and every ten seconds";
  kmes.pass(Instant(1));
  EXPECT_EQ(reason(*pair, Role::Server), Reason::QkdUnavailable);
}

// SPEC Appendix B 31.
TEST(HardLife, an_outage_of_the_clients_kme_under_required_is_known_at_both_ends) {
  for (const Role first : kBoth) {
    World world(QkdPolicy::Required);
    const auto pair = world.established();
    Kmes kmes(world, *pair);
    kmes.take_down(Role::Client);
    kmes.pass(seconds(540) - Instant(1));
    // Whose timer fires first must not matter: only one end's clock is asked.
    const Instant late = pair->now() + Instant(1);
    pair->at(first).handle_timeout(late);
    pair->drain(first);
    EXPECT_EQ(reason(*pair, first), Reason::QkdUnavailable);
  }
}

// SPEC §8.5: "no key has come since".
TEST(HardLife, silence_of_a_client_after_the_outage_is_over_ends_with_limit) {
  World world(QkdPolicy::Required);
  world.server.rekey.timer = seconds(200);
  const auto pair = world.established();
  Kmes kmes(world, *pair);
  kmes.take_down(Role::Server);
  kmes.pass(seconds(400));
  pair->advance(seconds(10));  // the next attempt
  const auto& asked = pair->seen(Role::Server).qkd;
  ASSERT_GT(asked.back().deadline, pair->now());
  ASSERT_TRUE(channel(*pair, Role::Server).provide_qkd_key(world.link.enc_keys(), pair->now()));
  pair->drain(Role::Server);
  pair->in_flight(Role::Server).clear();
  pair->advance(seconds(130));
  EXPECT_EQ(reason(*pair, Role::Server), Reason::Limit) << "the last attempt did not fail at a KME";
}

// Timers at large.

TEST(Timers, a_quiet_session_wakes_up_for_its_rekeys_alone) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  Kmes kmes(world, *pair);
  EXPECT_LE(kmes.pass(minutes(60)), 60U) << "thirty rekeys, which either end may start";
  EXPECT_EQ(pair->at(Role::Server).epoch(), 31U);
  for (const Role role : kBoth) EXPECT_FALSE(pair->seen(role).closed);
}

/// Random acts of both applications, KMEs and the network.
class Chaos {
 public:
  Chaos(World& world, Pair& pair, std::uint32_t seed) : pair_(pair), kmes_(world, pair), random_(seed) {}

  void act() {
    const Role role = kBoth.at(random_() % 2);
    switch (random_() % 8) {
      case 0:
        kmes_.take_down(role,
                        random_() % 4 == 0 && role == Role::Server ? QkdFailure::Budget : QkdFailure::Unavailable);
        break;
      case 1:
        kmes_.bring_up(role);
        break;
      case 2:
        static_cast<void>(pair_.rekey(role));
        break;
      case 3:
        kmes_.settle();
        break;
      default:
        if (pair_.at(role).phase() == Phase::Established) static_cast<void>(pair_.send(role, "data"));
        break;
    }
  }
  std::size_t pass(Instant by) { return kmes_.pass(by); }
  std::mt19937::result_type draw() { return random_(); }

 private:
  Pair& pair_;
  Kmes kmes_;
  std::mt19937 random_;
};

TEST(Timers, whatever_happens_no_timeout_stays_due_and_none_spins) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    World world(seed % 2 == 0 ? QkdPolicy::Required : QkdPolicy::Preferred);
    world.client.rekey.interval = seconds(1 + seed % 7);
    world.server.rekey.interval = seconds(1 + seed % 5);
    world.server.rekey.frames = world.client.rekey.frames = 1 + seed % 4;
    world.server.rekey.light = seed % 3 == 0;
    const auto pair = world.pair();
    Chaos chaos(world, *pair, seed);
    for (int step = 0; step < 300; ++step) {
      chaos.act();
      const Instant by = std::chrono::milliseconds(chaos.draw() % 3'000);
      const auto handled = chaos.pass(by);
      ASSERT_LE(handled, 8U + 8U * static_cast<std::size_t>(by / seconds(1))) << "seed " << seed << ", step " << step;
      for (const Role role : kBoth) {
        if (const auto next = pair->at(role).next_timeout()) {
          ASSERT_GT(*next, pair->now()) << "seed " << seed << ", step " << step;
        }
      }
    }
    ASSERT_EQ(pair->defect(), "") << "seed " << seed;
    for (const Role role : kBoth) {
      // The two lawful ends of a session that only suffers outages.
      if (const auto why = reason(*pair, role); why && !pair->seen(role).closed->by_peer) {
        EXPECT_TRUE(*why == Reason::QkdUnavailable || *why == Reason::Limit || *why == Reason::HandshakeFailed)
            << "seed " << seed << ": " << name(*why) << ", " << pair->seen(role).closed->text;
      }
    }
  }
}

TEST(Timers, a_timeout_that_is_not_due_changes_nothing) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  for (const Role role : kBoth) {
    const auto due = pair->at(role).next_timeout();
    for (int i = 0; i < 100; ++i) pair->at(role).handle_timeout(*due - Instant(1));
    EXPECT_EQ(pair->at(role).next_timeout(), due);
    EXPECT_FALSE(pair->at(role).poll_event());
  }
}

// Epoch 2^32 − 1 is the last.

class LastEpoch : public testing::Test {
 protected:
  void move_to(std::uint32_t epoch) {
    for (const Role role : kBoth) {
      channel::TestAccess::move_to(channel(*pair, role), epoch, crypto::info(crypto::AeadId::Aes256Gcm));
    }
  }
  World world;
  std::unique_ptr<Pair> pair = world.established();
};

TEST_F(LastEpoch, is_reached_and_carries_data) {
  move_to(0xffff'fffe);
  ASSERT_TRUE(pair->rekey(Role::Server));
  pair->run();
  for (const Role role : kBoth) {
    EXPECT_EQ(pair->at(role).epoch(), 0xffff'ffffU);
    ASSERT_TRUE(pair->send(role, "in the last epoch"));
  }
  pair->run();
  for (const Role role : kBoth) EXPECT_EQ(as_text(pair->seen(role).received()), "in the last epoch");
}

TEST_F(LastEpoch, ends_with_limit_at_a_trigger_of_either_end) {
  for (const Role role : kBoth) {
    pair = world.established();
    move_to(0xffff'ffff);
    static_cast<void>(pair->rekey(role));
    pair->run();
    for (const Role end : kBoth) EXPECT_EQ(reason(*pair, end), Reason::Limit);
  }
}

// SPEC §7.1: "new_epoch is exactly e+1", and 2^32 has no place in it: 0 is no epoch.
TEST_F(LastEpoch, has_no_successor_that_a_message_could_name) {
  for (const Role peer : kBoth) {
    Insider insider(*world.client_provider);
    pair = world.established();
    move_to(0xffff'ffff);
    // The keys of channel::TestAccess.
    const Message client_key(32, 1), server_key(32, 2);
    insider.secret("c_key", 0xffff'ffff, client_key);
    insider.secret("s_key", 0xffff'ffff, server_key);
    MaliciousEnd malicious(*pair, peer, insider);
    const Message share(crypto::info(crypto::KemId::X25519MlKem768).public_key_size), material(32);
    if (peer == Role::Client) {
      malicious.send(wire::RekeyRequest{0});
    } else {
      malicious.send(wire::RekeyInit{.new_epoch = 0, .material = material, .kem_public_key = share, .key_id = {}});
    }
    EXPECT_EQ(reason(*pair, other(peer)), Reason::ProtocolError);
    EXPECT_EQ(pair->seen(other(peer)).epochs.size(), 0U);
  }
}

TEST_F(LastEpoch, ends_with_limit_at_its_interval) {
  move_to(0xffff'ffff);
  pair->advance(seconds(120));
  pair->run();
  for (const Role end : kBoth) EXPECT_EQ(reason(*pair, end), Reason::Limit);
}

}  // namespace
}  // namespace qsp::test

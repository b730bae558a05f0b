// Who gets a QKD key into the session and who is refused, and when a client may do without (SPEC §5.3, §5.9, §7.5).
#include <gtest/gtest.h>

#include <functional>

#include "channel/kmes.hpp"
#include "channel/malicious.hpp"
#include "channel/stage.hpp"
#include "channel/traffic.hpp"
#include "wire/handshake.hpp"

namespace qsp::test {
namespace {

using std::chrono::seconds;

constexpr std::array kPolicies{QkdPolicy::None, QkdPolicy::Preferred, QkdPolicy::Required};

/// A world in which the client wants `client` of bob, the listener is set to `listener`, and bob pins alice with
/// `peer`, and with her SAE ID whatever that is: nothing but policy refuses her.
struct Wanted : World {
  Wanted(QkdPolicy client_policy, QkdPolicy listener, QkdPolicy peer) : World(QkdPolicy::None) {
    client.peer = bob.pinned(client_policy);
    server.qkd = listener;
    pinned = Pinned();
    auto pin = alice.pinned(peer);
    pin.sae_id = client.sae_id;
    pinned.pin(pin);
  }
};

std::string letter(QkdPolicy policy) {
  return policy == QkdPolicy::None ? "N" : policy == QkdPolicy::Preferred ? "P" : "R";
}

/// Of a CLIENT_HELLO's frame.
std::uint8_t offer_of(const Frame& frame) {
  return wire::parse_client_hello(Bytes(frame).subspan(wire::kFrameHeaderSize)).value().qkd_offer;
}

// '0' and '1': the mode of a session; 'F': HANDSHAKE_FAILED. One row for a client's policy and a listener's setting; in
// it, the policy that the server has pinned for the client: none, preferred, required.
struct Row {
  QkdPolicy client, listener;
  const char* outcome;
};
constexpr std::array kTable{
    Row{QkdPolicy::None, QkdPolicy::None, "00F"},           Row{QkdPolicy::None, QkdPolicy::Preferred, "00F"},
    Row{QkdPolicy::None, QkdPolicy::Required, "FFF"},       Row{QkdPolicy::Preferred, QkdPolicy::None, "00F"},
    Row{QkdPolicy::Preferred, QkdPolicy::Preferred, "F11"}, Row{QkdPolicy::Preferred, QkdPolicy::Required, "F11"},
    Row{QkdPolicy::Required, QkdPolicy::None, "FFF"},       Row{QkdPolicy::Required, QkdPolicy::Preferred, "F11"},
    Row{QkdPolicy::Required, QkdPolicy::Required, "F11"},
};

// SPEC Appendix B 9.
TEST(Policy, every_pair_of_policies_gives_its_mode_or_its_reason) {
  for (const Row& row : kTable) {
    for (std::size_t i = 0; i < kPolicies.size(); ++i) {
      Wanted world(row.client, row.listener, kPolicies.at(i));
      const std::string where = letter(row.client) + letter(row.listener) + letter(kPolicies.at(i));
      const auto pair = world.established();
      const char expected = row.outcome[i];
      for (const Role role : kBoth) {
        const auto& closed = pair->seen(role).closed;
        const ChannelStatus status = channel(*pair, role).status();
        if (expected == 'F') {
          ASSERT_TRUE(closed) << where;
          EXPECT_EQ(closed->reason, Reason::HandshakeFailed) << where;
          EXPECT_FALSE(pair->seen(role).session_id) << where;
        } else {
          ASSERT_TRUE(pair->seen(role).session_id) << where << ": " << closed.value_or(Closed{}).text;
          EXPECT_EQ(status.qkd_mixed, expected == '1') << where;
          EXPECT_EQ(status.current.key_id.has_value(), expected == '1') << where;
          const QkdPolicy own = role == Role::Client ? row.client : kPolicies.at(i);
          EXPECT_EQ(status.without_qkd, own == QkdPolicy::Preferred && expected == '0') << where;
        }
      }
      EXPECT_EQ(pair->seen(Role::Server).qkd.size(), expected == '1' ? 1U : 0U)
          << where << ": spent for a stranger to policy";
      EXPECT_EQ(offer_of(pair->made(Role::Client).at(0)), std::to_underlying(row.client)) << where;
      EXPECT_FALSE(channel(*pair, Role::Client).may_redial_without_qkd()) << where;
      EXPECT_EQ(pair->defect(), "") << where;
    }
  }
}

// SPEC Appendix B 11.
TEST(Policy, a_rekey_does_without_qkd_only_where_neither_end_requires_it) {
  for (const Row& row : kTable) {
    for (std::size_t i = 0; i < kPolicies.size(); ++i) {
      if (row.outcome[i] != '1') continue;
      Wanted world(row.client, row.listener, kPolicies.at(i));
      const std::string where = letter(row.client) + letter(row.listener) + letter(kPolicies.at(i));
      const bool permitted = where == "PPP";
      for (const Role down : kBoth) {
        const auto pair = world.established();
        Kmes kmes(world, *pair);
        kmes.take_down(down);
        ASSERT_TRUE(pair->rekey(Role::Server));
        kmes.settle();
        EXPECT_EQ(pair->at(Role::Server).epoch(), permitted ? 2U : 1U) << where;
        EXPECT_EQ(pair->at(Role::Client).epoch(), permitted ? 2U : 1U) << where;
        for (const Role role : kBoth) {
          EXPECT_FALSE(pair->seen(role).closed) << where;
          EXPECT_EQ(channel(*pair, role).status().without_qkd, permitted) << where;
        }
      }
    }
  }
}

// Dialling again without QKD.

/// What happens to a client's handshake; the pair stands before its first byte.
struct Mishap {
  const char* name;
  void (*happen)(World&, Pair&);
  Reason reason;  ///< at the client
  bool may_redial;
};

/// Runs a handshake up to the client's request to its KME.
void run_to_client_key(Pair& pair) {
  pair.run();
  ASSERT_EQ(pair.seen(Role::Client).qkd.size(), 1U);
}
/// Runs it up to the server's.
void run_to_server_key(World& world, Pair& pair) {
  run_to_client_key(pair);
  ASSERT_TRUE(world.answer(pair, Role::Client));
  pair.run();
  ASSERT_EQ(pair.seen(Role::Server).qkd.size(), 1U);
}
void refuse(Pair& pair, Role role, QkdFailure why) {
  ASSERT_TRUE(channel(pair, role).fail_qkd_key(why, pair.now()));
  pair.drain(role);
  pair.run();
}
void provide(Pair& pair, Role role, std::string_view key_id, QkdKey key) {
  ASSERT_TRUE(channel(pair, role).provide_qkd_key({std::string(key_id), std::move(key)}, pair.now()));
  pair.drain(role);
  pair.run();
}

constexpr std::array kMishaps{
    Mishap{"its_own_kme_fails",
           [](World&, Pair& pair) {
             run_to_client_key(pair);
             refuse(pair, Role::Client, QkdFailure::Unavailable);
           },
           Reason::QkdUnavailable, true},
    Mishap{"its_own_kme_is_silent_for_four_seconds",
           [](World&, Pair& pair) {
             run_to_client_key(pair);
             pair.advance(seconds(4));
           },
           Reason::QkdUnavailable, true},
    Mishap{"its_own_kme_gives_a_short_key",
           [](World&, Pair& pair) {
             run_to_client_key(pair);
             provide(pair, Role::Client, "00000000-0000-4000-8000-000000000001", QkdKey(31));
           },
           Reason::QkdUnavailable, true},
    Mishap{"the_servers_kme_fails",
           [](World& world, Pair& pair) {
             run_to_server_key(world, pair);
             refuse(pair, Role::Server, QkdFailure::Unavailable);
           },
           Reason::QkdUnavailable, true},
    Mishap{"the_servers_kme_is_silent_for_eight_seconds",
           [](World& world, Pair& pair) {
             run_to_server_key(world, pair);
             pair.advance(seconds(8));
             pair.run();
           },
           Reason::QkdUnavailable, true},
    Mishap{"its_own_budget_is_spent",
           [](World&, Pair& pair) {
             run_to_client_key(pair);
             refuse(pair, Role::Client, QkdFailure::Budget);
           },
           Reason::Limit, false},
    Mishap{"the_servers_budget_is_spent",
           [](World& world, Pair& pair) {
             run_to_server_key(world, pair);
             refuse(pair, Role::Server, QkdFailure::Budget);
           },
           Reason::Limit, false},
    Mishap{"a_clear_alert_says_so",
           [](World&, Pair& pair) {
             pair.deliver(Role::Client);
             pair.in_flight(Role::Server).clear();
             pair.inject(Role::Client, framed({.type = wire::FrameType::Handshake}, alert(60)));
           },
           Reason::QkdUnavailable, false},
    Mishap{"the_connection_is_lost_while_the_server_waits",
           [](World& world, Pair& pair) {
             run_to_server_key(world, pair);
             pair.end_of_stream(Role::Server);
           },
           Reason::HandshakeFailed, false},
    Mishap{"the_connection_is_lost_while_it_waits_for_its_kme",
           [](World&, Pair& pair) {
             run_to_client_key(pair);
             pair.end_of_stream(Role::Server);
           },
           Reason::HandshakeFailed, false},
    Mishap{"the_keys_of_the_two_kmes_differ",
           [](World& world, Pair& pair) {
             run_to_server_key(world, pair);
             provide(pair, Role::Server, *pair.seen(Role::Server).qkd[0].key_id, QkdKey());
           },
           Reason::HandshakeFailed, false},
    Mishap{"the_handshake_times_out",
           [](World& world, Pair& pair) {
             run_to_server_key(world, pair);
             pair.advance(seconds(10));
           },
           Reason::Timeout, false},
    Mishap{"the_server_says_something_else",
           [](World& world, Pair& pair) {
             run_to_server_key(world, pair);
             pair.close(Role::Server, Reason::InternalError, "");
             pair.run();
           },
           Reason::InternalError, false},
};

// SPEC §5.9.
TEST(Redial, without_qkd_is_allowed_to_preferred_after_the_failure_of_a_kme_alone) {
  for (const QkdPolicy policy : {QkdPolicy::Preferred, QkdPolicy::Required}) {
    for (const Mishap& mishap : kMishaps) {
      World world(policy);
      const auto pair = world.pair();
      mishap.happen(world, *pair);
      const std::string where = std::string(mishap.name) + letter(policy);
      const auto& closed = pair->seen(Role::Client).closed;
      ASSERT_TRUE(closed) << where;
      EXPECT_EQ(closed->reason, mishap.reason) << where;
      EXPECT_EQ(channel(*pair, Role::Client).may_redial_without_qkd(),
                mishap.may_redial && policy == QkdPolicy::Preferred)
          << where;
      EXPECT_FALSE(channel(*pair, Role::Server).may_redial_without_qkd()) << where;
      EXPECT_FALSE(pair->seen(Role::Client).session_id) << where;
      EXPECT_EQ(pair->defect(), "") << where;
    }
  }
}

TEST(Redial, is_not_allowed_by_a_sealed_alert_before_the_server_has_verified) {
  Stage stage(Role::Client, QkdPolicy::Preferred);
  stage.reach(State::AwaitServerAuth);
  stage.give(stage.puppet().say(wire::FrameType::Handshake, alert(60)));
  EXPECT_EQ(stage.closed(), Reason::QkdUnavailable);
  EXPECT_TRUE(stage.seen().closed->by_peer);
  EXPECT_FALSE(stage.end().may_redial_without_qkd());
}

TEST(Redial, is_allowed_by_a_sealed_alert_once_the_server_has_verified) {
  Stage stage(Role::Client, QkdPolicy::Preferred);
  stage.reach(State::AwaitServerFinish);
  stage.give(stage.puppet().say(wire::FrameType::Handshake, alert(60)));
  EXPECT_EQ(stage.closed(), Reason::QkdUnavailable);
  EXPECT_TRUE(stage.end().may_redial_without_qkd());
}

TEST(Redial, is_not_allowed_by_a_close_of_an_established_session) {
  World world(QkdPolicy::Preferred);
  const auto pair = world.established();
  pair->close(Role::Server, Reason::QkdUnavailable, "");
  pair->run();
  EXPECT_EQ(pair->seen(Role::Client).closed.value_or(Closed{}).reason, Reason::QkdUnavailable);
  EXPECT_FALSE(channel(*pair, Role::Client).may_redial_without_qkd());
}

// SPEC §5.9.
TEST(Redial, offers_none_in_that_one_dial_and_says_so) {
  World world(QkdPolicy::Preferred);
  world.client.redial_without_qkd = true;
  const auto redial = world.established();
  ASSERT_TRUE(redial->seen(Role::Client).session_id);
  EXPECT_EQ(offer_of(redial->made(Role::Client).at(0)), 0);
  EXPECT_FALSE(channel(*redial, Role::Client).status().qkd_mixed);
  EXPECT_TRUE(channel(*redial, Role::Client).status().without_qkd);
  EXPECT_TRUE(channel(*redial, Role::Server).status().without_qkd);
  EXPECT_TRUE(redial->seen(Role::Client).qkd.empty());

  world.client.redial_without_qkd = false;
  const auto next = world.established();
  EXPECT_EQ(offer_of(next->made(Role::Client).at(0)), 1);
  EXPECT_TRUE(channel(*next, Role::Client).status().qkd_mixed);
  EXPECT_FALSE(channel(*next, Role::Client).status().without_qkd);
}

TEST(Redial, itself_never_leads_to_another) {
  Stage stage(Role::Client, QkdPolicy::None, [](World& world) {
    world.client.peer = world.bob.pinned(QkdPolicy::Preferred);
    world.client.redial_without_qkd = true;
  });
  stage.puppet().script.qkd = 0;
  stage.reach(State::AwaitServerFinish);
  stage.give(stage.puppet().say(wire::FrameType::Handshake, alert(60)));
  EXPECT_EQ(stage.closed(), Reason::QkdUnavailable);
  EXPECT_FALSE(stage.end().may_redial_without_qkd());
}

TEST(Redial, is_refused_by_a_listener_that_requires_qkd) {
  Wanted world(QkdPolicy::Preferred, QkdPolicy::Required, QkdPolicy::Preferred);
  world.client.redial_without_qkd = true;
  const auto pair = world.established();
  for (const Role role : kBoth) {
    EXPECT_EQ(pair->seen(role).closed.value_or(Closed{}).reason, Reason::HandshakeFailed);
  }
}

// The rule for light rekeys and the pinned peer's demand.

TEST(Policy, a_server_whose_peer_demands_a_kem_key_makes_no_light_rekey) {
  World world;
  world.server.rekey.light = true;
  world.pinned = Pinned();
  Peer alice = world.alice.pinned();
  alice.rekey_demands_kem = true;
  world.pinned.pin(alice);
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  pair->run();
  EXPECT_EQ(pair->at(Role::Server).epoch(), 2U);
  EXPECT_TRUE(channel(*pair, Role::Client).status().current.kem);
}

}  // namespace
}  // namespace qsp::test

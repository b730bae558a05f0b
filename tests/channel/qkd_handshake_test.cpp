// When a handshake asks for a QKD key, which answers it takes, and for how long it waits (SPEC §5.7).
#include <gtest/gtest.h>

#include "channel/qkd_answers.hpp"
#include "channel/traffic.hpp"

namespace qsp::test {
namespace {

using std::chrono::seconds;

TEST(QkdHandshake, a_key_is_asked_for_only_after_the_other_end_is_authenticated) {
  World world(QkdPolicy::Required);
  const auto pair = world.pair();
  ASSERT_TRUE(pair->deliver(Role::Client));
  EXPECT_TRUE(pair->seen(Role::Server).qkd.empty()) << "CLIENT_HELLO";
  ASSERT_TRUE(pair->deliver(Role::Server));
  EXPECT_TRUE(pair->seen(Role::Client).qkd.empty()) << "SERVER_HELLO";
  ASSERT_TRUE(pair->deliver(Role::Server));
  ASSERT_EQ(pair->seen(Role::Client).qkd.size(), 1U) << "SERVER_AUTH";
  EXPECT_EQ(asked(*pair, Role::Client).sae_id, "SAE-bob");
  EXPECT_FALSE(asked(*pair, Role::Client).key_id);
  ASSERT_TRUE(provide(*pair, Role::Client, kLower));
  EXPECT_TRUE(pair->seen(Role::Server).qkd.empty());
  ASSERT_TRUE(pair->deliver(Role::Client));
  ASSERT_EQ(pair->seen(Role::Server).qkd.size(), 1U) << "CLIENT_AUTH";
  EXPECT_EQ(asked(*pair, Role::Server).sae_id, "SAE-alice");
  EXPECT_EQ(asked(*pair, Role::Server).key_id, kLower);
  EXPECT_FALSE(pair->seen(Role::Server).session_id) << "no Established before the key";
}

TEST(QkdHandshake, no_key_is_spent_for_a_server_with_a_foreign_sae_id) {
  World world(QkdPolicy::Required);
  world.server.sae_id = "SAE-mallory";
  const auto pair = world.established();
  EXPECT_EQ(reason(*pair, Role::Client), Reason::HandshakeFailed);
  EXPECT_EQ(reason(*pair, Role::Server), Reason::HandshakeFailed);
  EXPECT_TRUE(pair->seen(Role::Client).qkd.empty());
}

TEST(QkdHandshake, no_key_is_spent_for_a_client_with_a_foreign_sae_id) {
  World world(QkdPolicy::Required);
  world.client.sae_id = "SAE-mallory";
  const auto pair = world.established();
  EXPECT_EQ(reason(*pair, Role::Client), Reason::HandshakeFailed);
  EXPECT_EQ(reason(*pair, Role::Server), Reason::HandshakeFailed);
  EXPECT_TRUE(pair->seen(Role::Server).qkd.empty());
}

// SPEC §5.7, Appendix B 23.
TEST(QkdHandshake, an_answer_of_the_clients_kme_that_is_not_a_key_and_a_uuid_is_qkd_unavailable) {
  const std::vector<std::pair<std::string, std::size_t>> answers{{std::string(kLower), 0},
                                                                 {std::string(kLower), 31},
                                                                 {"", 32},
                                                                 {"not a uuid", 32},
                                                                 {std::string(kLower) + "0", 32},
                                                                 {"../../etc/passwd", 32},
                                                                 {"abcdef01-2345-4678-89ab-cdef0123456g", 32}};
  for (const auto& [key_id, size] : answers) {
    World world(QkdPolicy::Required);
    const auto pair = world.pair();
    pair->run();
    ASSERT_TRUE(provide(*pair, Role::Client, key_id, QkdKey(size)));
    pair->run();
    EXPECT_EQ(reason(*pair, Role::Client), Reason::QkdUnavailable) << key_id;
    EXPECT_EQ(reason(*pair, Role::Server), Reason::HandshakeFailed == reason(*pair, Role::Server)
                                               ? Reason::HandshakeFailed
                                               : Reason::QkdUnavailable);
    EXPECT_TRUE(pair->seen(Role::Server).closed) << "the server is told with a sealed ALERT";
    EXPECT_TRUE(pair->seen(Role::Server).qkd.empty());
  }
}

// SPEC §5.7.
TEST(QkdHandshake, an_answer_of_the_servers_kme_for_another_key_id_is_qkd_unavailable) {
  for (const auto& [key_id, size] :
       {std::pair(kOther, 32U), std::pair(kLower, 31U), std::pair(kLower, 0U), std::pair(std::string_view(""), 32U)}) {
    World world(QkdPolicy::Required);
    const auto pair = world.pair();
    pair->run();
    ASSERT_TRUE(provide(*pair, Role::Client, kLower));
    pair->run();
    ASSERT_TRUE(provide(*pair, Role::Server, key_id, QkdKey(size)));
    pair->run();
    for (const Role role : kBoth) EXPECT_EQ(reason(*pair, role), Reason::QkdUnavailable) << key_id << size;
    EXPECT_FALSE(pair->seen(Role::Server).session_id);
  }
}

// SPEC §5.7.
TEST(QkdHandshake, a_key_id_in_another_letter_case_is_the_same_one) {
  World world(QkdPolicy::Required);
  const auto pair = world.pair();
  pair->run();
  ASSERT_TRUE(provide(*pair, Role::Client, kLower));
  pair->run();
  ASSERT_TRUE(provide(*pair, Role::Server, kUpper));
  pair->run();
  for (const Role role : kBoth) {
    ASSERT_TRUE(pair->seen(role).session_id);
    EXPECT_EQ(channel(*pair, role).status().current.key_id, kLower);
  }
}

TEST(QkdHandshake, keys_that_differ_are_noticed_by_confirm) {
  World world(QkdPolicy::Required);
  const auto pair = world.pair();
  pair->run();
  ASSERT_TRUE(provide(*pair, Role::Client, kLower, QkdKey::copy_of(std::array<std::uint8_t, 32>{1})));
  pair->run();
  ASSERT_TRUE(provide(*pair, Role::Server, kLower, QkdKey::copy_of(std::array<std::uint8_t, 32>{2})));
  pair->run();
  for (const Role role : kBoth) {
    EXPECT_EQ(reason(*pair, role), Reason::HandshakeFailed);
    EXPECT_FALSE(pair->seen(role).session_id);
  }
}

TEST(QkdHandshake, the_client_waits_four_seconds_from_its_question) {
  World world(QkdPolicy::Required);
  const auto pair = world.pair();
  pair->advance(seconds(3));
  pair->run();
  EXPECT_EQ(asked(*pair, Role::Client).deadline, pair->now() + seconds(4));
  EXPECT_EQ(pair->at(Role::Client).next_timeout(), pair->now() + seconds(4));
  pair->advance(seconds(4));
  EXPECT_EQ(reason(*pair, Role::Client), Reason::QkdUnavailable);
}

TEST(QkdHandshake, the_server_waits_until_eight_seconds_after_accept) {
  World world(QkdPolicy::Required);
  const auto pair = world.pair();
  const Instant accepted = pair->now();
  pair->advance(seconds(3));
  pair->run();
  ASSERT_TRUE(provide(*pair, Role::Client, kLower));
  pair->run();
  EXPECT_EQ(asked(*pair, Role::Server).deadline, accepted + seconds(8));
  pair->advance(seconds(5) - Instant(1));
  EXPECT_FALSE(pair->seen(Role::Server).closed);
  pair->advance(Instant(1));
  EXPECT_EQ(reason(*pair, Role::Server), Reason::QkdUnavailable);
}

// SPEC §5.7.
TEST(QkdHandshake, no_key_is_asked_for_where_no_time_is_left) {
  World world(QkdPolicy::Required);
  const auto pair = world.pair();
  ASSERT_TRUE(pair->deliver(Role::Client));
  pair->advance(seconds(6));
  pair->run();
  ASSERT_TRUE(provide(*pair, Role::Client, kLower));
  pair->advance(seconds(2));
  pair->run();
  EXPECT_TRUE(pair->seen(Role::Server).qkd.empty());
  for (const Role role : kBoth) EXPECT_EQ(reason(*pair, role), Reason::Timeout);
}

/// SPEC §5.7, §5.9: who delays CLIENT_AUTH must not make a "preferred" client do without QKD. A KME that had less than
/// 4 s and says nothing has not failed; one that says that it has no key has.
TEST(QkdHandshake, a_client_auth_that_comes_late_is_a_timeout_and_no_failure_of_the_kme) {
  struct Case {
    Instant late;
    bool silent;
    Reason reason;
  };
  for (const Case& one :
       {Case{seconds(4), true, Reason::QkdUnavailable}, Case{seconds(4) + Instant(1), true, Reason::Timeout},
        Case{seconds(8) - Instant(1), true, Reason::Timeout}, Case{seconds(8), true, Reason::Timeout},
        Case{seconds(7), false, Reason::QkdUnavailable}}) {
    World world(QkdPolicy::Preferred);
    const auto pair = world.pair();
    pair->run();
    ASSERT_TRUE(provide(*pair, Role::Client, kLower));
    pair->advance(one.late);
    pair->run();
    if (!one.silent) {
      ASSERT_TRUE(refuse(*pair, Role::Server));
    }
    pair->advance(seconds(8) - one.late);
    pair->run();
    for (const Role role : kBoth) EXPECT_EQ(reason(*pair, role), one.reason) << one.late.count();
    EXPECT_EQ(channel(*pair, Role::Client).may_redial_without_qkd(), one.reason == Reason::QkdUnavailable);
  }
}

/// SPEC §5.7, §5.9: "not a timer of the handshake": a SERVER_AUTH that comes late leaves the client's KME less than its
/// 4 s.
TEST(QkdHandshake, a_server_auth_that_comes_late_is_a_timeout_and_no_failure_of_the_kme) {
  for (const Instant late : {seconds(6) - Instant(1), seconds(6) + Instant(0), seconds(10) - Instant(1)}) {
    World world(QkdPolicy::Preferred);
    const auto pair = world.pair();
    pair->advance(late);
    pair->run();
    ASSERT_EQ(pair->seen(Role::Client).qkd.size(), 1U);
    pair->advance(std::min<Instant>(seconds(4), seconds(10) - late));
    const bool whole = late < seconds(6);
    EXPECT_EQ(reason(*pair, Role::Client), whole ? Reason::QkdUnavailable : Reason::Timeout) << late.count();
    EXPECT_EQ(channel(*pair, Role::Client).may_redial_without_qkd(), whole);
  }
}

// SPEC Appendix B 32.
TEST(QkdHandshake, a_shorter_handshake_timeout_ends_the_wait) {
  World world(QkdPolicy::Required);
  world.client.handshake_timeout = world.server.handshake_timeout = seconds(2);
  const auto pair = world.pair();
  pair->run();
  EXPECT_EQ(asked(*pair, Role::Client).deadline, pair->now() + seconds(2));
  pair->advance(seconds(2));
  EXPECT_EQ(reason(*pair, Role::Client), Reason::Timeout);
}

// SPEC §5.7.
TEST(QkdHandshake, an_answer_that_nobody_awaits_is_api_misuse) {
  World world(QkdPolicy::Required);
  const auto pair = world.pair();
  const auto misused = [&](Role role) {
    const auto given = provide(*pair, role, kLower);
    const auto refused = refuse(*pair, role);
    return !given && given.error().kind == ErrorKind::ApiMisuse && !refused &&
           refused.error().kind == ErrorKind::ApiMisuse;
  };
  for (const Role role : kBoth) EXPECT_TRUE(misused(role)) << "before the handshake";
  pair->run();
  EXPECT_TRUE(misused(Role::Server));
  ASSERT_TRUE(provide(*pair, Role::Client, kLower));
  EXPECT_TRUE(misused(Role::Client)) << "answered already";
  pair->run();
  ASSERT_TRUE(provide(*pair, Role::Server, kLower));
  pair->run();
  for (const Role role : kBoth) {
    EXPECT_TRUE(misused(role)) << "established";
    ASSERT_TRUE(pair->seen(role).session_id);
    EXPECT_FALSE(pair->seen(role).closed);
  }
  pair->close(Role::Client, Reason::Normal, "");
  pair->run();
  for (const Role role : kBoth) EXPECT_TRUE(misused(role)) << "closed";
}

TEST(QkdHandshake, an_answer_at_its_deadline_is_api_misuse_though_no_timer_has_fired) {
  for (const Role role : kBoth) {
    World world(QkdPolicy::Required);
    const auto pair = world.pair();
    pair->run();
    if (role == Role::Server) {
      ASSERT_TRUE(provide(*pair, Role::Client, kLower));
      pair->run();
    }
    const Instant late = asked(*pair, role).deadline;
    const auto given = channel(*pair, role).provide_qkd_key({std::string(kLower), QkdKey()}, late);
    ASSERT_FALSE(given);
    EXPECT_EQ(given.error().kind, ErrorKind::ApiMisuse);
    const auto failed = channel(*pair, role).fail_qkd_key(QkdFailure::Unavailable, late);
    ASSERT_FALSE(failed);
    EXPECT_FALSE(pair->at(role).poll_event());
    pair->at(role).handle_timeout(late);
    pair->drain(role);
    EXPECT_EQ(reason(*pair, role), Reason::QkdUnavailable);
  }
}

TEST(QkdHandshake, a_spent_budget_is_limit) {
  for (const Role role : kBoth) {
    World world(QkdPolicy::Preferred);
    const auto pair = world.pair();
    pair->run();
    if (role == Role::Server) {
      ASSERT_TRUE(provide(*pair, Role::Client, kLower));
      pair->run();
    }
    ASSERT_TRUE(refuse(*pair, role, QkdFailure::Budget));
    EXPECT_EQ(reason(*pair, role), Reason::Limit);
  }
}

// SPEC §5.7.
TEST(QkdHandshake, a_key_is_wiped_whether_it_is_taken_or_not) {
  World world(QkdPolicy::Required);
  const auto pair = world.pair();
  const auto all_zero = [](const QkdKey& key) {
    return std::ranges::all_of(key.reveal(), [](std::uint8_t byte) { return byte == 0; });
  };
  DeliveredKey unwanted{std::string(kLower), QkdKey::copy_of(std::array<std::uint8_t, 32>{7})};
  ASSERT_FALSE(channel(*pair, Role::Client).provide_qkd_key(std::move(unwanted), pair->now()));
  EXPECT_TRUE(
      all_zero(unwanted.key));  // NOLINT(bugprone-use-after-move): what a moved-from secret holds is the question
  pair->run();
  DeliveredKey wanted{std::string(kLower), QkdKey::copy_of(std::array<std::uint8_t, 32>{7})};
  ASSERT_TRUE(channel(*pair, Role::Client).provide_qkd_key(std::move(wanted), pair->now()));
  EXPECT_TRUE(all_zero(wanted.key));  // NOLINT(bugprone-use-after-move)
}

}  // namespace
}  // namespace qsp::test

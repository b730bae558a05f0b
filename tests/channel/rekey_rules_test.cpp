// What a dishonest or careless peer may not do in a rekey, and what it costs at most (SPEC §7.3).
#include <gtest/gtest.h>

#include <algorithm>

#include "channel/rekey_rules.hpp"
#include "channel/traffic.hpp"
#include "qsp/suites.hpp"

namespace qsp::test {
namespace {

using std::chrono::seconds;
using wire::RekeyAck;
using wire::RekeyDone;
using wire::RekeyInit;
using wire::RekeyMessage;
using wire::RekeyNak;
using wire::RekeyRequest;

constexpr std::string_view kKeyId = "0f0f0f0f-0000-4000-8000-0123456789ab";
constexpr Reason kQkd = Reason::QkdUnavailable;

RekeyInit init(std::uint32_t new_epoch, Bytes share = {}, std::string_view key_id = {}) {
  static constexpr std::array<std::uint8_t, wire::kMaterialSize> kZeros{};
  return {.new_epoch = new_epoch, .material = kZeros, .kem_public_key = share, .key_id = key_id};
}
RekeyAck ack(std::uint32_t new_epoch, Bytes ciphertext = {}) {
  return {.new_epoch = new_epoch, .confirm = {}, .kem_ciphertext = ciphertext};
}

TEST(RekeyRules, an_idle_client_refuses_what_no_server_may_say) {
  const std::vector<std::pair<RekeyMessage, Reason>> cases{
      {init(0), Reason::ProtocolError},
      {init(1), Reason::ProtocolError},
      {init(3), Reason::ProtocolError},
      {init(0xffff'ffff), Reason::ProtocolError},
      {init(2, {}, kKeyId), Reason::ProtocolError},  // mode 0
      {ack(2), Reason::ProtocolError},
      {RekeyRequest{2}, Reason::ProtocolError},
      {RekeyNak{2, kQkd}, Reason::ProtocolError},
      {RekeyDone{1}, Reason::ProtocolError},
      {RekeyDone{2}, Reason::ProtocolError},
      {init(2, as_bytes("not a share")), Reason::RekeyFailed},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    Rules rules(Role::Server);
    rules.peer->send(cases[i].first);
    EXPECT_EQ(rules.closed(), cases[i].second) << "case " << i;
    EXPECT_EQ(rules.pair->defect(), "");
  }
}

// SPEC §3.1.
TEST(RekeyRules, a_share_that_fails_its_check_is_rekey_failed) {
  Rules rules(Role::Server);
  std::vector<std::uint8_t> refused(crypto::info(crypto::KemId::X25519MlKem768).public_key_size, 0xff);
  rules.peer->send(init(2, refused));
  EXPECT_EQ(rules.closed(), Reason::RekeyFailed);
}

TEST(RekeyRules, a_second_init_in_flight_is_refused) {
  Rules done_awaited(Role::Server);
  done_awaited.peer->send(init(2));
  ASSERT_EQ(done_awaited.pair->at(Role::Client).epoch(), 2U);
  done_awaited.peer->send(init(3));
  EXPECT_EQ(done_awaited.closed(), Reason::ProtocolError);

  Rules key_awaited(Role::Server, QkdPolicy::Preferred);
  key_awaited.peer->send(init(2, {}, kKeyId));
  ASSERT_EQ(key_awaited.pair->seen(Role::Client).qkd.size(), 2U);
  key_awaited.peer->send(init(2, {}, kKeyId));
  EXPECT_EQ(key_awaited.closed(), Reason::ProtocolError);
}

TEST(RekeyRules, done_for_another_epoch_is_refused) {
  for (const std::uint32_t epoch : {0U, 1U, 3U}) {
    Rules rules(Role::Server);
    rules.peer->send(init(2));
    rules.peer->epoch = 2;
    rules.peer->send(RekeyDone{epoch});
    EXPECT_EQ(rules.closed(), Reason::ProtocolError) << epoch;
  }
}

// SPEC §7.4.
TEST(RekeyRules, done_sealed_under_the_old_epoch_is_refused) {
  Rules rules(Role::Server);
  rules.peer->send(init(2));
  rules.peer->send(RekeyDone{2});
  EXPECT_EQ(rules.closed(), Reason::ProtocolError);
}

// SPEC §7.5, Appendix B 33.
TEST(RekeyRules, an_init_weaker_than_the_clients_policy_is_answered_with_close) {
  struct Case {
    QkdPolicy qkd;
    bool demands_kem, share, key_id;
    std::optional<Reason> reason;
  };
  for (const Case& c : {Case{QkdPolicy::None, true, false, false, Reason::RekeyFailed},
                        Case{QkdPolicy::None, true, true, false, std::nullopt},
                        Case{QkdPolicy::None, false, false, false, std::nullopt},
                        Case{QkdPolicy::Required, false, true, false, Reason::QkdUnavailable},
                        Case{QkdPolicy::Required, false, false, false, Reason::QkdUnavailable},
                        Case{QkdPolicy::Required, true, false, false, Reason::RekeyFailed},
                        Case{QkdPolicy::Required, true, false, true, Reason::RekeyFailed},
                        Case{QkdPolicy::Required, true, true, true, std::nullopt},
                        Case{QkdPolicy::Preferred, false, true, false, std::nullopt},
                        Case{QkdPolicy::Preferred, false, false, true, std::nullopt},
                        Case{QkdPolicy::Preferred, false, false, false, Reason::RekeyFailed},
                        Case{QkdPolicy::Preferred, true, false, true, Reason::RekeyFailed}}) {
    Rules rules(Role::Server, c.qkd, false, c.demands_kem);
    const std::size_t asked = rules.pair->seen(Role::Client).qkd.size();
    rules.peer->send(init(2, c.share ? rules.share() : Bytes{}, c.key_id ? kKeyId : std::string_view{}));
    const std::string where = "share " + std::to_string(c.share) + ", key_ID " + std::to_string(c.key_id) +
                              ", demands KEM " + std::to_string(c.demands_kem);
    EXPECT_EQ(rules.closed(), c.reason) << where;
    EXPECT_EQ(rules.pair->seen(Role::Client).qkd.size(), asked + (c.key_id && !c.reason ? 1U : 0U)) << where;
    if (!c.reason) continue;
    // The peer is told why, under the epoch that still stands.
    const auto told = rules.peer->take();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(wire::parse_close(told[0]).value().reason, *c.reason);
  }
}

TEST(RekeyRules, an_idle_server_refuses_what_no_client_may_say) {
  const std::vector<RekeyMessage> cases{init(2),           init(2, {}, kKeyId), RekeyDone{1},    RekeyDone{2},   ack(2),
                                        RekeyNak{2, kQkd}, RekeyRequest{0},     RekeyRequest{1}, RekeyRequest{3}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    Rules rules(Role::Client);
    rules.peer->send(cases[i]);
    EXPECT_EQ(rules.closed(), Reason::ProtocolError) << "case " << i;
  }
}

TEST(RekeyRules, a_server_that_waits_for_its_kme_refuses_ack_and_nak) {
  for (const RekeyMessage& message : {RekeyMessage(ack(2)), RekeyMessage(RekeyNak{2, kQkd})}) {
    Rules rules(Role::Client, QkdPolicy::Required);
    ASSERT_TRUE(rules.pair->rekey(Role::Server));
    rules.peer->send(message);
    EXPECT_EQ(rules.closed(), Reason::ProtocolError);
  }
}

TEST(RekeyRules, an_answer_that_does_not_fit_its_init_is_refused) {
  const std::vector<std::uint8_t> ciphertext(crypto::info(crypto::KemId::X25519MlKem768).ciphertext_size);
  struct Case {
    bool light;
    RekeyMessage answer;
    Reason reason;
  };
  const std::vector<Case> cases{
      {false, ack(2), Reason::ProtocolError},             // a public key without a ciphertext
      {true, ack(2, ciphertext), Reason::ProtocolError},  // the reverse
      {false, ack(3, ciphertext), Reason::ProtocolError},
      {false, ack(1, ciphertext), Reason::ProtocolError},
      {false, ack(2, Bytes(ciphertext).first(9)), Reason::RekeyFailed},
      {false, ack(2, ciphertext), Reason::RekeyFailed},  // confirm
      {true, ack(2), Reason::RekeyFailed},
      {false, RekeyNak{2, kQkd}, Reason::ProtocolError},  // its INIT had no key_ID
      {true, RekeyNak{2, kQkd}, Reason::ProtocolError},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    Rules rules(Role::Client, QkdPolicy::None, cases[i].light);
    ASSERT_TRUE(rules.pair->rekey(Role::Server));
    rules.peer->send(cases[i].answer);
    EXPECT_EQ(rules.closed(), cases[i].reason) << "case " << i;
    EXPECT_TRUE(rules.pair->seen(Role::Server).epochs.empty()) << "case " << i;
  }
}

TEST(RekeyRules, a_nak_says_the_epoch_and_qkd_unavailable_or_is_refused) {
  for (const std::uint32_t epoch : {0U, 1U, 3U}) {
    Rules rules(Role::Client, QkdPolicy::Required);
    ASSERT_TRUE(rules.pair->rekey(Role::Server));
    ASSERT_TRUE(rules.world.answer(*rules.pair, Role::Server));
    rules.peer->send(RekeyNak{epoch, kQkd});
    EXPECT_EQ(rules.closed(), Reason::ProtocolError) << epoch;
  }
  for (const Reason reason : {Reason::Normal, Reason::RekeyFailed, Reason::Limit}) {
    Rules rules(Role::Client, QkdPolicy::Required);
    ASSERT_TRUE(rules.pair->rekey(Role::Server));
    ASSERT_TRUE(rules.world.answer(*rules.pair, Role::Server));
    rules.peer->send(RekeyNak{2, reason});
    EXPECT_EQ(rules.closed(), Reason::ProtocolError) << name(reason);
  }
}

TEST(RekeyRules, an_ack_is_taken_once) {
  Rules rules(Role::Client, QkdPolicy::None, true);
  ASSERT_TRUE(rules.pair->rekey(Role::Server));
  rules.pair->run();  // the honest client answers
  MaliciousEnd client(*rules.pair, Role::Client, rules.insider);
  ASSERT_EQ(client.epoch, 2U);
  client.send(ack(3));
  EXPECT_EQ(rules.closed(), Reason::ProtocolError);
}

// SPEC Appendix B 20.
TEST(RekeyRules, ends_whose_qkd_keys_differ_both_say_rekey_failed) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  ASSERT_TRUE(world.answer(*pair, Role::Server));
  pair->run();
  const QkdKeyNeeded need = pair->seen(Role::Client).qkd.back();
  std::array<std::uint8_t, 32> corrupt{};
  ASSERT_TRUE(channel(*pair, Role::Client).provide_qkd_key({*need.key_id, QkdKey::copy_of(corrupt)}, pair->now()));
  pair->drain(Role::Client);
  pair->run();
  for (const Role role : kBoth) {
    ASSERT_TRUE(pair->seen(role).closed);
    EXPECT_EQ(pair->seen(role).closed->reason, Reason::RekeyFailed);
    EXPECT_EQ(pair->seen(role).closed->by_peer, role == Role::Client);
    EXPECT_TRUE(pair->seen(role).epochs.empty());
    EXPECT_FALSE(channel(*pair, role).may_redial_without_qkd());
  }
  EXPECT_EQ(pair->seen(Role::Server).qkd.size(), 2U) << "never retried inside the session";
}

TEST(RekeyRules, a_flood_of_naks_under_required_costs_one_key_in_ten_seconds_until_the_hard_life) {
  Rules rules(Role::Client, QkdPolicy::Required);
  ASSERT_TRUE(rules.pair->rekey(Role::Server));
  const Instant began = rules.pair->now();
  std::size_t inits = 0;
  while (!rules.closed() && rules.pair->now() < began + seconds(1'000)) {
    if (rules.world.answer(*rules.pair, Role::Server)) {
      const auto message = rules.peer->take_rekey();
      ASSERT_TRUE(message && std::holds_alternative<RekeyInit>(*message));
      EXPECT_FALSE(std::get<RekeyInit>(*message).key_id.empty()) << "never KEM only under required";
      ++inits;
      rules.peer->send(RekeyNak{2, kQkd});
    }
    rules.pair->advance(seconds(1));
  }
  EXPECT_EQ(rules.closed(), kQkd);
  EXPECT_EQ(rules.pair->now() - began, seconds(540)) << "interval and hard life";
  EXPECT_EQ(inits, 54U);
}

TEST(RekeyRules, a_second_nak_in_an_epoch_is_refused_where_the_server_went_on_without_qkd) {
  Rules rules(Role::Client, QkdPolicy::Preferred);
  ASSERT_TRUE(rules.pair->rekey(Role::Server));
  ASSERT_TRUE(rules.world.answer(*rules.pair, Role::Server));
  rules.peer->send(RekeyNak{2, kQkd});
  const auto message = rules.peer->take_rekey();
  ASSERT_TRUE(message && std::holds_alternative<RekeyInit>(*message));
  EXPECT_TRUE(std::get<RekeyInit>(*message).key_id.empty());
  EXPECT_FALSE(std::get<RekeyInit>(*message).kem_public_key.empty());
  rules.peer->send(RekeyNak{2, kQkd});
  EXPECT_EQ(rules.closed(), Reason::ProtocolError);
}

// SPEC §7.3: in Backoff no INIT is in flight, and a REQ is answered by the attempt that is pending.
TEST(RekeyRules, between_a_nak_and_the_next_attempt_ack_and_nak_are_refused_and_a_request_hastens_nothing) {
  for (const RekeyMessage& message :
       {RekeyMessage(ack(2)), RekeyMessage(RekeyNak{2, kQkd}), RekeyMessage(RekeyRequest{2})}) {
    Rules rules(Role::Client, QkdPolicy::Required);
    ASSERT_TRUE(rules.pair->rekey(Role::Server));
    ASSERT_TRUE(rules.world.answer(*rules.pair, Role::Server));
    rules.peer->send(RekeyNak{2, kQkd});
    const std::size_t asked = rules.pair->seen(Role::Server).qkd.size();
    rules.pair->advance(seconds(10) - Instant(1));
    rules.peer->send(message);
    if (!std::holds_alternative<RekeyRequest>(message)) {
      EXPECT_EQ(rules.closed(), Reason::ProtocolError);
      continue;
    }
    EXPECT_FALSE(rules.closed());
    EXPECT_EQ(rules.pair->seen(Role::Server).qkd.size(), asked);
    rules.pair->advance(Instant(1));
    EXPECT_EQ(rules.pair->seen(Role::Server).qkd.size(), asked + 1);
  }
}

// SPEC §7.3: after its NAK a client is Idle in its epoch: it takes a new INIT, and no DONE.
TEST(RekeyRules, after_its_nak_a_client_takes_another_init_and_no_done) {
  for (const bool done : {false, true}) {
    Rules rules(Role::Server, QkdPolicy::Preferred);
    rules.peer->send(init(2, {}, kKeyId));
    ASSERT_TRUE(channel(*rules.pair, Role::Client).fail_qkd_key(QkdFailure::Unavailable, rules.pair->now()));
    rules.pair->drain(Role::Client);
    const auto nak = rules.peer->take_rekey();
    ASSERT_TRUE(nak && std::holds_alternative<RekeyNak>(*nak));
    if (done) {
      rules.peer->send(RekeyDone{2});
      EXPECT_EQ(rules.closed(), Reason::ProtocolError);
    } else {
      rules.peer->send(init(2, rules.share()));
      EXPECT_EQ(rules.pair->at(Role::Client).epoch(), 2U);
      EXPECT_FALSE(rules.closed());
    }
  }
}

TEST(RekeyRules, the_material_of_a_rekey_that_met_a_nak_is_not_used_again) {
  Rules rules(Role::Client, QkdPolicy::Preferred);
  ASSERT_TRUE(rules.pair->rekey(Role::Server));
  ASSERT_TRUE(rules.world.answer(*rules.pair, Role::Server));
  const Bytes material = std::get<RekeyInit>(rules.peer->take_rekey().value()).material;
  const Message first(material.begin(), material.end());
  rules.peer->send(RekeyNak{2, kQkd});
  EXPECT_FALSE(std::ranges::equal(std::get<RekeyInit>(rules.peer->take_rekey().value()).material, first));
}

}  // namespace
}  // namespace qsp::test

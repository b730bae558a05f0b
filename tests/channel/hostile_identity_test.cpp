// Who may be whom (SPEC §4, §5.6's checks of SERVER_AUTH and CLIENT_AUTH).
#include <gtest/gtest.h>

#include "channel/stage.hpp"
#include "handshake/handshake.hpp"
#include "qsp/suites.hpp"

namespace qsp::test {
namespace {

/// A client in front of a server that uses the key of `party`.
struct Meeting {
  explicit Meeting(QkdPolicy qkd = QkdPolicy::None) : stage(Role::Client, qkd) {}
  Stage stage;
  void serve(const Party& party, const std::function<void(Puppet&)>& prepare = {}, const Edit& edit = {},
             const Edit& after_signing = {}) {
    Puppet bob(Role::Server, *stage.world().server_provider, party);
    bob.script = stage.puppet().script;
    if (prepare) prepare(bob);
    stage.give(bob.server_hello(stage.take()));
    stage.give(bob.server_auth(edit, after_signing));
    if (!stage.pair().in_flight(Role::Client).empty()) said = bob.hear(stage.take());
  }
  std::optional<Message> said;
  void expect_refused(Reason reason, Reason told) {
    EXPECT_EQ(stage.closed(), reason);
    EXPECT_FALSE(stage.seen().session_id);
    EXPECT_TRUE(stage.seen().qkd.empty()) << "a QKD key was asked for";
    ASSERT_TRUE(said);
    const auto alert = wire::parse_alert(*said);
    ASSERT_TRUE(alert) << "the client said something else than an ALERT";
    EXPECT_EQ(alert->reason, told);
    EXPECT_TRUE(stage.take().empty());
  }
  void expect_refused() { expect_refused(Reason::HandshakeFailed, Reason::HandshakeFailed); }
};

// SPEC §4.
TEST(ServerIdentity, a_pinned_peer_that_is_not_the_one_dialled_is_refused) {
  Meeting meeting(QkdPolicy::Required);
  const Party carol = make_party(*meeting.stage.world().server_provider, "carol");
  // Pinned at this end, only not under the name that was dialled.
  meeting.stage.world().pinned.pin(carol.pinned(QkdPolicy::Required));
  meeting.serve(carol);
  meeting.expect_refused();
}

// SPEC §4.
TEST(ServerIdentity, an_unknown_key_is_refused) {
  Meeting meeting;
  meeting.serve(make_party(*meeting.stage.world().server_provider, "mallory"));
  meeting.expect_refused();
}

TEST(ServerIdentity, the_dialled_identity_without_its_key_is_refused) {
  Meeting meeting;
  meeting.serve(make_party(*meeting.stage.world().server_provider, "mallory"),
                [&](Puppet& bob) { bob.script.identity = meeting.stage.world().bob.key.identity; });
  meeting.expect_refused();
}

TEST(ServerIdentity, the_dialled_key_under_another_identity_is_refused) {
  Meeting meeting(QkdPolicy::Required);
  meeting.serve(meeting.stage.world().bob, [](Puppet& bob) { bob.script.identity.emplace().fill(7); });
  meeting.expect_refused();
}

// SPEC §4.
TEST(ServerIdentity, a_client_refuses_its_own_identity_though_it_were_pinned) {
  Stage stage(Role::Client, QkdPolicy::None, [](World& world) { world.client.peer.keys = {world.alice.key}; });
  Puppet self(Role::Server, *stage.world().server_provider, stage.world().alice);
  stage.give(self.server_hello(stage.take()));
  stage.give(self.server_auth());
  EXPECT_EQ(stage.closed(), Reason::HandshakeFailed);
}

// SPEC §5.3.
TEST(ServerIdentity, a_key_under_another_algorithm_than_server_hello_named_is_refused) {
  World* world = nullptr;
  std::optional<Party> second;
  Stage stage(Role::Client, QkdPolicy::None, [&](World& w) {
    world = &w;
    second = make_party(*w.server_provider, "bob", crypto::SignatureId::MlDsa44);
    w.client.peer.keys.push_back(second->key);
  });
  Puppet bob(Role::Server, *stage.world().server_provider, *second);
  bob.script = stage.puppet().script;
  bob.script.signature = 0x0905;  // offered, but the identity shown later pins ML-DSA-44
  stage.give(bob.server_hello(stage.take()));
  stage.give(bob.server_auth());
  EXPECT_EQ(stage.closed(), Reason::HandshakeFailed);
}

TEST(ServerIdentity, a_signature_of_a_wrong_length_is_refused) {
  Meeting meeting;
  meeting.serve(meeting.stage.world().bob, {}, {}, [](Message& message) {
    message.pop_back();
    message[message.size() - 3308 - 1] = static_cast<std::uint8_t>(3308 & 0xff);
    mend_length(message);
  });
  meeting.expect_refused();
}

TEST(ServerIdentity, another_sae_id_than_the_pinned_one_is_refused_before_the_kme_is_asked) {
  Meeting meeting(QkdPolicy::Required);
  meeting.serve(meeting.stage.world().bob, [](Puppet& bob) { bob.script.sae_id = "SAE-mallory"; });
  meeting.expect_refused(Reason::HandshakeFailed, Reason::HandshakeFailed);
}

// SPEC §5.3, Appendix B 8.
TEST(ServerIdentity, a_server_that_does_not_accept_the_clients_algorithm_is_no_common_suite_before_the_kme_is_asked) {
  Meeting meeting(QkdPolicy::Required);
  meeting.serve(meeting.stage.world().bob, [](Puppet& bob) { bob.script.signatures = {0x0904, 0xfe05}; });
  meeting.expect_refused(Reason::NoCommonSuite, Reason::NoCommonSuite);
}

TEST(ServerIdentity, a_wrong_confirm_of_the_server_is_refused_and_the_client_says_nothing) {
  Stage stage(Role::Client);
  stage.reach(State::AwaitServerFinish);
  stage.give(stage.puppet().server_finish({}, [](Message& message) { message.back() ^= 1; }));
  EXPECT_EQ(stage.closed(), Reason::HandshakeFailed);
  EXPECT_FALSE(stage.seen().session_id);
  EXPECT_TRUE(stage.take().empty());
}

TEST(ServerIdentity, a_server_without_the_qkd_key_is_refused) {
  Stage stage(Role::Client, QkdPolicy::Required);
  stage.reach(State::ClientAwaitQkdKey);
  stage.answer_qkd();
  stage.puppet().script.qkd_key->back() ^= 1;
  stage.puppet().take_client_auth(stage.take());
  stage.give(stage.puppet().server_finish());
  EXPECT_EQ(stage.closed(), Reason::HandshakeFailed);
  EXPECT_FALSE(stage.seen().session_id);
  EXPECT_FALSE(stage.end().may_redial_without_qkd());
}

// The server's view

struct Caller {
  explicit Caller(QkdPolicy qkd = QkdPolicy::None, const Stage::Prepare& prepare = {})
      : stage(Role::Server, qkd, prepare) {}
  Stage stage;
  /// A client with the key of `party` gets as far as CLIENT_AUTH.
  void call(const Party& party, const std::function<void(Puppet&)>& prepare = {}, const Edit& edit = {},
            const Edit& after_signing = {}, const Edit& after = {}) {
    Puppet alice(Role::Client, *stage.world().client_provider, party);
    alice.script = stage.puppet().script;
    alice.script.key_id = "0f0e0d0c-0b0a-4988-8766-554433221100";
    alice.script.qkd_key.emplace().fill(0x41);
    stage.give(alice.client_hello());
    alice.take_server_hello(stage.take());
    alice.take_server_auth(stage.take());
    speaker = &alice;
    if (prepare) prepare(alice);
    stage.give(alice.client_auth(edit, after_signing, after));
    if (!stage.seen().qkd.empty()) stage.answer_qkd();
    const Frame frame = stage.take();
    if (!frame.empty()) said = alice.hear(frame);
    speaker = nullptr;
  }
  /// TH over the handshake so far and this; only while `call` runs.
  [[nodiscard]] schedule::Digest transcript(Bytes partial) const { return speaker->hash(partial); }
  const Puppet* speaker = nullptr;
  std::optional<Message> said;
  /// Refused; an end that has not proved who it is learns HANDSHAKE_FAILED and nothing else.
  void expect_refused(bool proved = false) {
    EXPECT_EQ(stage.closed(), Reason::HandshakeFailed);
    EXPECT_FALSE(stage.seen().session_id);
    EXPECT_TRUE(proved || stage.seen().qkd.empty()) << "a QKD key was asked for";
    ASSERT_TRUE(said);
    const auto alert = wire::parse_alert(*said);
    ASSERT_TRUE(alert);
    EXPECT_EQ(alert->reason, Reason::HandshakeFailed);
    EXPECT_EQ(alert->text.empty(), !proved);
  }
};

// SPEC §5.3, Appendix B 1.
TEST(Offers, of_signatures_are_the_pinned_keys_algorithms_in_their_order_each_once) {
  World world;
  const auto of = [&](crypto::SignatureId id) { return make_party(*world.server_provider, "bob", id).key; };
  using enum crypto::SignatureId;
  world.client.peer.keys = {of(MlDsa87), of(MlDsa65), of(MlDsa87), of(MlDsa44), of(MlDsa65)};
  const auto pair = world.pair();
  const Frame& frame = pair->made(Role::Client).front();
  const auto offers = wire::parse_client_hello(Bytes(frame).subspan(wire::kFrameHeaderSize)).value().signatures;
  EXPECT_EQ(std::vector(offers.begin(), offers.end()), (std::vector<std::uint16_t>{0x0906, 0x0905, 0x0904}));
}

// SPEC §5.3: "without those that it cannot verify". What is left out is not offered.
TEST(Offers, of_signatures_leave_out_what_this_end_cannot_verify) {
  using enum crypto::SignatureId;
  const auto world = [] {
    crypto::Capabilities some = crypto::whole_suite();
    std::erase(some.signatures, SlhDsaSha2_128s);
    auto made = std::make_unique<World>(make_fake_provider(1, std::move(some)), make_fake_provider(2));
    made->client.peer.keys = {make_party(*made->server_provider, "bob", SlhDsaSha2_128s).key, made->bob.key};
    return made;
  };
  {
    const auto whole = world();
    const auto pair = whole->established();
    const Frame& frame = pair->made(Role::Client).front();
    const auto offers = wire::parse_client_hello(Bytes(frame).subspan(wire::kFrameHeaderSize)).value().signatures;
    EXPECT_EQ(std::vector(offers.begin(), offers.end()), std::vector<std::uint16_t>{0x0905});
    EXPECT_TRUE(pair->seen(Role::Client).session_id);
  }
  Stage stage(Role::Client, world(), {});
  stage.puppet().script.signature = std::to_underlying(SlhDsaSha2_128s);
  stage.give(stage.puppet().server_hello(stage.take()));
  EXPECT_EQ(stage.closed(), Reason::HandshakeFailed) << "chosen, and not offered";
  const auto none = world();
  none->client.peer.keys.pop_back();
  const auto refused = Channel::client(*none->client_provider, none->client, std::chrono::seconds(1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Provider);
}

// SPEC §4.
TEST(ClientIdentity, the_pinned_client_gets_in) {
  for (const QkdPolicy qkd : {QkdPolicy::None, QkdPolicy::Required}) {
    Caller caller(qkd);
    caller.call(caller.stage.world().alice);
    EXPECT_TRUE(caller.stage.seen().session_id);
  }
}

// SPEC §4.
TEST(ClientIdentity, an_unknown_key_is_refused) {
  Caller caller(QkdPolicy::Required);
  caller.call(make_party(*caller.stage.world().client_provider, "mallory"));
  caller.expect_refused();
}

TEST(ClientIdentity, a_pinned_identity_without_its_key_is_refused) {
  Caller caller(QkdPolicy::Required);
  caller.call(make_party(*caller.stage.world().client_provider, "mallory"),
              [&](Puppet& alice) { alice.script.identity = caller.stage.world().alice.key.identity; });
  caller.expect_refused();
}

// SPEC §4.
TEST(ClientIdentity, a_pinned_peer_that_may_not_connect_is_refused) {
  Caller caller(QkdPolicy::Required);
  const Party carol = make_party(*caller.stage.world().client_provider, "carol");
  Peer pinned = carol.pinned(QkdPolicy::Required);
  pinned.may_connect = false;
  caller.stage.world().pinned.pin(std::move(pinned));
  caller.call(carol);
  caller.expect_refused();
}

// SPEC §4.
TEST(ClientIdentity, a_server_refuses_its_own_identity_though_it_were_pinned) {
  Caller caller;
  caller.stage.world().pinned.pin(caller.stage.world().bob.pinned());
  caller.call(caller.stage.world().bob);
  caller.expect_refused();
}

// SPEC §5.3.
TEST(ClientIdentity, a_signature_algorithm_that_is_not_the_pinned_keys_is_refused) {
  Caller caller;
  caller.call(caller.stage.world().alice, [](Puppet& alice) { alice.script.signature = 0x0904; });
  caller.expect_refused();
}

// SPEC §3.2.
TEST(ClientIdentity, an_algorithm_that_the_server_did_not_offer_to_accept_is_refused) {
  Caller caller(QkdPolicy::None, [](World& world) { world.server.client_signatures = {crypto::SignatureId::MlDsa87}; });
  caller.call(caller.stage.world().alice);
  caller.expect_refused();
}

TEST(ClientIdentity, a_signature_that_was_made_as_a_server_is_refused) {
  // The key is alice's and the transcript this session's; only the context says who speaks.
  Caller caller;
  World& world = caller.stage.world();
  caller.call(world.alice, {}, {}, [&](Message& message) {
    message.resize(message.size() - 2 - 3309);
    const auto hello_to_here = caller.transcript(message);
    wire::append_signature(message, handshake::sign(*world.client_provider, *world.alice.signer,
                                                    handshake::kServerAuthContext, hello_to_here)
                                        .value());
  });
  caller.expect_refused();
}

TEST(ClientIdentity, another_sae_id_than_the_pinned_one_is_refused_before_the_kme_is_asked) {
  Caller caller(QkdPolicy::Required);
  caller.call(caller.stage.world().alice, [](Puppet& alice) { alice.script.sae_id = "SAE-mallory"; });
  caller.expect_refused(true);
  EXPECT_TRUE(caller.stage.seen().qkd.empty());
}

/// SPEC §4: "An end MUST refuse … its own SAE ID, as a peer's". Its own link's keys would be burnt under it.
TEST(ClientIdentity, this_ends_own_sae_id_is_refused_before_the_kme_is_asked) {
  Caller caller(QkdPolicy::Required);
  const Party carol = make_party(*caller.stage.world().client_provider, "carol");
  Peer pin = carol.pinned(QkdPolicy::Required);
  pin.sae_id = "SAE-bob";
  caller.stage.world().pinned.pin(pin);
  caller.call(carol, [](Puppet& puppet) { puppet.script.sae_id = "SAE-bob"; });
  caller.expect_refused(true);
  EXPECT_TRUE(caller.stage.seen().qkd.empty());
}

TEST(ClientIdentity, a_key_id_that_is_no_uuid_is_a_protocol_error_and_no_kme_is_asked) {
  Caller caller(QkdPolicy::Required);
  caller.call(caller.stage.world().alice,
              [](Puppet& alice) { alice.script.key_id = "../../../../../../../etc/passwd%00AAAA"; });
  EXPECT_EQ(caller.stage.closed(), Reason::ProtocolError);
  EXPECT_TRUE(caller.stage.seen().qkd.empty());
}

// SPEC §5.5.
TEST(ClientIdentity, a_wrong_confirm_is_refused_in_both_modes) {
  for (const QkdPolicy qkd : {QkdPolicy::None, QkdPolicy::Required}) {
    Caller caller(qkd);
    caller.call(caller.stage.world().alice, {}, {}, {}, [](Message& message) { message.back() ^= 1; });
    caller.expect_refused(true);
  }
}

TEST(ClientIdentity, a_client_with_another_qkd_key_is_refused) {
  Caller caller(QkdPolicy::Required);
  caller.call(caller.stage.world().alice, [](Puppet& alice) { alice.script.qkd_key->front() ^= 1; });
  caller.expect_refused(true);
}

// SPEC Appendix B 10.
TEST(ClientIdentity, the_pinned_policy_binds_though_the_listener_is_lenient) {
  // §5.3: mode 0 against a pinned "required", mode 1 against a pinned "none".
  for (const auto& [pinned, offer] :
       {std::pair(QkdPolicy::Required, QkdPolicy::None), std::pair(QkdPolicy::None, QkdPolicy::Preferred)}) {
    Caller caller(QkdPolicy::Preferred);
    const Party carol = make_party(*caller.stage.world().client_provider, "carol");
    caller.stage.world().pinned.pin(carol.pinned(pinned));
    caller.stage.puppet().script.qkd = std::to_underlying(offer);
    caller.call(carol);
    caller.expect_refused(true);
    EXPECT_TRUE(caller.stage.seen().qkd.empty());
  }
}

TEST(Connections, two_servers_with_each_others_keys_cannot_be_joined_by_a_client_to_both) {
  // carol and bob both serve and pin each other; mallory pipes alice, who dials bob, to carol.
  World world;
  const Party carol = make_party(*world.server_provider, "carol");
  world.server.signers = {carol.signer.get()};
  const auto pair = world.established();
  EXPECT_FALSE(pair->seen(Role::Client).session_id);
  EXPECT_FALSE(pair->seen(Role::Server).session_id);
}

TEST(Connections, an_end_connected_to_itself_is_refused) {
  World world;
  world.server.signers = {world.alice.signer.get()};  // alice dials bob and meets her own server
  const auto pair = world.established();
  EXPECT_FALSE(pair->seen(Role::Client).session_id);
  EXPECT_FALSE(pair->seen(Role::Server).session_id);
}

}  // namespace
}  // namespace qsp::test

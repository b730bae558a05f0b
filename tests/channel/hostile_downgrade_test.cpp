// What an attacker can make of the offers and the choices: nothing that anybody accepts (SPEC §1 goal 3, §5.2, §5.3).
#include <gtest/gtest.h>

#include <algorithm>

#include "channel/relay.hpp"
#include "channel/stage.hpp"

namespace qsp::test {
namespace {

using crypto::AeadId;
using crypto::KemId;

/// A list again, with a change.
template <class T>
wire::List<T> edited(const wire::List<T>& list, const std::function<void(std::vector<T>&)>& edit) {
  std::vector<T> items(list.begin(), list.end());
  edit(items);
  wire::List<T> result;
  for (const T& item : items) result.push_back(item);
  return result;
}

struct HelloEdit {
  std::string_view what;
  std::function<void(wire::ClientHello&)> edit;
};

template <class T>
void drop_first(std::vector<T>& items) {
  items.erase(items.begin());
}
template <class T>
void reverse(std::vector<T>& items) {
  std::ranges::reverse(items);
}

std::vector<HelloEdit> offer_edits() {
  using Codes = std::vector<std::uint16_t>;
  using Shares = std::vector<wire::KemShare>;
  return {
      {"the first version taken away",
       [](auto& h) { h.versions = edited<std::uint16_t>(h.versions, [](Codes& v) { v[0] = 0x0099; }); }},
      {"a version added", [](auto& h) { h.versions.push_back(0x0050); }},
      {"the best KEM taken away",
       [](auto& h) { h.shares = edited<wire::KemShare>(h.shares, drop_first<wire::KemShare>); }},
      {"the KEMs reordered", [](auto& h) { h.shares = edited<wire::KemShare>(h.shares, reverse<wire::KemShare>); }},
      {"a KEM renamed",
       [](auto& h) { h.shares = edited<wire::KemShare>(h.shares, [](Shares& v) { v[0].kem = 0x7777; }); }},
      {"a KEM added", [](auto& h) { h.shares.push_back({0x7777, h.shares.begin()->public_key}); }},
      {"the best signature taken away",
       [](auto& h) { h.signatures = edited<std::uint16_t>(h.signatures, drop_first<std::uint16_t>); }},
      {"the signatures reordered",
       [](auto& h) { h.signatures = edited<std::uint16_t>(h.signatures, reverse<std::uint16_t>); }},
      {"Ed25519 added", [](auto& h) { h.signatures.push_back(0x0807); }},
      {"the best AEAD taken away",
       [](auto& h) { h.aeads = edited<std::uint16_t>(h.aeads, drop_first<std::uint16_t>); }},
      {"the AEADs reordered", [](auto& h) { h.aeads = edited<std::uint16_t>(h.aeads, reverse<std::uint16_t>); }},
      {"an AEAD added", [](auto& h) { h.aeads.push_back(1); }},
      {"QKD not offered", [](auto& h) { h.qkd_offer = 0; }},
      {"QKD offered harder", [](auto& h) { h.qkd_offer = 2; }},
      {"applications taken away", [](auto& h) { h.applications = {}; }},
      {"an application taken away", [](auto& h) { h.applications = edited<Bytes>(h.applications, drop_first<Bytes>); }},
      {"the applications reordered", [](auto& h) { h.applications = edited<Bytes>(h.applications, reverse<Bytes>); }},
      {"another nonce", [](auto& h) { h.nonce[31] ^= 1; }},
  };
}

/// Both ends offer several of everything.
void offer_much(World& world) {
  const auto offer = [](auto& options) {
    options.kems = {KemId::X25519MlKem768, KemId::MlKem512};
    options.aeads = {AeadId::Aes256Gcm, AeadId::ChaCha20Poly1305};
    options.applications = {"new", "old"};
  };
  offer(world.client);
  offer(world.server);
}

class Downgrade : public testing::TestWithParam<bool> {
 protected:
  /// The server holds two keys, both pinned by the client.
  Downgrade()
      : world(QkdPolicy::Preferred), second(make_party(*world.server_provider, "bob", crypto::SignatureId::MlDsa44)) {
    offer_much(world);
    world.client.peer.keys.push_back(second.key);
    world.server.signers.push_back(second.signer.get());
  }
  /// Runs a handshake whose clear messages are edited; with the parameter, by an attacker who has the traffic keys.
  std::unique_ptr<Relay> run(const std::function<void(Role, Message&)>& edit) {
    auto relay = std::make_unique<Relay>(world);
    if (GetParam()) {
      relay->run([&](Role from, std::uint64_t n, Message& message) {
        if (n == 0) edit(from, message);
      });
    } else {
      Pair& pair = relay->pair();
      run_altering(world, pair, Role::Client, 0, [&](Frame& frame) {
        Message message = payload_of(frame);
        edit(Role::Client, message);
        frame = framed(header_of(frame), message);
      });
    }
    settle(world, relay->pair());
    return relay;
  }
  World world;
  Party second;
};

TEST_P(Downgrade, the_harness_itself_breaks_nothing) {
  Relay relay(world);
  relay.run();
  ASSERT_TRUE(relay.pair().seen(Role::Client).session_id);
  const ChannelStatus status = channel(relay.pair(), Role::Client).status();
  EXPECT_EQ(status.kem, KemId::X25519MlKem768);
  EXPECT_EQ(status.peer_signature, crypto::SignatureId::MlDsa65);
  EXPECT_EQ(status.aead, AeadId::Aes256Gcm);
  EXPECT_EQ(status.application, "new");
  EXPECT_TRUE(status.qkd_mixed);
}

TEST_P(Downgrade, no_change_of_an_offer_establishes_anybody) {
  for (const HelloEdit& change : offer_edits()) {
    SCOPED_TRACE(std::string(change.what));
    const auto relay = run([&](Role from, Message& message) {
      if (from != Role::Client) return;
      const Message original = message;
      auto hello = wire::parse_client_hello(original).value();
      change.edit(hello);
      message = encode(hello);
      ASSERT_NE(message, original);
    });
    for (const Role role : {Role::Client, Role::Server}) {
      const Seen& seen = relay->pair().seen(role);
      EXPECT_FALSE(seen.session_id);
      EXPECT_TRUE(seen.qkd.empty()) << "a QKD key was asked for";
      EXPECT_TRUE(seen.closed);
    }
    EXPECT_FALSE(channel(relay->pair(), Role::Client).may_redial_without_qkd());
  }
}

TEST_P(Downgrade, no_unknown_extension_can_be_put_into_an_offer_or_a_choice_on_its_way) {
  world.client.applications.clear();
  for (const Role target : {Role::Client, Role::Server}) {
    if (target == Role::Server && !GetParam()) continue;
    const auto relay = run([&](Role from, Message& message) {
      if (from == target) add_extension(message, 0x4242, as_bytes("x"));
    });
    for (const Role role : {Role::Client, Role::Server}) EXPECT_FALSE(relay->pair().seen(role).session_id);
  }
}

INSTANTIATE_TEST_SUITE_P(ByWhoHasTheKeys, Downgrade, testing::Bool());

// Choices: a server that chooses what was not offered, and an attacker who edits a choice.

struct ChoiceEdit {
  std::string_view what;
  std::function<void(wire::ServerHello&)> edit;
};

std::vector<ChoiceEdit> choice_edits() {
  return {
      {"an older version", [](auto& h) { h.version = 0x0050; }},
      {"session_id 0", [](auto& h) { h.session_id = 0; }},
      {"another session_id than the header's", [](auto& h) { ++h.session_id; }},
      {"a KEM that was not offered", [](auto& h) { h.kem = 0x0201; }},
      {"a KEM that nobody knows", [](auto& h) { h.kem = 0x7777; }},
      {"a signature that was not offered", [](auto& h) { h.signature = 0x0807; }},
      {"a signature that nobody knows", [](auto& h) { h.signature = 0x7777; }},
      {"an AEAD that was not offered", [](auto& h) { h.aead = 29; }},
      {"an AEAD that nobody knows", [](auto& h) { h.aead = 1; }},
      {"QKD that was not offered", [](auto& h) { h.qkd_mode = 1; }},
      {"a ciphertext that is too short",
       [](auto& h) { h.kem_ciphertext = h.kem_ciphertext.first(h.kem_ciphertext.size() - 1); }},
      {"no ciphertext", [](auto& h) { h.kem_ciphertext = {}; }},
  };
}

// SPEC §5.3, Appendix B 34.
TEST(Choice, what_was_not_offered_is_refused_and_the_server_is_told_nothing) {
  for (const ChoiceEdit& change : choice_edits()) {
    SCOPED_TRACE(std::string(change.what));
    Stage stage(Role::Client, QkdPolicy::None, [](World& world) { world.client.aeads = {AeadId::Aes256Gcm}; });
    stage.give(stage.puppet().server_hello(stage.take(), [&](Message& message) {
      const Message original = message;
      auto hello = wire::parse_server_hello(original).value();
      change.edit(hello);
      message = encode(hello);
    }));
    EXPECT_EQ(stage.closed(), Reason::HandshakeFailed);
    EXPECT_TRUE(stage.take().empty());
  }
}

// SPEC §5.3.
TEST(Choice, mode_0_is_refused_by_a_client_that_requires_qkd) {
  Stage stage(Role::Client, QkdPolicy::Required);
  stage.puppet().script.qkd = 0;
  stage.give(stage.puppet().server_hello(stage.take()));
  EXPECT_EQ(stage.closed(), Reason::HandshakeFailed);
}

// SPEC §5.3, Appendix B 29.
TEST(Choice, an_application_that_was_not_offered_is_refused) {
  Stage stage(Role::Client, QkdPolicy::None, [](World& world) { world.client.applications = {"offered"}; });
  stage.puppet().script.application = "another";
  stage.reach(State::ClientAwaitQkdKey);
  EXPECT_EQ(stage.closed(), Reason::HandshakeFailed);
}

TEST(Choice, an_edited_choice_among_the_offered_establishes_nobody_though_the_attacker_has_the_keys) {
  // Each names another item that the client did offer; with the traffic keys only the signature stands in the way.
  const std::vector<ChoiceEdit> edits{
      {"the other AEAD", [](auto& h) { h.aead = 29; }},
      {"the other signature", [](auto& h) { h.signature = 0x0904; }},
      {"QKD none", [](auto& h) { h.qkd_mode = 0; }},
      {"another nonce", [](auto& h) { h.nonce[0] ^= 1; }},
  };
  for (const ChoiceEdit& change : edits) {
    SCOPED_TRACE(std::string(change.what));
    World world(QkdPolicy::Preferred);
    offer_much(world);
    const Party second = make_party(*world.server_provider, "bob", crypto::SignatureId::MlDsa44);
    world.client.peer.keys.push_back(second.key);
    Relay relay(world);
    relay.run([&](Role from, std::uint64_t n, Message& message) {
      if (from != Role::Server || n != 0) return;
      const Message original = message;
      auto hello = wire::parse_server_hello(original).value();
      change.edit(hello);
      message = encode(hello);
    });
    settle(world, relay.pair());
    for (const Role role : {Role::Client, Role::Server}) {
      EXPECT_FALSE(relay.pair().seen(role).session_id);
      EXPECT_TRUE(relay.pair().seen(role).qkd.empty());
    }
  }
}

// SPEC §5.8.
TEST(Choice, no_common_item_of_any_list_is_no_common_suite_in_a_clear_alert_with_empty_text) {
  using Prepare = std::function<void(Puppet::Script&)>;
  for (const Prepare& prepare : {Prepare([](auto& s) { s.kems = {KemId::MlKem1024}; }),
                                 Prepare([](auto& s) { s.aeads = {static_cast<AeadId>(1)}; }),
                                 Prepare([](auto& s) { s.signatures = {0x0807}; })}) {
    Stage stage(Role::Server);
    prepare(stage.puppet().script);
    stage.give(stage.puppet().client_hello());
    EXPECT_EQ(stage.closed(), Reason::NoCommonSuite);
    const Frame told = stage.take();
    const auto alert = wire::parse_alert(payload_of(told));
    ASSERT_TRUE(alert);
    EXPECT_EQ(alert->reason, Reason::NoCommonSuite);
    EXPECT_TRUE(alert->text.empty());
  }
}

// SPEC §5.3: "The client MUST refuse: … session_id 0", though the frame's header has it too.
TEST(Choice, session_id_0_is_refused) {
  Stage stage(Role::Client);
  stage.puppet().script.session_id = 0;
  const Frame hello = stage.puppet().server_hello(stage.take());
  ASSERT_EQ(header_of(hello).session_id, 0U);
  stage.give(hello);
  EXPECT_EQ(stage.closed(), Reason::HandshakeFailed);
}

// SPEC §5.3, Appendix B 7.
TEST(Choice, the_server_takes_the_first_of_its_own_lists) {
  World world;
  const Party quick = make_party(*world.server_provider, "bob", crypto::SignatureId::MlDsa44);
  world.client.kems = {crypto::KemId::X25519MlKem768, crypto::KemId::MlKem1024, crypto::KemId::MlKem768};
  world.server.kems = {crypto::KemId::MlKem512, crypto::KemId::MlKem768, crypto::KemId::MlKem1024};
  world.client.aeads = {crypto::AeadId::Aes256Gcm, crypto::AeadId::ChaCha20Poly1305};
  world.server.aeads = {crypto::AeadId::ChaCha20Poly1305, crypto::AeadId::Aes256Gcm};
  world.client.peer.keys.push_back(quick.key);  // offered last, and the server's first
  world.server.signers = {quick.signer.get(), world.bob.signer.get()};
  world.client.applications = {"one", "two", "three"};
  world.server.applications = {"four", "three", "two"};
  const auto pair = world.established();
  for (const Role role : {Role::Client, Role::Server}) {
    const ChannelStatus status = channel(*pair, role).status();
    EXPECT_EQ(status.kem, crypto::KemId::MlKem768);
    EXPECT_EQ(status.aead, crypto::AeadId::ChaCha20Poly1305);
    EXPECT_EQ(role == Role::Client ? status.peer_signature : status.local_signature, crypto::SignatureId::MlDsa44);
    EXPECT_EQ(status.application, "three");
  }
}

TEST(Choice, a_version_that_is_not_common_is_no_common_suite) {
  Stage stage(Role::Server);
  stage.give(stage.puppet().client_hello([](Message& message) { message[9] = 0x02; }));
  EXPECT_EQ(stage.closed(), Reason::NoCommonSuite);
}

// Other versions

/// Puts unknown items before the known ones of every list.
void strange_items(Message& message) {
  const Message original = message;
  auto hello = wire::parse_client_hello(original).value();
  const auto codes = [](std::vector<std::uint16_t>& v) { v.insert(v.begin(), {0x7a7a, 0x0a0a}); };
  hello.versions = edited<std::uint16_t>(hello.versions, codes);
  hello.signatures = edited<std::uint16_t>(hello.signatures, codes);
  hello.aeads = edited<std::uint16_t>(hello.aeads, codes);
  const Message share{1, 2, 3};
  hello.shares = edited<wire::KemShare>(hello.shares,
                                        [&](std::vector<wire::KemShare>& v) { v.insert(v.begin(), {0x7a7a, share}); });
  message = encode(hello);
}

// SPEC §5.2.
TEST(OtherVersion, a_server_skips_unknown_items_and_ignores_unknown_extensions_and_the_transcript_covers_them) {
  Stage stage(Role::Server);
  Puppet& alice = stage.puppet();
  stage.give(alice.client_hello([](Message& message) {
    strange_items(message);
    add_extension(message, 0x4242, as_bytes("tomorrow"));
  }));
  alice.take_server_hello(stage.take());
  alice.take_server_auth(stage.take());
  stage.give(alice.client_auth([](Message& message) { add_extension(message, 0xffff, as_bytes("too")); }));
  alice.take_server_finish(stage.take());
  EXPECT_TRUE(stage.seen().session_id);
  stage.give(alice.say(wire::FrameType::AppData, as_bytes("hi")));
  EXPECT_EQ(as_text(stage.seen().received()), "hi");
}

/// Puts shares of these sizes into a CLIENT_HELLO: of an unknown KEM in front, of one that is known and not chosen
/// behind.
Edit with_shares(std::size_t unknown, std::size_t unchosen) {
  return [=](Message& message) {
    const Message original = message;
    auto hello = wire::parse_client_hello(original).value();
    const Message first(unknown, 1), last(unchosen, 2);
    hello.shares = edited<wire::KemShare>(hello.shares, [&](std::vector<wire::KemShare>& v) {
      v.insert(v.begin(), {0x7a7a, first});
      v.push_back({0x0200, last});
    });
    message = encode(hello);
  };
}

/// SPEC §5.2, Appendix B 30: "Only the chosen share's content is checked", and §5.1: each share has any length.
TEST(Choice, a_share_that_is_not_chosen_may_be_empty_or_of_any_length) {
  for (const std::size_t unknown : {0U, 1U, 5'000U}) {
    for (const std::size_t unchosen : {0U, 1U, 800U, 5'000U}) {
      Stage stage(Role::Server);
      Puppet& alice = stage.puppet();
      stage.give(alice.client_hello(with_shares(unknown, unchosen)));
      alice.take_server_hello(stage.take());
      alice.take_server_auth(stage.take());
      stage.give(alice.client_auth());
      EXPECT_TRUE(stage.seen().session_id) << unknown << " " << unchosen;
    }
  }
}

/// Appendix B 30: "HANDSHAKE_FAILED if it is the chosen one".
TEST(Choice, a_chosen_share_that_is_empty_or_of_another_length_is_handshake_failed) {
  for (const std::size_t size : {0U, 1U, 799U, 801U, 5'000U}) {
    Stage stage(Role::Server, QkdPolicy::None,
                [](World& world) { world.server.kems = {crypto::KemId::MlKem512, crypto::KemId::X25519MlKem768}; });
    stage.give(stage.puppet().client_hello(with_shares(0, size)));
    EXPECT_EQ(stage.closed(), Reason::HandshakeFailed) << size;
  }
}

// SPEC §5.2: "Unknown items MUST be skipped", also of what a server accepts from clients, wherever they stand.
TEST(OtherVersion, a_client_skips_unknown_signatures_that_a_server_accepts) {
  for (const std::vector<std::uint16_t>& accepted :
       {std::vector<std::uint16_t>{0x7a7a, 0x0905}, {0x0905, 0}, {1, 2, 3, 4, 5, 6, 7, 0x0905}}) {
    Stage stage(Role::Client);
    stage.puppet().script.signatures = accepted;
    stage.establish();
    EXPECT_TRUE(stage.seen().session_id);
  }
}

// SPEC §2.3: a CLIENT_HELLO may be as long as its frame, whatever share fills it.
TEST(OtherVersion, a_client_hello_of_the_longest_frame_is_taken) {
  Stage stage(Role::Server);
  Puppet& alice = stage.puppet();
  std::size_t plain = 0;
  stage.give(alice.client_hello([&](Message& message) {
    plain = message.size();
    with_shares(16'384 - plain - 4 - 4, 0)(message);
    ASSERT_EQ(message.size(), 16'384U);
  }));
  ASSERT_FALSE(stage.closed()) << stage.seen().closed->text;
  alice.take_server_hello(stage.take());
  alice.take_server_auth(stage.take());
  stage.give(alice.client_auth());
  EXPECT_TRUE(stage.seen().session_id);
}

// SPEC §5.2.
TEST(OtherVersion, a_client_ignores_unknown_extensions_of_every_message_of_the_server) {
  Stage stage(Role::Client);
  Puppet& bob = stage.puppet();
  const Edit strange = [](Message& message) { add_extension(message, 2, as_bytes("new")); };
  stage.give(bob.server_hello(stage.take(), strange));
  stage.give(bob.server_auth(strange));
  bob.take_client_auth(stage.take());
  stage.give(bob.server_finish(strange));
  EXPECT_TRUE(stage.seen().session_id);
}

TEST(OtherVersion, confirm_s_covers_the_extensions_of_server_finish) {
  Stage stage(Role::Client);
  stage.reach(State::AwaitServerFinish);
  // The confirm is that of a SERVER_FINISH without the extension.
  stage.give(
      stage.puppet().server_finish({}, [](Message& message) { add_extension(message, 2, as_bytes("new"), 32); }));
  EXPECT_EQ(stage.closed(), Reason::HandshakeFailed);
  EXPECT_FALSE(stage.seen().session_id);
}

// SPEC Appendix B 29.
TEST(OtherVersion, extension_1_where_it_does_not_belong_is_a_protocol_error) {
  {
    Stage stage(Role::Client);
    stage.give(stage.puppet().server_hello(stage.take(), [](Message& m) { add_extension(m, 1, as_bytes("x")); }));
    EXPECT_EQ(stage.closed(), Reason::ProtocolError);
  }
  {
    Stage stage(Role::Client);
    stage.reach(State::AwaitServerFinish);
    stage.give(stage.puppet().server_finish([](Message& m) { add_extension(m, 1, as_bytes("x")); }));
    EXPECT_EQ(stage.closed(), Reason::ProtocolError);
  }
  {
    Stage stage(Role::Server);
    stage.reach(State::AwaitClientAuth);
    stage.give(stage.puppet().client_auth([](Message& m) { add_extension(m, 1, as_bytes("x")); }));
    EXPECT_EQ(stage.closed(), Reason::ProtocolError);
  }
}

}  // namespace
}  // namespace qsp::test

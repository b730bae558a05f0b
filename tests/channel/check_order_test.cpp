// Two flaws in one message: the check that comes first in SPEC §5.6 and §7.3 names the reason, and decides what the
// peer learns of it.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "channel/stage.hpp"

namespace qsp::test {
namespace {

using crypto::AeadId;
using crypto::KemId;

constexpr std::string_view kKeyId = "0f0e0d0c-0b0a-4988-8766-554433221100";

/// What the genuine end said last, which is an ALERT or a CLOSE.
wire::Alert last_words(Stage& stage, Message& plaintext) {
  const auto& made = stage.pair().made(stage.genuine());
  const auto opened = stage.puppet().insider().open(stage.genuine(), made.back(), made.size() - 1);
  plaintext = opened.value_or(payload_of(made.back()));
  if (header_of(made.back()).type == wire::FrameType::Close) {
    const auto close = wire::parse_close(plaintext).value();
    return {.reason = close.reason, .text = close.text};
  }
  return wire::parse_alert(plaintext).value();
}

/// Closed for a reason of its own; the peer was told `told`, with words where it may have some.
void expect_ended(Stage& stage, Reason reason, Reason told, bool words) {
  ASSERT_TRUE(stage.closed());
  EXPECT_EQ(stage.closed(), reason) << stage.seen().closed->text;
  EXPECT_FALSE(stage.seen().closed->by_peer);
  Message plaintext;
  const wire::Alert said = last_words(stage, plaintext);
  EXPECT_EQ(said.reason, told) << qsp::name(said.reason);
  EXPECT_EQ(!said.text.empty(), words) << said.text;
}

struct Flaws {
  std::string_view what;
  std::function<void(Puppet::Script&)> script;
  Edit edit;
  Reason reason;
  Reason told;
};

/// Any change through the fields of a CLIENT_HELLO.
Edit in_hello(const std::function<void(wire::ClientHello&)>& change) {
  return [=](Message& message) {
    const Message original = message;
    auto hello = wire::parse_client_hello(original).value();
    change(hello);
    message = encode(hello);
  };
}
const Edit kBadShare = in_hello([](auto& hello) {
  wire::List<wire::KemShare> shares;
  for (const wire::KemShare& share : hello.shares) shares.push_back({share.kem, share.public_key.first(7)});
  hello.shares = shares;
});
const Edit kBadOffer = in_hello([](auto& hello) { hello.qkd_offer = 3; });

// SPEC §5.6, the checks of CLIENT_HELLO: it parses; something of everything is common; QKD; the chosen share.
TEST(CheckOrder, of_client_hello_is_form_then_suite_then_qkd_then_share) {
  const auto no_kem = [](Puppet::Script& script) { script.kems = {KemId::MlKem1024}; };
  const auto no_aead = [](Puppet::Script& script) { script.aeads = {static_cast<AeadId>(1)}; };
  const auto no_aead_and_required = [](Puppet::Script& script) {
    script.aeads = {static_cast<AeadId>(1)};
    script.qkd = 2;
  };
  const auto no_signature_and_required = [](Puppet::Script& script) {
    script.signatures = {0x7a7a};
    script.qkd = 2;
  };
  const auto required = [](Puppet::Script& script) { script.qkd = 2; };
  const std::vector<Flaws> cases{
      {"form and suite", no_kem, kBadOffer, Reason::ProtocolError, Reason::HandshakeFailed},
      {"form and QKD", required, [](Message& message) { message[4] ^= 1; }, Reason::ProtocolError,
       Reason::HandshakeFailed},
      {"form and share", [](auto&) {},
       [](Message& message) {
         kBadShare(message);
         message.push_back(0);
         mend_length(message);
       },
       Reason::ProtocolError, Reason::HandshakeFailed},
      {"suite and QKD", no_aead_and_required, {}, Reason::NoCommonSuite, Reason::NoCommonSuite},
      {"suite (of signatures) and QKD", no_signature_and_required, {}, Reason::NoCommonSuite, Reason::NoCommonSuite},
      {"suite and share", no_aead, kBadShare, Reason::NoCommonSuite, Reason::NoCommonSuite},
      {"QKD and share", required, kBadShare, Reason::HandshakeFailed, Reason::HandshakeFailed},
      {"share", [](auto&) {}, kBadShare, Reason::HandshakeFailed, Reason::HandshakeFailed},
  };
  for (const Flaws& flaws : cases) {
    SCOPED_TRACE(flaws.what);
    Stage stage(Role::Server);
    flaws.script(stage.puppet().script);
    stage.give(stage.puppet().client_hello(flaws.edit));
    expect_ended(stage, flaws.reason, flaws.told, false);
    EXPECT_EQ(stage.pair().made(Role::Server).size(), 1U);
  }
}

// SPEC §5.6, the checks of SERVER_HELLO. Whichever fails, the client says nothing.
TEST(CheckOrder, of_server_hello_is_form_then_choice_then_ciphertext) {
  const auto in_reply = [](const std::function<void(wire::ServerHello&)>& change) {
    return [=](Message& message) {
      const Message original = message;
      auto hello = wire::parse_server_hello(original).value();
      change(hello);
      message = encode(hello);
    };
  };
  const Edit longer = [](Message& message) {
    message.push_back(0);
    mend_length(message);
  };
  struct Case {
    std::string_view what;
    Edit edit;
    Reason reason;
  };
  for (const Case& one :
       {Case{"form and choice", in_reply([](auto& hello) { hello.qkd_mode = 2, hello.aead = 1; }),
             Reason::ProtocolError},
        Case{"form and session_id", in_reply([](auto& hello) { hello.qkd_mode = 2, ++hello.session_id; }),
             Reason::ProtocolError},
        Case{"form and ciphertext",
             [&](Message& message) {
               in_reply([](auto& hello) { hello.kem_ciphertext = hello.kem_ciphertext.first(3); })(message);
               longer(message);
             },
             Reason::ProtocolError},
        Case{"choice and ciphertext",
             in_reply([](auto& hello) { hello.version = 7, hello.kem_ciphertext = hello.kem_ciphertext.first(3); }),
             Reason::HandshakeFailed}}) {
    SCOPED_TRACE(one.what);
    Stage stage(Role::Client);
    const std::size_t before = stage.pair().made(Role::Client).size();
    stage.give(stage.puppet().server_hello(stage.take(), one.edit));
    EXPECT_EQ(stage.closed(), one.reason) << stage.seen().closed->text;
    EXPECT_EQ(stage.pair().made(Role::Client).size(), before);
  }
}

struct AuthCase {
  std::string_view what;
  std::function<void(Puppet::Script&)> script;
  bool wrong_signature;
  Edit edit;
  Reason reason;
  Reason told;
  bool words;  ///< the peer has verified, so that it is told more
};

void wrong_signature(Message& message) { message.back() ^= 1; }

// SPEC §5.6, the checks of SERVER_AUTH, §5.8: from the signature on the server is told why. No KME is asked.
TEST(CheckOrder, of_server_auth_is_form_identity_signature_application_algorithm_then_sae_id) {
  const auto stranger = [](Puppet::Script& script) { script.identity.emplace().fill(9); };
  const auto no_algorithm = [](Puppet::Script& script) { script.signatures = {0x0904}; };
  const auto both = [=](Puppet::Script& script) {
    stranger(script);
    no_algorithm(script);
  };
  const auto application = [](Puppet::Script& script) {
    script.application = "another";
    script.signatures = {0x0904};
    script.sae_id = "SAE-mallory";
  };
  const auto sae_id = [](Puppet::Script& script) { script.sae_id = "SAE-mallory"; };
  const auto algorithm_and_sae_id = [=](Puppet::Script& script) {
    no_algorithm(script);
    sae_id(script);
  };
  const Edit no_offers = [](Message& message) { message[36] = 0; };
  for (const AuthCase& one :
       {AuthCase{"form and identity", stranger, false, no_offers, Reason::ProtocolError, Reason::HandshakeFailed,
                 false},
        AuthCase{"identity and algorithm", both, false, {}, Reason::HandshakeFailed, Reason::HandshakeFailed, false},
        AuthCase{
            "signature and algorithm", no_algorithm, true, {}, Reason::HandshakeFailed, Reason::HandshakeFailed, false},
        AuthCase{"signature and SAE ID", sae_id, true, {}, Reason::HandshakeFailed, Reason::HandshakeFailed, false},
        AuthCase{"application, algorithm and SAE ID",
                 application,
                 false,
                 {},
                 Reason::HandshakeFailed,
                 Reason::HandshakeFailed,
                 true},
        AuthCase{"algorithm and SAE ID",
                 algorithm_and_sae_id,
                 false,
                 {},
                 Reason::NoCommonSuite,
                 Reason::NoCommonSuite,
                 true},
        AuthCase{"SAE ID", sae_id, false, {}, Reason::HandshakeFailed, Reason::HandshakeFailed, true}}) {
    SCOPED_TRACE(one.what);
    Stage stage(Role::Client, QkdPolicy::Required);
    stage.reach(State::AwaitServerAuth);
    one.script(stage.puppet().script);
    stage.give(stage.puppet().server_auth(one.edit, one.wrong_signature ? Edit(wrong_signature) : Edit()));
    expect_ended(stage, one.reason, one.told, one.words);
    EXPECT_TRUE(stage.seen().qkd.empty());
  }
}

// SPEC §5.6, the checks of CLIENT_AUTH, §5.8: from the signature on the client is told why. No KME is asked.
TEST(CheckOrder, of_client_auth_is_form_identity_signature_policy_then_sae_id) {
  const auto bad_key_id = [](Puppet::Script& script) { script.key_id = std::string(36, 'x'); };
  const auto stranger_and_key_id = [=](Puppet::Script& script) {
    bad_key_id(script);
    script.identity.emplace().fill(9);
  };
  const auto sae_id = [](Puppet::Script& script) { script.sae_id = "SAE-mallory"; };
  for (const AuthCase& one :
       {AuthCase{
            "form and identity", stranger_and_key_id, false, {}, Reason::ProtocolError, Reason::HandshakeFailed, false},
        AuthCase{"form and signature", bad_key_id, true, {}, Reason::ProtocolError, Reason::HandshakeFailed, false},
        AuthCase{"signature and SAE ID", sae_id, true, {}, Reason::HandshakeFailed, Reason::HandshakeFailed, false},
        AuthCase{"SAE ID", sae_id, false, {}, Reason::HandshakeFailed, Reason::HandshakeFailed, true}}) {
    SCOPED_TRACE(one.what);
    Stage stage(Role::Server, QkdPolicy::Required);
    stage.reach(State::AwaitClientAuth);
    one.script(stage.puppet().script);
    stage.give(stage.puppet().client_auth(one.edit, one.wrong_signature ? Edit(wrong_signature) : Edit()));
    expect_ended(stage, one.reason, one.told, one.words);
    EXPECT_TRUE(stage.seen().qkd.empty());
  }
}

// SPEC §7.3, Appendix B 33: "parse …, message allowed in this state and direction, new_epoch, presence … Up to here a
// failure is PROTOCOL_ERROR. Then they check policy …, then cryptography."
TEST(CheckOrder, of_init_is_epoch_and_presence_then_policy_then_share) {
  const auto next_but_one = [](Message& init) { init[8] = 3; };
  const auto bad_share = [](Message& init) { init[43] = init[44] = 0xff; };  // the fake KEM's bad share
  struct Case {
    std::string_view what;
    QkdPolicy qkd;
    bool demands_kem, share, key_id;
    Edit edit;
    Reason reason;
  };
  using enum QkdPolicy;
  for (const Case& one :
       {Case{"epoch and policy", Required, false, true, false, next_but_one, Reason::ProtocolError},
        Case{"epoch and share", None, false, true, false,
             [&](Message& init) {
               next_but_one(init);
               bad_share(init);
             },
             Reason::ProtocolError},
        Case{"presence and policy", None, true, false, true, {}, Reason::ProtocolError},
        Case{"presence and share", None, false, true, true, bad_share, Reason::ProtocolError},
        Case{"policy on QKD and share", Required, false, true, false, bad_share, Reason::QkdUnavailable},
        Case{"both policies", Required, true, false, false, {}, Reason::RekeyFailed},
        Case{"share", Preferred, false, true, false, bad_share, Reason::RekeyFailed}}) {
    SCOPED_TRACE(one.what);
    Stage stage(Role::Client, one.qkd, [&](World& world) { world.client.peer.rekey_demands_kem = one.demands_kem; });
    stage.establish();
    const std::size_t asked = stage.seen().qkd.size();
    stage.puppet().script.key_id = kKeyId;
    stage.give(stage.puppet().init(one.share, one.key_id, one.edit));
    expect_ended(stage, one.reason, one.reason, true);
    EXPECT_EQ(stage.seen().qkd.size(), asked);
  }
}

// SPEC §7.3.
TEST(CheckOrder, of_ack_is_epoch_and_presence_then_ciphertext_and_confirm) {
  const auto spoil = [](Message& ack) { ack[wire::kAckConfirmBegin] ^= 1; };
  const auto cut_ciphertext = [](Message& ack) {
    ack.pop_back();
    --ack[wire::kAckConfirmEnd + 1];
  };
  struct Case {
    std::string_view what;
    Edit edit;
    Reason reason;
  };
  for (const Case& one : {Case{"epoch and confirm",
                               [&](Message& ack) {
                                 ack[8] = 3;
                                 spoil(ack);
                               },
                               Reason::ProtocolError},
                          Case{"epoch and ciphertext",
                               [&](Message& ack) {
                                 ack[8] = 3;
                                 cut_ciphertext(ack);
                               },
                               Reason::ProtocolError},
                          Case{"presence and confirm",
                               [&](Message& ack) {
                                 ack.resize(wire::kAckConfirmEnd);
                                 ack.insert(ack.end(), {0, 0});
                                 spoil(ack);
                               },
                               Reason::ProtocolError},
                          Case{"ciphertext and confirm",
                               [&](Message& ack) {
                                 cut_ciphertext(ack);
                                 spoil(ack);
                               },
                               Reason::RekeyFailed}}) {
    SCOPED_TRACE(one.what);
    const auto stage = staged(State::AwaitAckNoKey);
    stage->give(stage->puppet().ack(stage->take(), {}, one.edit));
    expect_ended(*stage, one.reason, one.reason, true);
    EXPECT_EQ(header_of(stage->pair().made(Role::Server).back()).epoch, 1U) << "no commit";
  }
}

}  // namespace
}  // namespace qsp::test

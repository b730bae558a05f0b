// What an ALERT can do, and what one discloses (SPEC §5.8, §5.9). The state table has every state's lawful ALERTs.
#include <gtest/gtest.h>

#include "channel/stage.hpp"
#include "qsp/full_alert.hpp"

namespace qsp::test {
namespace {

using wire::FrameType;

// SPEC §5.9.
TEST(ClearAlert, ends_a_handshake_and_never_leads_to_a_dial_without_qkd) {
  for (const std::uint16_t reason : {std::uint16_t{50}, std::uint16_t{51}, std::uint16_t{60}, std::uint16_t{80}}) {
    Stage stage(Role::Client, QkdPolicy::Preferred);
    stage.give(stage.puppet().say(FrameType::Handshake, alert(reason)));
    ASSERT_TRUE(stage.seen().closed);
    EXPECT_TRUE(stage.seen().closed->by_peer);
    EXPECT_FALSE(stage.end().may_redial_without_qkd());
    EXPECT_FALSE(stage.seen().session_id);
  }
}

// SPEC §5.8.
TEST(ClearAlert, of_a_full_server_ends_a_handshake_with_limit_and_no_text) {
  Stage stage(Role::Client, QkdPolicy::Preferred);
  const Bytes words = full_alert();
  stage.give(Frame(words.begin(), words.end()));
  ASSERT_TRUE(stage.seen().closed);
  EXPECT_TRUE(stage.seen().closed->by_peer);
  EXPECT_EQ(stage.seen().closed->reason, Reason::Limit);
  EXPECT_EQ(stage.seen().closed->text, "");
  EXPECT_FALSE(stage.seen().session_id);
  EXPECT_FALSE(stage.end().may_redial_without_qkd());
}

// SPEC §5.6, Appendix B 5.
TEST(ClearAlert, with_a_session_id_is_a_protocol_error) {
  Stage stage(Role::Client);
  wire::FrameHeader header = stage.puppet().next_header(FrameType::Handshake);
  header.session_id = 7;
  stage.give(stage.puppet().forge(header, 0, alert(50)));
  EXPECT_EQ(stage.closed(), Reason::ProtocolError);
}

// SPEC §2.4.
TEST(ClearAlert, once_keys_stand_is_refused_in_every_later_state) {
  for (const State state : all_states()) {
    if (state == State::AwaitServerHello || state == State::AwaitClientHello) continue;
    for (const bool zero_session : {false, true}) {
      const auto stage = staged(state);
      wire::FrameHeader header = stage->puppet().next_header(FrameType::Handshake);
      if (zero_session) header.session_id = 0;
      stage->give(framed(header, alert(50, "clear, yet long enough for a tag")));
      ASSERT_TRUE(stage->seen().closed) << name(state);
      EXPECT_FALSE(stage->seen().closed->by_peer) << name(state);
    }
  }
}

TEST(ClearAlert, of_a_client_is_refused) {
  Stage stage(Role::Server);
  stage.give(stage.puppet().say(FrameType::Handshake, alert(50)));
  EXPECT_EQ(stage.closed(), Reason::ProtocolError);
}

TEST(SealedAlert, qkd_unavailable_leads_to_a_dial_without_qkd_only_after_server_auth_and_under_preferred) {
  struct Row {
    QkdPolicy policy;
    State state;
    std::uint16_t reason;
    bool may;
  };
  for (const Row& row : {Row{QkdPolicy::Preferred, State::AwaitServerAuth, 60, false},
                         Row{QkdPolicy::Preferred, State::AwaitServerFinish, 60, true},
                         Row{QkdPolicy::Preferred, State::AwaitServerFinish, 50, false},
                         Row{QkdPolicy::Preferred, State::AwaitServerFinish, 80, false},
                         Row{QkdPolicy::Required, State::AwaitServerFinish, 60, false}}) {
    Stage stage(Role::Client, row.policy);
    stage.reach(row.state);
    stage.give(stage.puppet().say(FrameType::Handshake, alert(row.reason)));
    ASSERT_TRUE(stage.seen().closed);
    EXPECT_EQ(stage.end().may_redial_without_qkd(), row.may) << name(row.state) << " " << row.reason;
  }
}

/// SPEC §2.5, Appendix B 24: while a client waits for its KME, its server's ALERT ends the handshake at once. The key
/// that was asked for is not used, whenever it comes.
TEST(WhileTheKmeIsAsked, an_alert_ends_a_client_at_once_and_the_key_is_burned) {
  for (const QkdPolicy policy : {QkdPolicy::Preferred, QkdPolicy::Required}) {
    for (const std::uint16_t reason : {std::uint16_t{60}, std::uint16_t{70}, std::uint16_t{80}}) {
      SCOPED_TRACE(reason);
      Stage stage(Role::Client, policy);
      stage.reach(State::ClientAwaitQkdKey);
      const std::size_t before = stage.pair().made(Role::Client).size();
      stage.give(stage.puppet().say(FrameType::Handshake, alert(reason, "why")));
      ASSERT_TRUE(stage.seen().closed);
      EXPECT_TRUE(stage.seen().closed->by_peer);
      EXPECT_EQ(stage.closed(), static_cast<Reason>(reason));
      EXPECT_EQ(stage.end().may_redial_without_qkd(), reason == 60 && policy == QkdPolicy::Preferred);
      DeliveredKey late{"0f0e0d0c-0b0a-4988-8766-554433221100", QkdKey()};
      late.key.writable()[0] = 7;
      EXPECT_FALSE(stage.end().provide_qkd_key(std::move(late), stage.pair().now()));
      EXPECT_EQ(late.key.size(), 0U);  // NOLINT(bugprone-use-after-move): the session has taken it, to wipe it
      EXPECT_EQ(stage.pair().made(Role::Client).size(), before) << "no CLIENT_AUTH, no answer";
    }
  }
}

/// SPEC §2.5, Appendix B 24: a server that waits for its KME takes nothing: no client has anything to say before
/// SERVER_FINISH, not even data under the keys that it has already.
TEST(WhileTheKmeIsAsked, whatever_a_client_says_behind_client_auth_is_a_protocol_error) {
  Stage stage(Role::Server, QkdPolicy::Required);
  stage.reach(State::AwaitClientAuth);
  Frame both = stage.puppet().client_auth();
  wire::FrameHeader header = stage.puppet().next_header(FrameType::AppData);
  header.epoch = 1;
  const Frame data = framed(header, Message(40));
  both.insert(both.end(), data.begin(), data.end());
  stage.give(both);
  ASSERT_EQ(stage.seen().qkd.size(), 1U);
  EXPECT_EQ(stage.closed(), Reason::ProtocolError);
  const auto& made = stage.pair().made(Role::Server);
  const auto told = stage.puppet().insider().open(Role::Server, made.back(), made.size() - 1);
  ASSERT_TRUE(told);
  EXPECT_EQ(wire::parse_alert(*told).value().reason, Reason::ProtocolError) << "its signature has verified";
}

// SPEC §5.9.
TEST(Redial, a_lost_connection_or_a_wrong_confirm_never_leads_to_a_dial_without_qkd) {
  Stage lost(Role::Client, QkdPolicy::Preferred);
  lost.reach(State::AwaitServerFinish);
  lost.pair().end_of_stream(Role::Server);
  EXPECT_FALSE(lost.end().may_redial_without_qkd());
  Stage wrong(Role::Client, QkdPolicy::Preferred);
  wrong.reach(State::AwaitServerFinish);
  wrong.give(wrong.puppet().server_finish({}, [](Message& message) { message.back() ^= 1; }));
  EXPECT_FALSE(wrong.end().may_redial_without_qkd());
}

/// SPEC §5.8, Appendix B 26: NORMAL or an unassigned reason is the receiver's own PROTOCOL_ERROR. It answers as the
/// table of §5.8 says: sealed and vague while it may, else with nothing.
TEST(SealedAlert, with_a_reason_that_none_may_have_is_answered_as_any_failure) {
  struct Row {
    State state;
    bool answers;
  };
  for (const Row& row : {Row{State::AwaitServerHello, false}, Row{State::AwaitServerAuth, true},
                         Row{State::AwaitServerFinish, false}, Row{State::AwaitClientAuth, true}}) {
    for (const std::uint16_t reason : {std::uint16_t{0}, std::uint16_t{77}, std::uint16_t{0xffff}}) {
      SCOPED_TRACE(name(row.state));
      const auto stage = staged(row.state);
      const std::size_t before = stage->pair().made(stage->genuine()).size();
      stage->give(stage->puppet().say(FrameType::Handshake, alert(reason, "the peer's words")));
      EXPECT_EQ(stage->closed(), Reason::ProtocolError);
      ASSERT_TRUE(stage->seen().closed);
      EXPECT_FALSE(stage->seen().closed->by_peer);
      EXPECT_EQ(stage->seen().closed->text, "ALERT: reason");
      const auto& made = stage->pair().made(stage->genuine());
      ASSERT_EQ(made.size(), before + (row.answers ? 1 : 0));
      if (!row.answers) continue;
      EXPECT_EQ(stage->puppet().insider().open(stage->genuine(), made.back(), made.size() - 1), alert(50));
    }
  }
}

// SPEC §5.8: "text MUST be empty where the table hides the reason", until SERVER_AUTH has verified.
TEST(Disclosure, a_server_whose_signature_is_wrong_learns_nothing) {
  Stage stage(Role::Client);
  stage.reach(State::AwaitServerAuth);
  stage.give(stage.puppet().server_auth({}, [](Message& message) { message.back() ^= 1; }));
  EXPECT_EQ(stage.closed(), Reason::HandshakeFailed);
  const auto& made = stage.pair().made(Role::Client);
  EXPECT_EQ(stage.puppet().insider().open(Role::Client, made.back(), made.size() - 1), alert(50));
}

// SPEC §5.8: "NORMAL becomes HANDSHAKE_FAILED" where an application gives up a handshake, however well the peer is
// known.
TEST(Disclosure, an_application_that_gives_up_with_normal_says_handshake_failed) {
  for (const State state : {State::ClientAwaitQkdKey, State::ServerAwaitQkdKey}) {
    SCOPED_TRACE(name(state));
    const auto stage = staged(state);
    stage->pair().close(stage->genuine(), Reason::Normal, "changed my mind");
    EXPECT_EQ(stage->closed(), Reason::Normal);
    const auto& made = stage->pair().made(stage->genuine());
    EXPECT_EQ(stage->puppet().insider().open(stage->genuine(), made.back(), made.size() - 1), alert(50));
  }
}

/// SPEC §5.8: "NO_COMMON_SUITE if that is the local reason", and LIMIT for want of room, also where an application
/// gives up; a client tells a stranger neither.
TEST(Disclosure, an_application_that_gives_up_for_want_of_room_or_of_a_suite_says_so_where_the_table_does) {
  struct Row {
    State state;
    Reason reason, told;
  };
  using enum Reason;
  for (const Row& row :
       {Row{State::AwaitClientHello, NoCommonSuite, NoCommonSuite}, Row{State::AwaitClientHello, Limit, Limit},
        Row{State::AwaitClientAuth, NoCommonSuite, HandshakeFailed}, Row{State::AwaitClientAuth, Limit, Limit},
        Row{State::AwaitServerAuth, NoCommonSuite, HandshakeFailed},
        Row{State::AwaitServerAuth, Limit, HandshakeFailed}}) {
    SCOPED_TRACE(name(row.state));
    const auto stage = staged(row.state);
    stage->pair().close(stage->genuine(), row.reason, "a word");
    const auto& made = stage->pair().made(stage->genuine());
    const auto opened = stage->puppet().insider().open(stage->genuine(), made.back(), made.size() - 1);
    EXPECT_EQ(opened.value_or(payload_of(made.back())), alert(std::to_underlying(row.told)));
  }
}

// SPEC §5.8, Appendix B 28.
TEST(Disclosure, an_application_that_gives_up_tells_a_stranger_nothing) {
  struct Row {
    State state;
    bool told, precise;
  };
  for (const Row& row : {Row{State::AwaitServerHello, false, false}, Row{State::AwaitServerAuth, true, false},
                         Row{State::ClientAwaitQkdKey, true, true}, Row{State::AwaitServerFinish, false, false},
                         Row{State::AwaitClientHello, true, false}, Row{State::AwaitClientAuth, true, false},
                         Row{State::ServerAwaitQkdKey, true, true}}) {
    SCOPED_TRACE(name(row.state));
    const auto stage = staged(row.state);
    const std::size_t before = stage->pair().made(stage->genuine()).size();
    stage->pair().close(stage->genuine(), Reason::InternalError, "disk on fire");
    const auto& made = stage->pair().made(stage->genuine());
    ASSERT_EQ(made.size(), before + (row.told ? 1 : 0));
    EXPECT_EQ(stage->closed(), Reason::InternalError);
    if (!row.told) continue;
    const auto opened = stage->puppet().insider().open(stage->genuine(), made.back(), made.size() - 1);
    const Message plaintext = opened.value_or(payload_of(made.back()));
    const auto told = wire::parse_alert(plaintext);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->reason, row.precise ? Reason::InternalError : Reason::HandshakeFailed);
    EXPECT_EQ(told->text, row.precise ? "disk on fire" : "");
  }
}

// SPEC §5.8.
TEST(Disclosure, every_unauthenticated_failure_of_client_auth_looks_the_same) {
  std::vector<Message> said;
  const auto meet = [&](const std::function<void(Stage&)>& attack) {
    Stage stage(Role::Server);
    stage.reach(State::AwaitClientAuth);
    attack(stage);
    said.push_back(stage.puppet().hear(stage.take()).value_or(Message{}));
  };
  meet([](Stage& stage) { stage.give(stage.puppet().say(FrameType::Handshake, Message{4, 0, 0, 0})); });
  meet([](Stage& stage) { stage.give(stage.puppet().client_auth({}, [](Message& m) { m.back() ^= 1; })); });
  meet([](Stage& stage) {
    stage.puppet().script.identity.emplace().fill(1);
    stage.give(stage.puppet().client_auth());
  });
  meet([](Stage& stage) {
    stage.puppet().script.signature = 0x0904;
    stage.give(stage.puppet().client_auth());
  });
  meet([](Stage& stage) { stage.pair().close(Role::Server, Reason::QkdUnavailable, "a KME"); });
  meet([](Stage& stage) { stage.pair().advance(std::chrono::seconds(11)); });
  for (const Message& message : said) EXPECT_EQ(message, alert(50));
}

// SPEC §5.8.
TEST(Text, of_a_peer_is_passed_on_as_it_is_and_marked_as_the_peers) {
  const std::string nasty = std::string("\x1b[2J\0\xff\r\n", 9) + std::string(1'000, 'x');
  Stage stage(Role::Client);
  stage.give(stage.puppet().say(FrameType::Handshake, alert(50, nasty)));
  ASSERT_TRUE(stage.seen().closed);
  EXPECT_TRUE(stage.seen().closed->by_peer);
  EXPECT_EQ(stage.seen().closed->text, nasty);
}

}  // namespace
}  // namespace qsp::test

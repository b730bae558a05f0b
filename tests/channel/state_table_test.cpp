// SPEC §5.6, §7.3, §2.5 and §5.8 as tables: every state, every message, every flaw of a header, and what the peer is
// told.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "channel/stage.hpp"
#include "record/stream/stream.hpp"

namespace qsp::test {
namespace {

using wire::FrameType;

bool is_handshake(State state) {
  switch (state) {
    case State::AwaitServerHello:
    case State::AwaitServerAuth:
    case State::ClientAwaitQkdKey:
    case State::AwaitServerFinish:
    case State::AwaitClientHello:
    case State::AwaitClientAuth:
    case State::ServerAwaitQkdKey:
      return true;
    default:
      return false;
  }
}

bool is_clear(State state) { return state == State::AwaitServerHello || state == State::AwaitClientHello; }

/// What the peer is told of a failure in this state, by §5.8's table and §8.2.
struct Told {
  enum class Form : std::uint8_t { Nothing, ClearAlert, SealedAlert, Close } form;
  bool precise;
};

Told told_in(State state) {
  using enum Told::Form;
  switch (state) {
    case State::AwaitServerHello:
    case State::AwaitServerFinish:
      return {Nothing, false};
    case State::AwaitClientHello:
      return {ClearAlert, false};
    case State::AwaitServerAuth:
    case State::AwaitClientAuth:
      return {SealedAlert, false};
    case State::ClientAwaitQkdKey:
    case State::ServerAwaitQkdKey:
      return {SealedAlert, true};
    default:
      return {Close, true};
  }
}

/// Expects that the genuine end has closed for `reason` of its own, and has told its peer what the table says, once.
void expect_refused(Stage& stage, State state, Reason reason, std::uint64_t before) {
  ASSERT_TRUE(stage.seen().closed);
  EXPECT_EQ(stage.closed(), reason) << qsp::name(*stage.closed()) << ": " << stage.seen().closed->text;
  EXPECT_FALSE(stage.seen().closed->by_peer);
  const Told told = told_in(state);
  const auto& made = stage.pair().made(stage.genuine());
  ASSERT_EQ(made.size(), before + (told.form == Told::Form::Nothing ? 0 : 1));
  if (told.form == Told::Form::Nothing) return;

  const Frame& last = made.back();
  const Reason wire_reason = told.precise ? reason : Reason::HandshakeFailed;
  if (told.form == Told::Form::Close) {
    const auto plaintext = stage.puppet().insider().open(stage.genuine(), last, made.size() - 1);
    ASSERT_TRUE(plaintext);
    EXPECT_EQ(header_of(last).type, FrameType::Close);
    EXPECT_EQ(wire::parse_close(*plaintext).value().reason, wire_reason);
    return;
  }
  EXPECT_EQ(header_of(last).type, FrameType::Handshake);
  Message plaintext = payload_of(last);
  if (told.form == Told::Form::ClearAlert) {
    EXPECT_EQ(header_of(last).session_id, 0U);
    EXPECT_EQ(header_of(last).seq, 0U);
  } else {
    const auto opened = stage.puppet().insider().open(stage.genuine(), last, made.size() - 1);
    ASSERT_TRUE(opened);
    plaintext = *opened;
  }
  const auto alert = wire::parse_alert(plaintext);
  ASSERT_TRUE(alert);
  EXPECT_EQ(alert->reason, wire_reason);
  EXPECT_EQ(alert->text.empty(), !told.precise);
}

// Messages

Message bare(std::uint8_t type) { return {type, 0, 0, 0}; }

/// An ALERT HANDSHAKE_FAILED with a text of so many bytes, however many are allowed.
Message alert_with(std::size_t text) {
  Message message{254, 0, 0, 0, 0, 50, static_cast<std::uint8_t>(text >> 8), static_cast<std::uint8_t>(text)};
  message.resize(message.size() + text, 'x');
  mend_length(message);
  return message;
}

Message rekey_message(std::uint8_t type, std::uint32_t new_epoch, std::size_t more) {
  Message message{'R', 'K', '1', '0', type};
  for (int shift = 24; shift >= 0; shift -= 8) message.push_back(static_cast<std::uint8_t>(new_epoch >> shift));
  message.resize(9 + more);
  return message;
}
Message nak(std::uint32_t new_epoch) {
  Message message = rekey_message(4, new_epoch, 2);
  message.back() = 60;
  return message;
}

/// One attempt: a frame with a lawful header, sealed by who has the keys.
struct Attempt {
  std::string_view what;
  FrameType type;
  Message plaintext;
  std::uint8_t flags = 0;
};

/// Everything a peer can say in one frame, `e` being the epoch in which it speaks.
std::vector<Attempt> attempts(std::uint32_t e) {
  std::vector<Attempt> all{
      {"CLIENT_HELLO", FrameType::Handshake, bare(1)},
      {"SERVER_HELLO", FrameType::Handshake, bare(2)},
      {"SERVER_AUTH", FrameType::Handshake, bare(3)},
      {"CLIENT_AUTH", FrameType::Handshake, bare(4)},
      {"SERVER_FINISH", FrameType::Handshake, bare(5)},
      {"unknown handshake message", FrameType::Handshake, bare(99)},
      {"wrong length", FrameType::Handshake, {254, 0, 0, 9, 0}},
      {"ALERT", FrameType::Handshake, alert(50)},
      {"ALERT LIMIT", FrameType::Handshake, alert(80, "text")},
      {"ALERT NORMAL", FrameType::Handshake, alert(0)},
      {"ALERT unassigned", FrameType::Handshake, alert(77)},
      {"longest ALERT", FrameType::Handshake, alert_with(1'024)},
      {"ALERT too long", FrameType::Handshake, alert_with(1'025)},
      {"ALERT with leftovers", FrameType::Handshake, {254, 0, 0, 5, 0, 50, 0, 0, 0}},
      {"data", FrameType::AppData, {1, 2, 3}},
      {"empty data", FrameType::AppData, {}},
      {"END", FrameType::AppData, {4}, record::stream::kFlagEnd},
      {"INIT", FrameType::Rekey, rekey_message(1, e + 1, 32 + 3)},
      {"INIT of this epoch", FrameType::Rekey, rekey_message(1, e, 32 + 3)},
      {"INIT of the epoch after next", FrameType::Rekey, rekey_message(1, e + 2, 32 + 3)},
      {"ACK", FrameType::Rekey, rekey_message(2, e + 1, 32 + 2)},
      {"ACK of this epoch", FrameType::Rekey, rekey_message(2, e, 32 + 2)},
      {"REQ", FrameType::Rekey, rekey_message(3, e + 1, 0)},
      {"REQ of this epoch", FrameType::Rekey, rekey_message(3, e, 0)},
      {"REQ of the epoch after next", FrameType::Rekey, rekey_message(3, e + 2, 0)},
      {"NAK", FrameType::Rekey, nak(e + 1)},
      {"NAK of this epoch", FrameType::Rekey, nak(e)},
      {"NAK for another reason", FrameType::Rekey, rekey_message(4, e + 1, 2)},
      {"DONE of this epoch", FrameType::Rekey, rekey_message(5, e, 0)},
      {"DONE of the next", FrameType::Rekey, rekey_message(5, e + 1, 0)},
      {"unknown rekey message", FrameType::Rekey, rekey_message(6, e + 1, 0)},
      {"REQ with leftovers", FrameType::Rekey, rekey_message(3, e + 1, 1)},
      {"empty REKEY", FrameType::Rekey, {}},
      {"CLOSE", FrameType::Close, close_text(0, "bye")},
      {"CLOSE unassigned", FrameType::Close, close_text(77)},
      {"CLOSE too short", FrameType::Close, {0}},
      {"longest CLOSE", FrameType::Close, close_text(0, std::string(1'024, 'x'))},
      {"CLOSE too long", FrameType::Close, close_text(0, std::string(1'025, 'x'))},
      {"CLOSE as long as its frame may be", FrameType::Close, close_text(0, std::string(1'182, 'x'))},
      {"INIT as long as its frame may be", FrameType::Rekey, rekey_message(1, e + 1, 8'176 - 9)},
  };
  return all;
}

/// What becomes of an attempt: the end goes on, is closed by its peer, or refuses for a reason of its own.
struct Outcome {
  enum class Kind : std::uint8_t { GoesOn, ByPeer, Refuses } kind;
  Reason reason = Reason::ProtocolError;
};

bool one_of(std::string_view what, std::initializer_list<std::string_view> list) {
  return std::ranges::find(list, what) != list.end();
}

/// The tables of §5.6 and §7.3: what is not listed is PROTOCOL_ERROR. Handshake messages here are empty, so even in
/// their own state they do not parse; that they are lawful when whole is what every other test shows.
Outcome expected(State state, std::string_view what) {
  using enum Outcome::Kind;
  const Outcome refused{Refuses, Reason::ProtocolError};
  if (is_handshake(state)) {
    // An ALERT: the server's wherever the client listens (§2.5: also while the client waits for its KME), the client's
    // only before CLIENT_AUTH, and never in clear.
    const bool lawful = role_of(state) == Role::Client || state == State::AwaitClientAuth;
    if (lawful && one_of(what, {"ALERT", "longest ALERT"})) return {ByPeer, Reason::HandshakeFailed};
    if (lawful && what == "ALERT LIMIT") return {ByPeer, Reason::Limit};
    return refused;
  }
  if (one_of(what, {"CLOSE", "longest CLOSE"})) return {ByPeer, Reason::Normal};
  if (one_of(what, {"data", "empty data", "END"})) {
    const bool ended = state == State::ClientAfterEnd || state == State::ServerAfterEnd;
    return ended ? refused : Outcome{GoesOn};
  }
  if (role_of(state) == Role::Client) {
    const bool idle = state == State::ClientIdle || state == State::ClientAfterEnd;
    if (what == "INIT") return idle ? Outcome{GoesOn} : refused;
    return refused;
  }
  if (what == "REQ") return {GoesOn};
  if (what == "ACK" && state == State::AwaitAckLight) return {Refuses, Reason::RekeyFailed};  // its confirm is zeros
  if (what == "NAK" && state == State::AwaitAck) return {GoesOn};
  return refused;
}

class StateTable : public testing::TestWithParam<State> {};

// SPEC §2.5, §5.6, §8.3, Appendix B 24.
TEST_P(StateTable, what_is_not_listed_for_a_state_is_a_protocol_error) {
  const State state = GetParam();
  const std::uint32_t e = staged(state)->puppet().epoch();
  // In AwaitDone the puppet's own epoch is e+1; its lawful DONE is another test's.
  const std::uint32_t speaks_in = state == State::AwaitDone ? e - 1 : e;
  for (const Attempt& attempt : attempts(speaks_in)) {
    SCOPED_TRACE(std::string(name(state)) + " <- " + std::string(attempt.what));
    const auto stage = staged(state);
    const std::uint64_t before = stage->pair().made(stage->genuine()).size();
    wire::FrameHeader header = stage->puppet().next_header(attempt.type);
    header.flags = attempt.flags;
    header.epoch = speaks_in;
    stage->give(stage->puppet().forge(header, stage->puppet().sent(), attempt.plaintext));
    const Outcome outcome = expected(state, attempt.what);
    switch (outcome.kind) {
      case Outcome::Kind::GoesOn:
        EXPECT_FALSE(stage->closed()) << stage->seen().closed->text;
        break;
      case Outcome::Kind::ByPeer:
        ASSERT_TRUE(stage->closed());
        EXPECT_EQ(stage->closed(), outcome.reason);
        EXPECT_TRUE(stage->seen().closed->by_peer);
        EXPECT_EQ(stage->pair().made(stage->genuine()).size(), before) << "a receiver of CLOSE or ALERT does not reply";
        break;
      case Outcome::Kind::Refuses:
        expect_refused(*stage, state, outcome.reason, before);
        break;
    }
    if (is_handshake(state)) {
      EXPECT_FALSE(stage->seen().session_id) << "Established";
      EXPECT_TRUE(stage->seen().data.empty());
    }
    EXPECT_EQ(stage->pair().defect(), "");
  }
}

// Headers

struct Flaw {
  std::string_view what;
  std::function<void(wire::FrameHeader&)> make;
  Reason reason = Reason::ProtocolError;
};

/// A header that is lawful in this state, of a type for which there are most rules.
wire::FrameHeader lawful_header(Stage& stage, State state) {
  wire::FrameHeader header = stage.puppet().next_header(is_handshake(state) ? FrameType::Handshake : FrameType::Rekey);
  header.payload_len = 100;
  return header;
}

/// Flaws of a kind that every state knows.
std::vector<Flaw> general_flaws(State state) {
  std::vector<Flaw> all{
      {"END on a type that has none", [](auto& h) { h.flags = record::stream::kFlagEnd; }},
      {"no payload", [](auto& h) { h.payload_len = 0; }},
      {"a payload beyond the type's bound",
       [](auto& h) { h.payload_len = h.type == FrameType::Rekey ? 8'193 : 16'385; }},
      {"the largest length", [](auto& h) { h.payload_len = 0xffff'ffff; }},
      {"the next seq but one", [](auto& h) { ++h.seq; }},
      {"the seq before", [](auto& h) { --h.seq; }},
      {"seq with its highest bit", [](auto& h) { h.seq ^= 0x8000'0000U; }},
      {"the epoch before", [](auto& h) { --h.epoch; }, Reason::EpochMismatch},
      {"an epoch far away", [](auto& h) { h.epoch += 0x1'0000; }, Reason::EpochMismatch},
  };
  // In AwaitDone both the puppet's epoch and the one before are lawful.
  all[7].make = [state](auto& h) { h.epoch -= state == State::AwaitDone ? 2 : 1; };
  all.push_back({"the epoch after", [](auto& h) { ++h.epoch; }, Reason::EpochMismatch});
  for (int bit = 1; bit < 8; ++bit) {
    all.push_back({"a flag that is not assigned", [bit](auto& h) { h.flags = static_cast<std::uint8_t>(1 << bit); }});
  }
  for (std::uint8_t type = 1; type <= 4; ++type) {
    const bool lawful = is_handshake(state) == (type == 1);
    if (!lawful) all.push_back({"a type out of turn", [type](auto& h) { h.type = static_cast<FrameType>(type); }});
  }
  all.push_back({"another epoch and another seq: epoch comes first",
                 [](auto& h) {
                   ++h.epoch;
                   ++h.seq;
                 },
                 Reason::EpochMismatch});
  return all;
}

/// What else is a flaw in this state.
std::vector<Flaw> own_flaws(State state) {
  std::vector<Flaw> all;
  if (is_clear(state)) {
    all.push_back({"a clear payload that holds no message", [](auto& h) { h.payload_len = 3; }});
  } else {
    all.push_back({"a sealed payload shorter than its tag", [](auto& h) { h.payload_len = 15; }});
  }
  if (!is_handshake(state)) {
    all.push_back({"CLOSE beyond its bound", [](auto& h) {
                     h.type = FrameType::Close;
                     h.payload_len = 1'201;
                   }});
    all.push_back({"APP_DATA beyond its bound", [](auto& h) {
                     h.type = FrameType::AppData;
                     h.payload_len = 65'553;
                   }});
  }
  if (state == State::ClientAfterEnd || state == State::ServerAfterEnd) {
    all.push_back({"APP_DATA after END", [](auto& h) { h.type = FrameType::AppData; }});
  }
  if (state == State::AwaitDone) {
    all.push_back({"APP_DATA begins the new epoch", [](auto& h) { h.type = FrameType::AppData; }});
    all.push_back({"CLOSE begins the new epoch", [](auto& h) { h.type = FrameType::Close; }});
  }
  // Before it has parsed SERVER_HELLO a client knows no session_id.
  if (state != State::AwaitServerHello) {
    all.push_back({"another session", [](auto& h) { h.session_id ^= 1; }});
    all.push_back({"another session and another epoch: session_id comes first", [](auto& h) {
                     h.session_id ^= 1;
                     ++h.epoch;
                   }});
  }
  return all;
}

std::vector<Flaw> flaws(State state) {
  std::vector<Flaw> all = general_flaws(state);
  std::ranges::move(own_flaws(state), std::back_inserter(all));
  return all;
}

// SPEC §2.5, Appendix B 4.
TEST_P(StateTable, a_flawed_header_is_refused_before_a_byte_of_its_payload) {
  const State state = GetParam();
  for (const Flaw& flaw : flaws(state)) {
    SCOPED_TRACE(std::string(name(state)) + " <- " + std::string(flaw.what));
    const auto stage = staged(state);
    const std::uint64_t before = stage->pair().made(stage->genuine()).size();
    wire::FrameHeader header = lawful_header(*stage, state);
    flaw.make(header);
    Frame bytes(wire::kFrameHeaderSize);
    wire::encode(header, MutableBytes(bytes).first<wire::kFrameHeaderSize>());
    stage->give(bytes);
    expect_refused(*stage, state, flaw.reason, before);
    EXPECT_EQ(stage->pair().defect(), "");
  }
}

TEST_P(StateTable, an_unassigned_type_is_refused) {
  for (const int type : {0, 5, 6, 127, 255}) {
    const auto stage = staged(GetParam());
    const std::uint64_t before = stage->pair().made(stage->genuine()).size();
    Frame bytes(wire::kFrameHeaderSize);
    wire::encode(lawful_header(*stage, GetParam()), MutableBytes(bytes).first<wire::kFrameHeaderSize>());
    bytes[0] = static_cast<std::uint8_t>(type);
    stage->give(bytes);
    expect_refused(*stage, GetParam(), Reason::ProtocolError, before);
  }
}

/// The types and lengths that are lawful in this state (SPEC §2.3), each at both of its bounds.
std::vector<std::pair<FrameType, std::uint32_t>> lawful_lengths(State state) {
  if (is_clear(state)) return {{FrameType::Handshake, 4}, {FrameType::Handshake, 16'384}};
  if (is_handshake(state)) return {{FrameType::Handshake, 16}, {FrameType::Handshake, 16'384}};
  std::vector<std::pair<FrameType, std::uint32_t>> all{{FrameType::Rekey, 16}, {FrameType::Rekey, 8'192}};
  // In AwaitDone the puppet stands in the new epoch, which a REKEY frame begins.
  if (state == State::AwaitDone) return all;
  all.insert(all.end(), {{FrameType::Close, 16}, {FrameType::Close, 1'200}});
  if (state == State::ClientAfterEnd || state == State::ServerAfterEnd) return all;
  all.insert(all.end(), {{FrameType::AppData, 16}, {FrameType::AppData, 65'552}});
  return all;
}

// SPEC §2.5.
TEST_P(StateTable, a_lawful_header_is_not_refused_before_its_payload) {
  for (const auto& [type, length] : lawful_lengths(GetParam())) {
    const auto stage = staged(GetParam());
    wire::FrameHeader header = lawful_header(*stage, GetParam());
    header.type = type;
    header.payload_len = length;
    Frame bytes(wire::kFrameHeaderSize);
    wire::encode(header, MutableBytes(bytes).first<wire::kFrameHeaderSize>());
    stage->give(bytes);
    EXPECT_FALSE(stage->closed()) << int{std::to_underlying(type)} << " of " << length;
    EXPECT_EQ(stage->end().bytes_needed(), wire::kFrameHeaderSize + length);
  }
}

TEST_P(StateTable, a_payload_that_does_not_open_ends_the_session) {
  const State state = GetParam();
  if (is_clear(state)) return;
  const auto stage = staged(state);
  const std::uint64_t before = stage->pair().made(stage->genuine()).size();
  const wire::FrameHeader header = lawful_header(*stage, state);
  stage->give(stage->puppet().forge(header, stage->puppet().sent() + (std::uint64_t{1} << 32), Message(84)));
  expect_refused(*stage, state, Reason::AeadDecryptFailed, before);
}

// SPEC §5.8, Appendix B 25.
TEST_P(StateTable, the_end_of_the_stream_ends_the_session_and_is_reported) {
  const State state = GetParam();
  const auto stage = staged(state);
  stage->pair().end_of_stream(other(stage->genuine()));
  ASSERT_TRUE(stage->seen().closed);
  EXPECT_EQ(stage->closed(), is_handshake(state) ? Reason::HandshakeFailed : Reason::ProtocolError);
  const bool complete = state == State::ClientAfterEnd || state == State::ServerAfterEnd;
  EXPECT_EQ(stage->seen().closed->truncated, !is_handshake(state) && !complete);
}

INSTANTIATE_TEST_SUITE_P(Every, StateTable, testing::ValuesIn(all_states()),
                         [](const auto& tested) { return std::string(name(tested.param)); });

}  // namespace
}  // namespace qsp::test

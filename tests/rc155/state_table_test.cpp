// SPEC_155 §9, exhaustively: every frame type, authentic and with the right numbers, in every state of both roles.

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>

#include "fixture.hpp"

namespace qsp::rc155 {
namespace {

enum class Setting : std::uint8_t { Handshake, Established, Rekey, RekeyNewEpoch, Closed };
enum class Message : std::uint8_t { Hello, OtherHello, AppData, Init, Ack, Close, Type0, Type5, Type255 };

constexpr std::array kMessages = {Message::Hello, Message::OtherHello, Message::AppData, Message::Init,   Message::Ack,
                                  Message::Close, Message::Type0,      Message::Type5,   Message::Type255};

/// What must become of the receiver: a reason to close with, or the state it goes to.
struct Outcome {
  std::optional<Reason> closed;
  State state = State::Closed;
};

constexpr Outcome refuse(Reason reason) { return {reason, State::Closed}; }
constexpr Outcome goes_to(State state) { return {std::nullopt, state}; }

Outcome expected(Role to, Setting setting, Message message) {
  const bool server = to == Role::Server;
  const Outcome no = refuse(Reason::ProtocolError);
  const Outcome wrong_label = refuse(Reason::AeadDecryptFailed);
  switch (setting) {
    case Setting::Handshake:
      return message == Message::Hello ? goes_to(State::Established) : no;
    case Setting::Established:
      if (message == Message::AppData) return goes_to(State::Established);
      if (message == Message::Init && !server) return goes_to(State::Rekey);
      if (message == Message::Ack && !server) return wrong_label;
      if (message == Message::Close) return refuse(Reason::Normal);
      return no;          // a server without an INIT in flight takes no REKEY at all
    case Setting::Rekey:  // a server that waits for ACK; a client before the server's first frame of the new epoch
      if (message == Message::AppData) return goes_to(State::Rekey);
      if (message == Message::Ack && server) return goes_to(State::Established);
      if (message == Message::Init && server) return wrong_label;
      if (message == Message::Close) return refuse(Reason::Normal);
      return no;
    case Setting::RekeyNewEpoch:  // a client, and the frame is the server's first of the new epoch
      if (message == Message::AppData) return goes_to(State::Established);
      if (message == Message::Init) return goes_to(State::Rekey);
      if (message == Message::Ack) return wrong_label;
      if (message == Message::Close) return refuse(Reason::Normal);
      return no;
    case Setting::Closed:
      return refuse(Reason::InternalError);  // as it was; nothing changes
  }
  return no;
}

void bring_to(Duo& duo, Role to, Setting setting) {
  if (setting == Setting::Handshake) return;
  duo.established();
  if (setting == Setting::Rekey || setting == Setting::RekeyNewEpoch) {
    ASSERT_TRUE(duo.pair.rekey(Role::Server));
    duo.watch();
    duo.pair.deliver(Role::Server);
    // The client has committed and its ACK is on its way: to the server, in the client's case.
    if (to == Role::Client && setting == Setting::RekeyNewEpoch) duo.pair.run();
  }
  if (setting == Setting::Closed) duo.pair.close(to, Reason::InternalError, "");
}

Frame hello(Role to) {
  Frame payload(to == Role::Server ? 36 : 44, 0x33);
  std::ranges::copy(std::string_view(to == Role::Server ? "CHLO" : "SHLO"), payload.begin());
  const std::uint64_t id = to == Role::Server ? 0 : 0x3333'3333'3333'3333;
  return clear_frame({FrameType::Handshake, 0, id, 0, 0, 0}, payload);
}

Frame make_frame(Duo& duo, Role to, Setting setting, Message message) {
  if (message == Message::Hello) return hello(to);
  if (message == Message::OtherHello) return hello(other(to));
  // Before there are keys, frames of the right sizes must do.
  const bool keys = setting != Setting::Handshake;
  FrameHeader header = keys ? duo.next_header(to, FrameType::AppData) : FrameHeader{FrameType::AppData, 0, 0, 0, 0, 0};
  if (setting == Setting::Rekey) header.epoch = 1;
  const std::uint32_t new_epoch = header.epoch + 1;
  const auto seal = [&](FrameType type, std::string_view label, Bytes plaintext) {
    header.type = type;
    return keys ? duo.observer.seal(header, label, plaintext) : clear_frame(header, Frame(28 + plaintext.size(), 1));
  };
  switch (message) {
    case Message::AppData:
      return seal(FrameType::AppData, "app", as_bytes("data"));
    case Message::Init:
      return seal(FrameType::Rekey, "rekey-init", rekey_message(1, new_epoch, Frame(32, 5)));
    case Message::Ack: {
      Frame body(32, 6);
      if (setting == Setting::Rekey && to == Role::Server) {
        const auto genuine = duo.observer.open(Role::Client, duo.pair.in_flight(Role::Client).front());
        body.assign(genuine->end() - 32, genuine->end());
      }
      return seal(FrameType::Rekey, "rekey-ack", rekey_message(2, new_epoch, body));
    }
    case Message::Close:
      return seal(FrameType::Close, "close", Frame{0, 0, 'b', 'y', 'e'});
    case Message::Type0:
      return seal(FrameType{0}, "app", as_bytes("data"));
    case Message::Type5:
      return seal(FrameType{5}, "app", as_bytes("data"));
    case Message::Type255:
      return seal(FrameType{255}, "app", as_bytes("data"));
    case Message::Hello:
    case Message::OtherHello:
      break;
  }
  return {};
}

void check(Role to, Setting setting, Message message) {
  const std::string what = std::string(to == Role::Server ? "server" : "client") + ", setting " +
                           std::to_string(static_cast<int>(setting)) + ", message " +
                           std::to_string(static_cast<int>(message));
  Duo duo;
  bring_to(duo, to, setting);
  const Frame frame = make_frame(duo, to, setting, message);
  ASSERT_FALSE(frame.empty()) << what;
  const std::size_t data_before = duo.pair.seen(to).data.size();
  duo.pair.inject(to, frame);

  const Outcome outcome = expected(to, setting, message);
  EXPECT_EQ(duo.snapshot(to).state, outcome.state) << what;
  if (outcome.closed) {
    EXPECT_TRUE(closed_with(duo.closed(to), *outcome.closed)) << what;
  } else {
    EXPECT_FALSE(duo.closed(to)) << what;
  }
  const bool delivers = message == Message::AppData && !outcome.closed;
  EXPECT_EQ(duo.pair.seen(to).data.size() - data_before, delivers ? 1U : 0U) << what;
  EXPECT_EQ(duo.pair.defect(), "") << what;
}

TEST(StateTable, every_message_in_every_state_of_a_server) {
  for (const Setting setting : {Setting::Handshake, Setting::Established, Setting::Rekey, Setting::Closed}) {
    for (const Message message : kMessages) check(Role::Server, setting, message);
  }
}

TEST(StateTable, every_message_in_every_state_of_a_client) {
  for (const Setting setting :
       {Setting::Handshake, Setting::Established, Setting::Rekey, Setting::RekeyNewEpoch, Setting::Closed}) {
    for (const Message message : kMessages) check(Role::Client, setting, message);
  }
}

}  // namespace
}  // namespace qsp::rc155

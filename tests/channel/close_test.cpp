// How a session ends, what is truncated, and that nothing happens afterwards (SPEC §8.1 to §8.3).
#include <gtest/gtest.h>

#include "channel/malicious.hpp"
#include "channel/puppet.hpp"
#include "channel/traffic.hpp"

namespace qsp::test {
namespace {

Closed closed(const Pair& pair, Role role) {
  return pair.seen(role).closed.value_or(Closed{Reason::InternalError, "still open"});
}

// Every order of END, CLOSE and the end of the stream, of both ends.

enum class Act : std::uint8_t { End, Close, EndOfStream };
struct Step {
  Role who;
  Act act;
};
constexpr std::array kSteps{Step{Role::Client, Act::End},         Step{Role::Server, Act::End},
                            Step{Role::Client, Act::Close},       Step{Role::Server, Act::Close},
                            Step{Role::Client, Act::EndOfStream}, Step{Role::Server, Act::EndOfStream}};

/// What SPEC §8 says of two ends that deliver everything at once.
class Model {
 public:
  void take(Step step) {
    Side& self = side(step.who);
    Side& peer = side(other(step.who));
    switch (step.act) {
      case Act::End:
        if (self.closed || self.said_end) return;
        self.said_end = true;
        if (!peer.closed) peer.heard_end = true;
        finish(self);
        finish(peer);
        return;
      case Act::Close:
        if (self.closed) return;
        self.closed = {Reason::Limit, "", false, !self.heard_end};
        if (!peer.closed) peer.closed = {Reason::Limit, "", true, !peer.heard_end};
        return;
      case Act::EndOfStream:
        if (!peer.closed) peer.closed = {Reason::ProtocolError, "", false, !peer.heard_end};
        return;
    }
  }
  [[nodiscard]] const std::optional<Closed>& closed(Role role) const {
    return sides_[static_cast<std::size_t>(role)].closed;
  }

 private:
  struct Side {
    bool said_end = false, heard_end = false;
    std::optional<Closed> closed;
  };
  static void finish(Side& one) {
    if (!one.closed && one.said_end && one.heard_end) one.closed = {Reason::Normal, "", false, false};
  }
  Side& side(Role role) { return sides_[static_cast<std::size_t>(role)]; }
  std::array<Side, 2> sides_;
};

// SPEC §8.2.
TEST(Close, every_order_of_end_close_and_end_of_stream_is_reported_as_it_was) {
  constexpr std::size_t kLength = 4;
  std::size_t orders = 1;
  for (std::size_t i = 0; i < kLength; ++i) orders *= kSteps.size();
  World world;
  for (std::size_t order = 0; order < orders; ++order) {
    const auto pair = world.established();
    Model model;
    std::string where;
    std::size_t rest = order;
    for (std::size_t i = 0; i < kLength; ++i, rest /= kSteps.size()) {
      const Step step = kSteps.at(rest % kSteps.size());
      where += std::string(step.who == Role::Client ? " C:" : " S:") + "ECX"[static_cast<std::size_t>(step.act)];
      model.take(step);
      if (step.act == Act::End) static_cast<void>(pair->send(step.who, as_bytes("last words"), true));
      if (step.act == Act::Close) pair->close(step.who, Reason::Limit, "");
      pair->run();
      if (step.act == Act::EndOfStream) pair->end_of_stream(step.who);
    }
    for (const Role role : kBoth) {
      const auto& expected = model.closed(role);
      ASSERT_EQ(pair->seen(role).closed.has_value(), expected.has_value()) << where;
      if (!expected) continue;
      EXPECT_EQ(closed(*pair, role).reason, expected->reason) << where;
      EXPECT_EQ(closed(*pair, role).by_peer, expected->by_peer) << where;
      EXPECT_EQ(closed(*pair, role).truncated, expected->truncated) << where;
    }
    ASSERT_EQ(pair->defect(), "") << where;
  }
}

// SPEC §8.1, Appendix B 16.
TEST(Close, ends_that_cross_close_clean_and_discard_the_others_close) {
  World world;
  const auto pair = world.established();
  for (const Role role : kBoth) ASSERT_TRUE(pair->send(role, as_bytes("last"), true));
  pair->run();
  for (const Role role : kBoth) {
    EXPECT_EQ(closed(*pair, role).reason, Reason::Normal);
    EXPECT_FALSE(closed(*pair, role).by_peer);
    EXPECT_FALSE(closed(*pair, role).truncated);
    EXPECT_EQ(as_text(pair->seen(role).received()), "last");
    EXPECT_EQ(header_of(pair->made(role).back()).type, wire::FrameType::Close);
  }
}

// SPEC Appendix B 16.
TEST(Close, closes_that_cross_are_each_discarded) {
  World world;
  const auto pair = world.established();
  pair->close(Role::Client, Reason::Limit, "");
  pair->close(Role::Server, Reason::InternalError, "");
  pair->run();
  EXPECT_EQ(closed(*pair, Role::Client).reason, Reason::Limit);
  EXPECT_EQ(closed(*pair, Role::Server).reason, Reason::InternalError);
}

// SPEC §8.2.
TEST(Close, nothing_behind_a_close_is_processed_and_no_reply_is_sent) {
  World world;
  Insider insider(*world.client_provider);
  const auto pair = established_with_log(world, insider);
  MaliciousEnd server(*pair, Role::Server, insider);
  const Frame close = server.seal(wire::FrameType::Close, close_text(0, "bye"));
  const Frame data = server.seal(wire::FrameType::AppData, as_bytes("after"), 1);
  Frame both = close;
  both.insert(both.end(), data.begin(), data.end());
  pair->inject(Role::Client, both);
  EXPECT_TRUE(closed(*pair, Role::Client).by_peer);
  EXPECT_EQ(closed(*pair, Role::Client).text, "bye");
  EXPECT_TRUE(closed(*pair, Role::Client).truncated);
  EXPECT_TRUE(pair->seen(Role::Client).data.empty());
  EXPECT_TRUE(pair->in_flight(Role::Client).empty());
}

/// SPEC §8.3, §8.2, Appendix B 26 and 27: this end's own failure, answered with a CLOSE of its own.
/// SPEC Appendix B 27.
TEST(Close, a_malformed_close_or_an_unassigned_reason_is_a_failure_like_any_other_and_is_answered) {
  for (const Role victim : kBoth) {
    for (const Message& plaintext : {Message(), Message(1), Message(1'027), close_text(12'345, "?"), close_text(1)}) {
      World world;
      Insider insider(*world.client_provider);
      const auto pair = established_with_log(world, insider);
      MaliciousEnd peer(*pair, other(victim), insider);
      peer.send(wire::FrameType::Close, plaintext);
      EXPECT_EQ(closed(*pair, victim).reason, Reason::ProtocolError) << plaintext.size();
      EXPECT_FALSE(closed(*pair, victim).by_peer) << plaintext.size();
      EXPECT_EQ(closed(*pair, victim).text, "CLOSE") << plaintext.size();
      const auto answers = peer.take();
      ASSERT_EQ(answers.size(), 1U) << plaintext.size();
      const auto answer = wire::parse_close(answers.front());
      ASSERT_TRUE(answer) << plaintext.size();
      EXPECT_EQ(answer->reason, Reason::ProtocolError) << plaintext.size();
    }
  }
}

TEST(Close, data_after_end_is_refused_at_both_ends) {
  World world;
  Insider insider(*world.client_provider);
  const auto pair = established_with_log(world, insider);
  ASSERT_TRUE(pair->send(Role::Client, as_bytes(""), true));
  const auto more = pair->send(Role::Client, "more");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().kind, ErrorKind::ApiMisuse);
  EXPECT_EQ(pair->at(Role::Client).phase(), Phase::Established) << "a refusal is local";
  pair->run();
  EXPECT_TRUE(pair->seen(Role::Server).end);
  MaliciousEnd(*pair, Role::Client, insider).send(wire::FrameType::AppData, as_bytes("more"));
  EXPECT_EQ(closed(*pair, Role::Server).reason, Reason::ProtocolError);
  EXPECT_FALSE(closed(*pair, Role::Server).truncated) << "END had arrived";
  EXPECT_EQ(pair->seen(Role::Server).received().size(), 0U);
}

// SPEC Appendix B 19.
TEST(Close, rekeys_go_on_after_an_end_in_either_direction) {
  for (const Role ended : kBoth) {
    World world;
    const auto pair = world.established();
    ASSERT_TRUE(pair->send(ended, as_bytes("last"), true));
    pair->run();
    for (std::uint32_t epoch = 1; epoch < 5; ++epoch) {
      ASSERT_TRUE(pair->rekey(Role::Server));
      ASSERT_TRUE(pair->send(other(ended), "goes on"));
      pair->run();
      EXPECT_EQ(pair->at(Role::Client).epoch(), epoch + 1);
    }
    ASSERT_TRUE(pair->send(other(ended), as_bytes(""), true));
    pair->run();
    for (const Role role : kBoth) EXPECT_EQ(closed(*pair, role).reason, Reason::Normal);
  }
}

// SPEC §8.1, Appendix B 19.
TEST(Close, both_ends_close_clean_whatever_step_a_rekey_stands_at) {
  for (int delivered = 0; delivered < 4; ++delivered) {
    for (const Role first : kBoth) {
      World world;
      const auto pair = world.established();
      ASSERT_TRUE(pair->rekey(Role::Server));
      for (int i = 0; i < delivered; ++i) pair->deliver(i % 2 == 0 ? Role::Server : Role::Client);
      for (const Role role : {first, other(first)}) ASSERT_TRUE(pair->send(role, as_bytes("last"), true));
      pair->run();
      for (const Role role : kBoth) {
        EXPECT_EQ(closed(*pair, role).reason, Reason::Normal) << delivered;
        EXPECT_FALSE(closed(*pair, role).truncated) << delivered;
        EXPECT_EQ(as_text(pair->seen(role).received()), "last") << delivered;
      }
    }
  }
}

/// SPEC §8.1, §7.3: "Application data, END and CLOSE go on in both directions in every state", also while either end
/// waits for its KME and with a NAK on its way. What the KME says later is nobody's.
TEST(Close, both_ends_close_clean_while_a_kme_is_asked_and_across_a_nak) {
  enum class At : std::uint8_t { EncKey, DecKey, Nak, Backoff };
  for (const At at : {At::EncKey, At::DecKey, At::Nak, At::Backoff}) {
    for (const Role first : kBoth) {
      World world(QkdPolicy::Required);
      const auto pair = world.established();
      ASSERT_TRUE(pair->rekey(Role::Server));
      if (at != At::EncKey) {
        ASSERT_TRUE(world.answer(*pair, Role::Server));
        pair->run();
      }
      if (at == At::Nak || at == At::Backoff) {
        ASSERT_TRUE(channel(*pair, Role::Client).fail_qkd_key(QkdFailure::Unavailable, pair->now()));
        pair->drain(Role::Client);
      }
      if (at == At::Backoff) pair->run();
      for (const Role role : {first, other(first)}) ASSERT_TRUE(pair->send(role, as_bytes("last"), true));
      pair->run();
      for (const Role role : kBoth) {
        EXPECT_EQ(closed(*pair, role).reason, Reason::Normal);
        EXPECT_FALSE(closed(*pair, role).truncated);
        EXPECT_EQ(as_text(pair->seen(role).received()), "last");
        EXPECT_FALSE(
            channel(*pair, role).provide_qkd_key({"abcdef01-2345-4678-89ab-cdef01234567", QkdKey()}, pair->now()));
      }
      EXPECT_EQ(pair->defect(), "");
    }
  }
}

// SPEC §8.2.
TEST(Close, is_understood_whatever_step_a_rekey_stands_at) {
  for (int delivered = 0; delivered < 4; ++delivered) {
    for (const Role who : kBoth) {
      World world;
      const auto pair = world.established();
      ASSERT_TRUE(pair->rekey(Role::Server));
      for (int i = 0; i < delivered; ++i) pair->deliver(i % 2 == 0 ? Role::Server : Role::Client);
      pair->close(who, Reason::Timeout, "enough");
      pair->run();
      EXPECT_EQ(closed(*pair, other(who)).reason, Reason::Timeout) << delivered;
      EXPECT_EQ(closed(*pair, other(who)).text, "enough") << delivered;
      EXPECT_TRUE(closed(*pair, other(who)).by_peer) << delivered;
    }
  }
}

// SPEC Appendix B 35.
TEST(Close, in_each_step_of_the_handshake_tells_no_more_than_the_peer_has_earned) {
  for (int delivered = 0; delivered < 6; ++delivered) {
    for (const Role who : kBoth) {
      World world(QkdPolicy::Required);
      const auto pair = world.pair();
      for (int i = 0; i < delivered; ++i) {
        for (const Role role : kBoth) world.answer(*pair, role);
        if (!pair->deliver(Role::Client)) pair->deliver(Role::Server);
      }
      const bool established = pair->at(who).phase() == Phase::Established;
      const bool verified = !pair->seen(who).qkd.empty();
      const std::size_t made = pair->made(who).size();
      pair->close(who, Reason::Limit, "a secret of this end");
      EXPECT_EQ(closed(*pair, who).reason, Reason::Limit);
      const std::size_t told = pair->made(who).size() - made;
      EXPECT_LE(told, 1U);
      if (told == 1 && !established && header_of(pair->made(who).back()).epoch == 0) {
        EXPECT_EQ(header_of(pair->made(who).back()).type, wire::FrameType::Handshake);
      }
      pair->run();
      const auto& there = pair->seen(other(who)).closed;
      if (!there) continue;
      const bool precise = verified || established;
      // SPEC §5.8: a server without room says so to anybody, a client to no stranger.
      const bool told_why = precise || who == Role::Server;
      EXPECT_EQ(there->reason, told_why ? Reason::Limit : Reason::HandshakeFailed) << delivered;
      EXPECT_EQ(there->text, precise ? "a secret of this end" : "") << delivered;
      EXPECT_TRUE(there->by_peer) << delivered;
    }
  }
}

// SPEC §8.3, §5.1: "0 … 1,024 bytes of UTF-8", in a CLOSE and in an ALERT.
TEST(Close, cuts_a_long_text_and_never_inside_a_character) {
  for (const bool established : {true, false}) {
    for (const std::size_t lead : {0U, 1U, 2U, 3U, 4U, 5'000U}) {
      World world(QkdPolicy::Required);
      const auto pair = established ? world.established() : world.pair();
      pair->run();
      std::string text(std::min<std::size_t>(lead, 4), 'x');
      for (int i = 0; i < 300 && lead <= 4; ++i) text += "\xf0\x9f\x94\x91";
      if (lead > 4) text.assign(lead, 'x');
      // In a handshake the client tells more than HANDSHAKE_FAILED once it has asked its KME.
      pair->close(Role::Client, Reason::InternalError, text);
      pair->run();
      const std::size_t whole = lead > 4 || lead % 4 == 0 ? 1'024 : 1'020 + lead;
      for (const Role role : kBoth) EXPECT_EQ(closed(*pair, role).text, text.substr(0, whole)) << lead;
    }
  }
}

// SPEC §8.2.
TEST(Close, after_it_every_call_refuses_or_does_nothing) {
  for (const bool established : {true, false}) {
    for (const Role role : kBoth) {
      World world(QkdPolicy::Preferred);
      const auto pair = established ? world.established() : world.pair();
      pair->close(role, Reason::Normal, "");
      Endpoint& end = channel(*pair, role);
      EXPECT_EQ(end.phase(), Phase::Closed);
      const auto refused = [](const auto& result) { return !result && result.error().kind == ErrorKind::ApiMisuse; };
      Frame bytes(100, 0x5a);
      EXPECT_EQ(end.handle_bytes(bytes, pair->now()), bytes.size());
      EXPECT_EQ(end.handle_bytes({}, pair->now()), 0U);
      end.handle_end_of_stream(pair->now());
      EXPECT_FALSE(end.next_timeout());
      end.handle_timeout(pair->now() + std::chrono::hours(24));
      end.close(Reason::Limit, "again");
      EXPECT_TRUE(refused(end.seal_app_data(bytes, bytes.size() - 38, false, pair->now())));
      EXPECT_EQ(bytes, Frame(100, 0x5a)) << "untouched";
      EXPECT_TRUE(refused(end.request_rekey(pair->now())));
      EXPECT_TRUE(refused(end.provide_qkd_key({"abcdef01-2345-4678-89ab-cdef01234567", QkdKey()}, pair->now())));
      EXPECT_TRUE(refused(end.fail_qkd_key(QkdFailure::Unavailable, pair->now())));
      EXPECT_TRUE(refused(end.export_key("label", {}, 32)));
      EXPECT_EQ(end.epoch(), established ? 1U : 0U) << "the last one";
      EXPECT_FALSE(end.poll_event());
      std::array<std::uint8_t, 64> out{};
      EXPECT_EQ(end.poll_transmit(out), 0U);
      EXPECT_EQ(closed(*pair, role).reason, Reason::Normal);
    }
  }
}

TEST(Close, sealing_refuses_a_frame_of_the_wrong_size_and_goes_on) {
  World world;
  const auto pair = world.established();
  Endpoint& client = pair->at(Role::Client);
  const FrameRoom room = client.frame_room();
  Frame frame(room.head + Endpoint::kMaxPlaintext + 1 + room.tail);
  for (const auto& [bytes, size] : {std::pair<std::size_t, std::size_t>{frame.size(), Endpoint::kMaxPlaintext + 1},
                                    {room.head + room.tail, 1},
                                    {room.head + room.tail + 1, 0},
                                    {0, 0}}) {
    EXPECT_FALSE(client.seal_app_data(MutableBytes(frame).first(bytes), size, false, pair->now()));
  }
  EXPECT_TRUE(pair->send(Role::Client, Frame(Endpoint::kMaxPlaintext, 1)));
  pair->run();
  EXPECT_EQ(pair->seen(Role::Server).received().size(), Endpoint::kMaxPlaintext);
}

// SPEC §2.2.
TEST(Close, sealing_waits_until_control_bytes_have_been_polled) {
  World world;
  const auto pair = world.established();
  ASSERT_TRUE(pair->at(Role::Server).request_rekey(pair->now()));
  const FrameRoom room = pair->at(Role::Server).frame_room();
  Frame frame(room.head + room.tail);
  EXPECT_FALSE(pair->at(Role::Server).seal_app_data(frame, 0, false, pair->now()));
  pair->drain(Role::Server);
  EXPECT_TRUE(pair->send(Role::Server, "now"));
  pair->run();
  EXPECT_EQ(as_text(pair->seen(Role::Client).received()), "now");
}

}  // namespace
}  // namespace qsp::test

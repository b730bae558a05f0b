// What an attacker on the wire, or a hostile peer, gets: an end with a lawful reason, and no altered data.

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "fixture.hpp"

namespace qsp::rc155 {
namespace {

/// The frames of the untouched scenario, by sender.
std::vector<Frame> scenario_frames(Role from) {
  Duo duo;
  run_scenario(duo);
  return duo.pair.made(from);
}

/// Both streams end; whoever is still open closes now.
void end_streams(Duo& duo) {
  for (const Role from : kRoles) duo.pair.end_of_stream(from);
}

/// After damage to what `to` reads: both ends are closed for a lawful reason and nobody got altered data. A frame whose
/// length grew may still have been waited for when the client closed by itself.
void expect_lawful_end(Duo& duo, Role to, bool may_wait, const std::string& what) {
  end_streams(duo);
  for (const Role role : kRoles) {
    ASSERT_TRUE(duo.closed(role)) << what;
    EXPECT_TRUE(only_genuine_data(duo, role)) << what;
  }
  const bool own_close = to == Role::Client && duo.closed(to)->reason == Reason::Normal && !duo.closed(to)->by_peer;
  EXPECT_TRUE(is_fault(duo.closed(to)->reason) || (may_wait && own_close))
      << what << ": " << name(duo.closed(to)->reason);
  EXPECT_EQ(duo.pair.defect(), "") << what;
}

TEST(Hostile, every_byte_of_every_frame_altered_ends_the_session) {
  for (const Role from : kRoles) {
    const auto frames = scenario_frames(from);
    for (std::size_t index = 0; index < frames.size(); ++index) {
      for (std::size_t at = 0; at < frames[index].size(); ++at) {
        for (const std::uint8_t mask : {std::uint8_t{0x01}, std::uint8_t{0x80}, std::uint8_t{0xff}}) {
          Duo duo;
          run_scenario(duo, [&](Role sender, std::size_t number) {
            if (sender == from && number == index) queue(duo, from).front()[at] ^= mask;
          });
          // A hello's altered nonce leaves two ends with different keys: either may be the first to notice.
          const bool hello_nonce = index == 0 && at >= 26 && at < 58;
          const std::string what = "frame " + std::to_string(index) + " byte " + std::to_string(at);
          if (hello_nonce) {
            end_streams(duo);
            for (const Role role : kRoles) {
              ASSERT_TRUE(duo.closed(role)) << what;
              EXPECT_TRUE(duo.pair.seen(role).data.empty()) << what;
              EXPECT_TRUE(is_fault(duo.closed(role)->reason)) << what;
            }
          } else {
            expect_lawful_end(duo, other(from), at >= 18 && at < 22, what);
          }
        }
      }
    }
  }
}

TEST(Hostile, every_truncation_of_the_stream_is_truncation) {
  for (const Role from : kRoles) {
    std::size_t stream = 0;
    for (const Frame& frame : scenario_frames(from)) stream += frame.size();
    for (std::size_t keep = 0; keep < stream; ++keep) {
      Duo duo;
      std::size_t passed = 0;
      run_scenario(duo, [&](Role sender, std::size_t) {
        if (sender != from) return;
        const Frame& frame = queue(duo, from).front();
        if (passed <= keep && passed + frame.size() > keep) duo.pair.cut(from, keep - passed);
        passed = passed > keep || queue(duo, from).empty() ? keep + 1 : passed + queue(duo, from).front().size();
      });
      const auto& closed = duo.closed(other(from));
      ASSERT_TRUE(closed) << keep;
      EXPECT_TRUE(closed->truncated) << keep;
      EXPECT_EQ(closed->reason, Reason::ProtocolError) << keep;
      EXPECT_TRUE(only_genuine_data(duo, other(from))) << keep;
      EXPECT_EQ(duo.pair.defect(), "");
    }
  }
}

/// The first header byte decides alone, or the whole header does: never the payload, which is not there.
struct BadHeader {
  std::string_view what;
  void (*alter)(FrameHeader&);
  Reason reason;
};

constexpr std::array<BadHeader, 16> kBadHeaders{{
    {"type 0", [](FrameHeader& h) { h.type = FrameType{0}; }, Reason::ProtocolError},
    {"type 5", [](FrameHeader& h) { h.type = FrameType{5}; }, Reason::ProtocolError},
    {"type 255", [](FrameHeader& h) { h.type = FrameType{255}; }, Reason::ProtocolError},
    {"flag 0", [](FrameHeader& h) { h.flags = 1; }, Reason::ProtocolError},
    {"flag 7", [](FrameHeader& h) { h.flags = 0x80; }, Reason::ProtocolError},
    {"4 GiB", [](FrameHeader& h) { h.payload_len = 0xffff'ffff; }, Reason::ProtocolError},
    {"one byte too long", [](FrameHeader& h) { h.payload_len = 65'536 + 29; }, Reason::ProtocolError},
    {"one byte too short", [](FrameHeader& h) { h.payload_len = 27; }, Reason::ProtocolError},
    {"empty", [](FrameHeader& h) { h.payload_len = 0; }, Reason::ProtocolError},
    {"another session", [](FrameHeader& h) { ++h.session_id; }, Reason::ProtocolError},
    {"session 0", [](FrameHeader& h) { h.session_id = 0; }, Reason::ProtocolError},
    {"epoch before", [](FrameHeader& h) { --h.epoch; }, Reason::EpochMismatch},
    {"epoch after", [](FrameHeader& h) { ++h.epoch; }, Reason::EpochMismatch},
    {"seq repeated", [](FrameHeader& h) { --h.seq; }, Reason::ProtocolError},
    {"seq skipped", [](FrameHeader& h) { ++h.seq; }, Reason::ProtocolError},
    {"epoch checked before seq", [](FrameHeader& h) { ++h.epoch, ++h.seq; }, Reason::EpochMismatch},
}};

TEST(Hostile, a_bad_header_is_refused_before_its_payload_is_there) {
  for (const Role to : kRoles) {
    for (const BadHeader& bad : kBadHeaders) {
      Duo duo;
      duo.established();
      (void)duo.pair.send(other(to), "x");
      duo.pair.run();
      FrameHeader header = duo.next_header(to, FrameType::AppData);
      header.payload_len = 40;
      bad.alter(header);
      Frame bytes(22);
      wire::encode(header, MutableBytes(bytes).first<22>());
      duo.pair.inject(to, Bytes(bytes).first(21));
      EXPECT_FALSE(duo.closed(to)) << bad.what;
      duo.pair.inject(to, Bytes(bytes).last(1));
      EXPECT_TRUE(closed_with(duo.closed(to), bad.reason)) << bad.what;
      ASSERT_FALSE(queue(duo, to).empty()) << bad.what;
      EXPECT_EQ(header_of(queue(duo, to).back()).type, FrameType::Close) << "the peer is told why";
      duo.pair.run();
      EXPECT_TRUE(closed_with(duo.closed(other(to)), bad.reason)) << bad.what;
      EXPECT_TRUE(duo.closed(other(to))->by_peer);
    }
  }
}

TEST(Hostile, a_hello_has_one_length_one_epoch_and_one_seq) {
  for (const Role to : kRoles) {
    const std::uint32_t length = to == Role::Server ? 36 : 44;
    const std::uint64_t id = to == Role::Server ? 0 : 7;
    const FrameHeader good{FrameType::Handshake, 0, id, 0, 0, length};
    struct Case {
      FrameHeader header;
      Reason reason;
    };
    std::vector<Case> cases;
    const auto with = [&](auto alter, Reason reason) {
      FrameHeader header = good;
      alter(header);
      cases.push_back({header, reason});
    };
    for (const std::uint32_t bad : {0U, length - 1, length + 1, 80 - length, 0xffff'ffffU}) {
      with([&](FrameHeader& h) { h.payload_len = bad; }, Reason::ProtocolError);
    }
    with([](FrameHeader& h) { h.flags = 1; }, Reason::ProtocolError);
    with([&](FrameHeader& h) { h.session_id = 7 - id; }, Reason::ProtocolError);
    with([](FrameHeader& h) { h.epoch = 1; }, Reason::EpochMismatch);
    with([](FrameHeader& h) { h.seq = 1; }, Reason::ProtocolError);
    for (const Case& item : cases) {
      Duo duo;
      Frame bytes(22);
      wire::encode(item.header, MutableBytes(bytes).first<22>());
      duo.pair.inject(to, bytes);
      EXPECT_TRUE(closed_with(duo.closed(to), item.reason)) << item.header.payload_len;
    }
    Duo duo;
    Frame bytes(22);
    wire::encode(good, MutableBytes(bytes).first<22>());
    duo.pair.inject(to, bytes);
    EXPECT_FALSE(duo.closed(to)) << "waits for the payload";
  }
}

TEST(Hostile, a_server_hello_that_contradicts_itself_is_refused) {
  for (const bool zero : {false, true}) {
    Duo duo;
    duo.pair.deliver(Role::Client);
    Frame& shlo = queue(duo, Role::Server).front();
    if (zero) {
      std::fill_n(shlo.begin() + 2, 8, std::uint8_t{0});
      std::fill_n(shlo.end() - 8, 8, std::uint8_t{0});
    } else {
      shlo.back() ^= 1;  // the session_id of the payload, no longer the header's
    }
    duo.pair.run();
    EXPECT_TRUE(closed_with(duo.closed(Role::Client), Reason::ProtocolError));
    EXPECT_FALSE(duo.pair.seen(Role::Client).session_id);
  }
}

TEST(Hostile, replay_reorder_and_drop_are_noticed_at_the_next_frame) {
  enum class Trick : std::uint8_t { Replay, Swap, Drop };
  for (const Role from : kRoles) {
    for (const Trick trick : {Trick::Replay, Trick::Swap, Trick::Drop}) {
      Duo duo;
      duo.established();
      for (const char* text : {"one", "two", "three"}) (void)duo.pair.send(from, text);
      auto& frames = queue(duo, from);
      switch (trick) {
        case Trick::Replay:
          frames.insert(frames.begin(), frames.front());
          break;
        case Trick::Swap:
          std::swap(frames[0], frames[1]);
          break;
        case Trick::Drop:
          frames.erase(frames.begin() + 1);
          break;
      }
      duo.pair.run();
      EXPECT_TRUE(closed_with(duo.closed(other(from)), Reason::ProtocolError));
      EXPECT_EQ(duo.pair.seen(other(from)).data.size(), trick == Trick::Swap ? 0U : 1U);
    }
  }
}

TEST(Hostile, a_replay_from_an_earlier_epoch_or_session_is_refused) {
  Duo duo;
  duo.established();
  (void)duo.pair.send(Role::Client, "old");
  const Frame old = queue(duo, Role::Client).front();
  duo.pair.run();
  (void)duo.pair.rekey(Role::Server);
  duo.pair.run();
  duo.pair.inject(Role::Server, old);
  EXPECT_TRUE(closed_with(duo.closed(Role::Server), Reason::EpochMismatch));

  Duo later(2);
  later.established();
  later.pair.inject(Role::Server, old);
  EXPECT_TRUE(closed_with(later.closed(Role::Server), Reason::ProtocolError));
}

// SPEC §11.
TEST(Hostile, the_nonce_prefix_must_repeat_the_header) {
  for (const Role to : kRoles) {
    for (std::size_t bit = 0; bit < 96; ++bit) {
      Duo duo;
      duo.established();
      (void)duo.pair.send(other(to), "data");
      Frame& frame = queue(duo, other(to)).front();
      frame[22 + bit / 8] = static_cast<std::uint8_t>(frame[22 + bit / 8] ^ (1U << (bit % 8)));
      duo.pair.run();
      EXPECT_TRUE(closed_with(duo.closed(to), Reason::ProtocolError)) << bit;
      EXPECT_TRUE(duo.pair.seen(to).data.empty());
    }
  }
}

TEST(Hostile, labels_keep_payloads_of_one_type_out_of_another) {
  const std::array<std::pair<FrameType, std::string_view>, 3> kLabels = {
      {{FrameType::AppData, "app"}, {FrameType::Rekey, "rekey-init"}, {FrameType::Close, "close"}}};
  const Frame plaintext = rekey_message(1, 2, Frame(32, 9));
  for (const auto& [type, own] : kLabels) {
    for (const std::string_view label : {"app", "rekey-init", "rekey-ack", "close", ""}) {
      Duo duo;
      duo.established();
      duo.pair.inject(Role::Client, duo.observer.seal(duo.next_header(Role::Client, type), label, plaintext));
      const bool accepted = !duo.closed(Role::Client) || duo.closed(Role::Client)->by_peer;
      EXPECT_EQ(accepted, label == own) << own << " under " << label;
      if (!accepted) {
        EXPECT_TRUE(closed_with(duo.closed(Role::Client), Reason::AeadDecryptFailed));
      }
    }
  }
}

TEST(Hostile, close_of_the_wrong_shape_is_refused) {
  for (const std::size_t size : {0U, 1U, 2U, 3U, 1026U, 1027U}) {
    Duo duo;
    duo.established();
    const Frame message(size, 0);
    duo.pair.inject(Role::Server, duo.observer.seal(duo.next_header(Role::Server, FrameType::Close), "close", message));
    const bool lawful = size >= 2 && size <= 1026;
    EXPECT_TRUE(closed_with(duo.closed(Role::Server), lawful ? Reason::Normal : Reason::ProtocolError)) << size;
    EXPECT_EQ(duo.closed(Role::Server)->by_peer, lawful) << size;
  }
}

// SPEC §11: "A CLOSE whose reason is none of the six also closes the session, as PROTOCOL_ERROR": also one that only
// QSP 1.0 has.
TEST(Hostile, close_with_another_reason_than_the_six_still_closes) {
  for (const int code : {0x1234, 1, 50, 51, 60, 70, 80, 0xffff}) {
    Duo duo;
    duo.established();
    const Frame message = {static_cast<std::uint8_t>(code >> 8), static_cast<std::uint8_t>(code), 'h', 'i', '\n', 0xff};
    duo.pair.inject(Role::Server, duo.observer.seal(duo.next_header(Role::Server, FrameType::Close), "close", message));
    EXPECT_TRUE(closed_with(duo.closed(Role::Server), Reason::ProtocolError)) << code;
    EXPECT_TRUE(duo.closed(Role::Server)->by_peer);
    EXPECT_TRUE(duo.closed(Role::Server)->truncated);
    EXPECT_EQ(duo.closed(Role::Server)->text, "hi\n\xff");
    EXPECT_TRUE(queue(duo, Role::Server).empty()) << "a receiver of CLOSE does not reply";
  }
}

TEST(Hostile, data_behind_close_is_discarded) {
  for (const Role from : kRoles) {
    Duo duo;
    duo.established();
    (void)duo.pair.send(from, "before");
    duo.pair.close(from, Reason::Normal, "");
    FrameHeader header = duo.next_header(other(from), FrameType::AppData);
    header.seq = 3;
    Frame stream;
    for (const Frame& frame : queue(duo, from)) stream.insert(stream.end(), frame.begin(), frame.end());
    const Frame behind = duo.observer.seal(header, "app", as_bytes("behind"));
    stream.insert(stream.end(), behind.begin(), behind.end());
    queue(duo, from).clear();
    duo.pair.inject(other(from), stream);
    EXPECT_TRUE(closed_with(duo.closed(other(from)), Reason::Normal));
    ASSERT_EQ(duo.pair.seen(other(from)).data.size(), 1U);
    EXPECT_TRUE(queue(duo, other(from)).empty());
    EXPECT_EQ(duo.pair.defect(), "");
  }
}

TEST(Hostile, a_closed_end_swallows_anything) {
  Duo duo;
  duo.established();
  duo.pair.close(Role::Server, Reason::Normal, "");
  const Snapshot before = duo.snapshot(Role::Server);
  duo.pair.inject(Role::Server, Frame(100'000, 0x41));
  duo.pair.advance(std::chrono::hours(1));
  duo.pair.end_of_stream(Role::Client);
  EXPECT_EQ(duo.snapshot(Role::Server), before);
  EXPECT_EQ(duo.pair.made(Role::Server).size(), 2U);
  EXPECT_EQ(duo.pair.defect(), "");
}

}  // namespace
}  // namespace qsp::rc155

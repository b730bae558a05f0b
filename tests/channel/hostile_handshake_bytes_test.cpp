// Every byte of every handshake message, changed on the wire, or changed by who has the traffic keys; and the stream
// cut at every byte.
#include <gtest/gtest.h>

#include <array>

#include "channel/every_byte.hpp"

namespace qsp::test {
namespace {

using wire::kFrameHeaderSize;

constexpr std::array<Place, 5> kHandshake{{{"CLIENT_HELLO", Role::Client, 0},
                                           {"SERVER_HELLO", Role::Server, 0},
                                           {"SERVER_AUTH", Role::Server, 1},
                                           {"CLIENT_AUTH", Role::Client, 1},
                                           {"SERVER_FINISH", Role::Server, 2}}};

class HandshakeBytes : public testing::TestWithParam<std::tuple<QkdPolicy, Place>> {
 public:
  static std::string name_of(const testing::TestParamInfo<ParamType>& tested) {
    const auto& [qkd, place] = tested.param;
    return std::string(place.name).append(qkd == QkdPolicy::None ? "_mode0" : "_mode1");
  }

 protected:
  /// Data as soon as an end is established: it must not reach the other.
  static void tempt(Pair& pair) {
    for (const Role role : kRoles) {
      if (pair.at(role).phase() == Phase::Established) static_cast<void>(pair.send(role, "secret"));
    }
  }
};

TEST_P(HandshakeBytes, any_byte_changed_ends_both_and_delivers_nothing) {
  const auto& [qkd, place] = GetParam();
  World world(qkd);
  const std::size_t size = size_of(world, place, false);
  ASSERT_GT(size, kFrameHeaderSize);
  for (const std::size_t offset : offsets(size)) {
    for (const std::uint8_t mask : masks(offset)) {
      SCOPED_TRACE(std::string(place.name) + " byte " + std::to_string(offset) + " ^ " + std::to_string(mask));
      const auto pair = world.pair();
      run_altering(world, *pair, place.from, place.index, [&](Frame& frame) { frame[offset] ^= mask; });
      tempt(*pair);
      settle(world, *pair);
      expect_both_closed(*pair);
      EXPECT_FALSE(pair->seen(Role::Client).session_id);
      EXPECT_EQ(pair->seen(Role::Server).session_id.has_value(), place.name == "SERVER_FINISH");
      const Seen& hit = pair->seen(other(place.from));
      EXPECT_TRUE(lawful(offset, place.index == 0, place.name == "SERVER_HELLO", hit.closed->reason))
          << name(hit.closed->reason) << ": " << hit.closed->text;
      if (HasFailure()) return;
    }
  }
}

TEST_P(HandshakeBytes, any_byte_changed_by_who_has_the_traffic_keys_is_caught_by_a_signature_or_a_confirm) {
  const auto& [qkd, place] = GetParam();
  World world(qkd);
  const std::size_t size = size_of(world, place, false) - kFrameHeaderSize - (place.index == 0 ? 0 : crypto::kTagSize);
  for (const std::size_t offset : offsets(size)) {
    SCOPED_TRACE(std::string(place.name) + " byte " + std::to_string(offset));
    Relay relay(world);
    relay.run([&](Role from, std::uint64_t n, Message& message) {
      if (from == place.from && n == place.index) message[offset] ^= 0x01;
    });
    Pair& pair = relay.pair();
    settle(world, pair);
    expect_both_closed(pair);
    EXPECT_FALSE(pair.seen(Role::Client).session_id);
    EXPECT_EQ(pair.seen(Role::Server).session_id.has_value(), place.name == "SERVER_FINISH");
    const Reason reason = pair.seen(other(place.from)).closed->reason;
    EXPECT_TRUE(reason == Reason::ProtocolError || reason == Reason::HandshakeFailed || reason == Reason::NoCommonSuite)
        << name(reason);
    // §5.6: no KME is asked for a peer that has not proved who it is, with exactly what it signed.
    const bool proved = place.name == "SERVER_FINISH" || (place.name == "CLIENT_AUTH" && offset + 32 >= size);
    EXPECT_TRUE(proved || pair.seen(other(place.from)).qkd.empty());
    if (HasFailure()) return;
  }
}

// SPEC §5.8.
TEST_P(HandshakeBytes, a_stream_cut_at_any_byte_ends_both_and_establishes_nobody_who_has_not_heard_all) {
  const auto& [qkd, place] = GetParam();
  World world(qkd);
  const std::size_t size = size_of(world, place, false);
  for (const std::size_t length : offsets(size)) {
    const auto pair = world.pair();
    run_altering(world, *pair, place.from, place.index, [&](Frame& frame) {
      frame.resize(length);
      pair->in_flight(place.from).clear();
    });
    EXPECT_FALSE(pair->seen(other(place.from)).closed);
    tempt(*pair);
    pair->in_flight(place.from).clear();
    pair->end_of_stream(place.from);
    const auto& closed = pair->seen(other(place.from)).closed;
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->reason, Reason::HandshakeFailed);
    EXPECT_FALSE(pair->seen(other(place.from)).session_id);
    settle(world, *pair);
    expect_both_closed(*pair);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Every, HandshakeBytes,
                         testing::Combine(testing::Values(QkdPolicy::None, QkdPolicy::Required),
                                          testing::ValuesIn(kHandshake)),
                         HandshakeBytes::name_of);

}  // namespace
}  // namespace qsp::test

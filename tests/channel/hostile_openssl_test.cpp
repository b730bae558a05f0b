// The essence of the hostile tests once more, over real cryptography.
#include <gtest/gtest.h>

#include "channel/every_byte.hpp"
#include "channel/stage.hpp"
#include "qsp/openssl.hpp"

namespace qsp::test {
namespace {

using crypto::SignatureId;

std::unique_ptr<crypto::Provider> provider() { return crypto::make_openssl_provider().value(); }
std::unique_ptr<World> real_world(QkdPolicy qkd = QkdPolicy::None) {
  return std::make_unique<World>(provider(), provider(), qkd);
}

// SPEC §3.
TEST(RealCryptography, changed_bytes_of_every_handshake_message_establish_nobody) {
  const auto world = real_world(QkdPolicy::Required);
  for (const Place& place : {Place{"CH", Role::Client, 0}, Place{"SH", Role::Server, 0}, Place{"SA", Role::Server, 1},
                             Place{"CA", Role::Client, 1}, Place{"SF", Role::Server, 2}}) {
    const std::size_t size = size_of(*world, place, false);
    for (std::size_t offset = 0; offset < size; offset += offset < 24 || offset + 40 > size ? 5 : 331) {
      SCOPED_TRACE(std::string(place.name) + " byte " + std::to_string(offset));
      const auto pair = world->pair();
      run_altering(*world, *pair, place.from, place.index, [&](Frame& frame) { frame[offset] ^= 0x80; });
      settle(*world, *pair);
      expect_both_closed(*pair);
      EXPECT_FALSE(pair->seen(Role::Client).session_id);
      EXPECT_TRUE(lawful(offset, place.index == 0, place.name == "SH", pair->seen(other(place.from)).closed->reason));
    }
  }
}

TEST(RealCryptography, who_has_the_traffic_keys_is_caught_by_signatures_and_confirms) {
  const auto world = real_world(QkdPolicy::Required);
  for (const Place& place : {Place{"CH", Role::Client, 0}, Place{"SH", Role::Server, 0}, Place{"SA", Role::Server, 1},
                             Place{"CA", Role::Client, 1}, Place{"SF", Role::Server, 2}}) {
    const std::size_t size = size_of(*world, place, false) - wire::kFrameHeaderSize - (place.index == 0 ? 0 : 16);
    for (std::size_t offset = 4; offset<size; offset += offset + 40> size ? 7 : 211) {
      SCOPED_TRACE(std::string(place.name) + " byte " + std::to_string(offset));
      Relay relay(*world);
      relay.run([&](Role from, std::uint64_t n, Message& message) {
        if (from == place.from && n == place.index) message[offset] ^= 0x01;
      });
      settle(*world, relay.pair());
      expect_both_closed(relay.pair());
      EXPECT_FALSE(relay.pair().seen(Role::Client).session_id);
    }
  }
}

TEST(RealCryptography, rekey_messages_changed_by_who_has_the_traffic_keys_are_caught_by_the_confirm) {
  const auto world = real_world();
  for (const Place& place : {Place{"INIT", Role::Server, 0}, Place{"ACK", Role::Client, 0}}) {
    for (const std::size_t offset :
         {std::size_t{9}, std::size_t{40}, std::size_t{43}, std::size_t{700}, std::size_t{1'100}}) {
      SCOPED_TRACE(std::string(place.name) + " byte " + std::to_string(offset));
      Relay relay(*world);
      relay.run();
      ASSERT_TRUE(relay.pair().seen(Role::Client).session_id);
      ASSERT_TRUE(relay.pair().rekey(Role::Server));
      relay.run([&](Role from, std::uint64_t n, Message& message) {
        if (from == place.from && n >= 2 && message.size() > offset) message[offset] ^= 0x01;
      });
      ASSERT_TRUE(relay.pair().seen(Role::Server).closed);
      EXPECT_EQ(relay.pair().seen(Role::Server).closed->reason, Reason::RekeyFailed);
      EXPECT_TRUE(relay.pair().seen(Role::Server).epochs.empty());
    }
  }
}

/// A client that pins a composite key of bob's, and bob's SERVER_AUTH with a signature that `edit` has changed.
std::optional<Reason> meet_composite(const Edit& edit) {
  auto world = real_world();
  world->bob = make_party(*world->server_provider, "bob", SignatureId::Ed25519MlDsa65);
  world->client.peer = world->bob.pinned();
  Stage stage(Role::Client, std::move(world), {});
  stage.give(stage.puppet().server_hello(stage.take()));
  stage.give(stage.puppet().server_auth({}, edit));
  return stage.closed();
}

// SPEC §3.2.
TEST(Composite, both_components_must_verify) {
  constexpr std::size_t kEd = 64, kMl = 3'309;
  const auto flip = [](std::size_t from_end) {
    return [=](Message& message) { message[message.size() - from_end] ^= 1; };
  };
  EXPECT_EQ(meet_composite({}), std::nullopt);
  EXPECT_EQ(meet_composite(flip(kMl + kEd)), Reason::HandshakeFailed) << "Ed25519, first byte";
  EXPECT_EQ(meet_composite(flip(kMl + 40)), Reason::HandshakeFailed) << "Ed25519";
  EXPECT_EQ(meet_composite(flip(kMl)), Reason::HandshakeFailed) << "ML-DSA-65, first byte";
  EXPECT_EQ(meet_composite(flip(1'000)), Reason::HandshakeFailed) << "ML-DSA-65";
}

// SPEC §3.2.
TEST(Composite, a_component_alone_is_refused) {
  for (const bool ed : {false, true}) {
    const auto alone = [ed](Message& message) {
      const Message signature(message.end() - 3'373, message.end());
      message.resize(message.size() - 3'373 - 2);
      const Bytes part = ed ? Bytes(signature).first(64) : Bytes(signature).subspan(64);
      wire::append_signature(message, part);
      mend_length(message);
    };
    EXPECT_EQ(meet_composite(alone), Reason::HandshakeFailed);
  }
}

}  // namespace
}  // namespace qsp::test

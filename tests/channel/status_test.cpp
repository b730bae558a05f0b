// What a session says of itself (qsp::ChannelStatus).
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "base/overloaded.hpp"
#include "channel/traffic.hpp"
#include "channel/world.hpp"
#include "crypto/other_rng.hpp"
#include "qsp/suites.hpp"

namespace qsp::test {
namespace {

using std::chrono::seconds;

TEST(Status, names_the_agreed_algorithms_at_both_ends) {
  World world;
  world.client.kems = {crypto::KemId::MlKem768, crypto::KemId::SecP384r1MlKem1024};
  world.server.kems = {crypto::KemId::X25519MlKem768, crypto::KemId::SecP384r1MlKem1024, crypto::KemId::MlKem768};
  world.client.aeads = {crypto::AeadId::Aes256Gcm, crypto::AeadId::ChaCha20Poly1305};
  world.server.aeads = {crypto::AeadId::ChaCha20Poly1305, crypto::AeadId::Aes256Gcm};
  world.client.applications = {"one", "two", "three"};
  world.server.applications = {"four", "three", "two"};
  const auto pair = world.established();
  for (const Role role : kBoth) {
    const ChannelStatus status = channel(*pair, role).status();
    EXPECT_EQ(status.kem, crypto::KemId::SecP384r1MlKem1024) << "the first of the server's list";
    EXPECT_EQ(status.aead, crypto::AeadId::ChaCha20Poly1305);
    EXPECT_EQ(status.application, "three");
    EXPECT_EQ(status.peer, role == Role::Client ? "bob" : "alice");
  }
}

TEST(Status, tells_the_two_ends_signature_algorithms_apart) {
  World world;
  world.alice = make_party(*world.client_provider, "alice", crypto::SignatureId::MlDsa87);
  world.client.signer = world.alice.signer.get();
  world.pinned = Pinned();
  world.pinned.pin(world.alice.pinned());
  const auto pair = world.established();
  const ChannelStatus client = channel(*pair, Role::Client).status();
  const ChannelStatus server = channel(*pair, Role::Server).status();
  EXPECT_EQ(client.local_signature, crypto::SignatureId::MlDsa87);
  EXPECT_EQ(client.peer_signature, crypto::SignatureId::MlDsa65);
  EXPECT_EQ(server.local_signature, crypto::SignatureId::MlDsa65);
  EXPECT_EQ(server.peer_signature, crypto::SignatureId::MlDsa87);
}

/// A provider of several libraries, each named after the algorithm that it serves.
class Several final : public crypto::OtherRngProvider {
 public:
  explicit Several(std::unique_ptr<crypto::Provider> fake) : OtherRngProvider(*fake), fake_(std::move(fake)) {}

  [[nodiscard]] crypto::Rng& rng() noexcept override { return fake_->rng(); }
  [[nodiscard]] std::string_view library_of(const crypto::Algorithm& algorithm) const noexcept override {
    return std::visit(Overloaded{[](crypto::Primitive) { return std::string_view("primitive"); },
                                 [](auto id) { return info(id).name; }},
                      algorithm);
  }

 private:
  std::unique_ptr<crypto::Provider> fake_;
};

TEST(Status, names_the_library_that_does_each_part_of_the_work) {
  World world(std::make_unique<Several>(make_fake_provider(1)), make_fake_provider(2));
  world.alice = make_party(*world.client_provider, "alice", crypto::SignatureId::MlDsa87);
  world.client.signer = world.alice.signer.get();
  world.pinned = Pinned();
  world.pinned.pin(world.alice.pinned());
  const auto pair = world.established();
  for (const bool closed : {false, true}) {
    if (closed) pair->at(Role::Client).close(Reason::Normal, "");
    const Libraries client = channel(*pair, Role::Client).status().libraries;
    EXPECT_EQ(client.kem, "X25519MLKEM768");
    EXPECT_EQ(client.local_signature, "ML-DSA-87");
    EXPECT_EQ(client.peer_signature, "ML-DSA-65");
    EXPECT_EQ(client.aead, "AES-256-GCM");
  }
  const Libraries server = channel(*pair, Role::Server).status().libraries;
  for (const std::string& library : {server.kem, server.local_signature, server.peer_signature, server.aead}) {
    EXPECT_EQ(library, world.server_provider->description()) << "the one that there is";
  }
}

TEST(Status, names_no_application_where_none_is_common) {
  World world;
  world.client.applications = {"one"};
  world.server.applications = {"two"};
  const auto pair = world.established();
  for (const Role role : kBoth) {
    ASSERT_TRUE(pair->seen(role).session_id);
    EXPECT_EQ(channel(*pair, role).status().application, "");
  }
}

TEST(Status, says_at_every_time_that_the_profile_is_secure) {
  World world;
  const auto pair = world.pair();
  for (const Role role : kBoth) EXPECT_TRUE(pair->at(role).status().secure) << "before the handshake";
  world.run_with_keys(*pair);
  for (const Role role : kBoth) EXPECT_TRUE(pair->at(role).status().secure) << "established";
  pair->at(Role::Client).close(Reason::Normal, "");
  world.run_with_keys(*pair);
  for (const Role role : kBoth) {
    EXPECT_TRUE(pair->at(role).status().secure) << "closed";
    EXPECT_NE(pair->at(role).status().peer, "");
  }
}

TEST(Status, counts_frames_and_bytes_of_plaintext_by_epoch) {
  World world;
  const auto pair = world.established();
  const auto expect = [&](Role role, const EpochStatus& status, std::array<std::uint64_t, 4> counts) {
    EXPECT_EQ((std::array{status.frames_sent, status.bytes_sent, status.frames_received, status.bytes_received}),
              counts)
        << (role == Role::Client ? "client" : "server");
  };
  for (const Role role : kBoth) expect(role, channel(*pair, role).status().current, {0, 0, 0, 0});
  ASSERT_TRUE(pair->send(Role::Client, "12345"));
  ASSERT_TRUE(pair->send(Role::Client, ""));
  ASSERT_TRUE(pair->send(Role::Server, "123"));
  pair->run();
  expect(Role::Client, channel(*pair, Role::Client).status().current, {2, 5, 1, 3});
  expect(Role::Server, channel(*pair, Role::Server).status().current, {1, 3, 2, 5});

  world.server.rekey.light = true;
  ASSERT_TRUE(pair->rekey(Role::Server));
  pair->run();
  // INIT is 44 bytes and a share of 1,216; ACK 43 and a ciphertext of 1,120; DONE 9 bytes of the new epoch.
  for (const Role role : kBoth) {
    const ChannelStatus status = channel(*pair, role).status();
    const bool client = role == Role::Client;
    expect(role, status.previous.value(),
           client ? std::array<std::uint64_t, 4>{3, 5 + 1'163, 2, 3 + 1'260}
                  : std::array<std::uint64_t, 4>{2, 3 + 1'260, 3, 5 + 1'163});
    expect(role, status.current,
           client ? std::array<std::uint64_t, 4>{0, 0, 1, 9} : std::array<std::uint64_t, 4>{1, 9, 0, 0});
    EXPECT_EQ(status.previous->epoch, 1U);
    EXPECT_EQ(status.current.epoch, 2U);
  }
}

TEST(Status, tells_when_each_epoch_was_confirmed) {
  World world;
  const auto pair = world.pair();
  pair->advance(seconds(2));
  pair->run();
  const Instant established = pair->now();
  for (const Role role : kBoth) {
    EXPECT_EQ(channel(*pair, role).status().current.confirmed, established);
    EXPECT_FALSE(channel(*pair, role).status().previous);
    EXPECT_TRUE(channel(*pair, role).status().current.kem);
  }
  pair->advance(seconds(2));
  ASSERT_TRUE(pair->rekey(Role::Server));
  pair->run();
  for (const Role role : kBoth) {
    EXPECT_EQ(channel(*pair, role).status().current.confirmed, pair->now());
    EXPECT_EQ(channel(*pair, role).status().previous.value().confirmed, established);
  }
}

TEST(Status, keeps_the_last_word_of_a_session_that_has_ended) {
  World world(QkdPolicy::Required);
  const auto pair = world.established();
  ASSERT_TRUE(pair->send(Role::Client, "data"));
  pair->run();
  pair->close(Role::Client, Reason::Normal, "");
  pair->run();
  for (const Role role : kBoth) {
    const ChannelStatus status = channel(*pair, role).status();
    EXPECT_EQ(status.peer, role == Role::Client ? "bob" : "alice");
    EXPECT_TRUE(status.qkd_mixed);
    EXPECT_TRUE(status.current.key_id);
    EXPECT_EQ(status.current.bytes_sent + status.current.bytes_received, role == Role::Client ? 4U + 2U : 4U)
        << "data, and at its sender the CLOSE";
  }
}

TEST(Status, the_last_epoch_of_a_session_outlives_it) {
  World world;
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  pair->run();
  pair->close(Role::Client, Reason::Normal, "");
  pair->run();
  for (const Role role : kBoth) {
    EXPECT_EQ(pair->at(role).phase(), Phase::Closed);
    EXPECT_EQ(pair->at(role).epoch(), 2U);
  }
}

TEST(Status, is_empty_before_a_session_stands) {
  World world(QkdPolicy::Required);
  const auto pair = world.pair();
  pair->run();
  for (const Role role : kBoth) {
    const ChannelStatus status = channel(*pair, role).status();
    EXPECT_EQ(status.peer, "");
    EXPECT_EQ(status.current.epoch, 0U);
    EXPECT_EQ(pair->at(role).epoch(), 0U);
    EXPECT_FALSE(status.rekey_pending);
  }
}

}  // namespace
}  // namespace qsp::test

// Ends whose provider lacks an algorithm: what both have is agreed on, and what is asked for in vain is named.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "channel/traffic.hpp"
#include "channel/world.hpp"
#include "qsp/suites.hpp"
#include "wire/frame.hpp"
#include "wire/handshake.hpp"

namespace qsp::test {
namespace {

using crypto::AeadId;
using crypto::Capabilities;
using crypto::KemId;
using crypto::SignatureId;

Capabilities without(KemId id) {
  Capabilities some = crypto::whole_suite();
  std::erase(some.kems, id);
  return some;
}
Capabilities without(AeadId id) {
  Capabilities some = crypto::whole_suite();
  std::erase(some.aeads, id);
  return some;
}
Capabilities without(SignatureId id) {
  Capabilities some = crypto::whole_suite();
  std::erase(some.signatures, id);
  return some;
}

/// A world in which one end's provider has only these.
std::unique_ptr<World> world(Role lacking, const Capabilities& some) {
  const Capabilities all = crypto::whole_suite();
  return std::make_unique<World>(make_fake_provider(1, lacking == Role::Client ? some : all),
                                 make_fake_provider(2, lacking == Role::Server ? some : all));
}

wire::ClientHello hello_of(const Pair& pair) {
  return wire::parse_client_hello(Bytes(pair.made(Role::Client).front()).subspan(wire::kFrameHeaderSize)).value();
}

/// That this end cannot even be made, for want of the algorithm of this name.
void expect_refused(World& world, Role role, std::string_view name) {
  constexpr Instant kNow = std::chrono::seconds(1);
  const auto made = role == Role::Client ? Channel::client(*world.client_provider, world.client, kNow)
                                         : Channel::server(*world.server_provider, world.server, kNow);
  ASSERT_FALSE(made) << name;
  EXPECT_EQ(made.error().kind, ErrorKind::Provider);
  EXPECT_TRUE(made.error().where.ends_with(name)) << made.error().where;
}

class Lacking : public testing::TestWithParam<Role> {};

// SPEC Appendix B 38.
TEST_P(Lacking, ml_kem_768_an_end_agrees_on_another_kem) {
  const auto made = world(GetParam(), without(KemId::MlKem768));
  made->client.kems = made->server.kems = {KemId::MlKem768, KemId::X25519MlKem768};
  const auto pair = made->established();
  const auto hello = hello_of(*pair);
  const std::size_t offered = GetParam() == Role::Client ? 1 : 2;
  EXPECT_EQ(hello.shares.size(), offered) << "a client offers what it has";
  for (const Role role : kBoth) {
    ASSERT_TRUE(pair->seen(role).session_id);
    EXPECT_EQ(pair->at(role).status().kem, KemId::X25519MlKem768);
  }
  ASSERT_TRUE(pair->rekey(Role::Server));
  made->run_with_keys(*pair);
  EXPECT_EQ(pair->at(Role::Client).epoch(), 2U);
}

TEST_P(Lacking, ml_kem_768_an_end_that_must_use_it_is_refused_by_name) {
  const auto made = world(GetParam(), without(KemId::MlKem768));
  made->client.kems = made->server.kems = {KemId::MlKem768};
  expect_refused(*made, GetParam(), " ML-KEM-768");
}

// SPEC Appendix B 38.
TEST_P(Lacking, an_aead_an_end_agrees_on_the_other) {
  const auto made = world(GetParam(), without(AeadId::Aes256Gcm));
  const auto pair = made->established();
  EXPECT_EQ(hello_of(*pair).aeads.size(), GetParam() == Role::Client ? 1U : 2U);
  for (const Role role : kBoth) {
    ASSERT_TRUE(pair->seen(role).session_id);
    EXPECT_EQ(pair->at(role).status().aead, AeadId::ChaCha20Poly1305);
    ASSERT_TRUE(pair->send(role, as_bytes("data"), false));
  }
  pair->run();
  for (const Role role : kBoth) EXPECT_EQ(as_text(pair->seen(role).received()), "data");
}

// SPEC §3: "where nothing is left of a list".
TEST_P(Lacking, an_aead_an_end_that_must_use_it_is_refused_by_name) {
  const auto made = world(GetParam(), without(AeadId::Aes256Gcm));
  made->client.aeads = made->server.aeads = {AeadId::Aes256Gcm};
  expect_refused(*made, GetParam(), " AES-256-GCM");
}

INSTANTIATE_TEST_SUITE_P(Ends, Lacking, testing::ValuesIn(kBoth),
                         [](const auto& end) { return end.param == Role::Client ? "client" : "server"; });

TEST(LackingSignature, a_client_offers_the_pins_that_it_can_verify) {
  const auto made = world(Role::Client, without(SignatureId::MlDsa87));
  made->client.peer.keys.insert(made->client.peer.keys.begin(),
                                make_party(*made->server_provider, "bob", SignatureId::MlDsa87).key);
  const auto pair = made->established();
  const auto offers = hello_of(*pair).signatures;
  EXPECT_EQ(std::vector<std::uint16_t>(offers.begin(), offers.end()), std::vector<std::uint16_t>{0x0905});
  EXPECT_EQ(pair->at(Role::Client).status().peer_signature, SignatureId::MlDsa65);
}

TEST(LackingSignature, a_client_that_pins_no_other_is_refused_by_name) {
  const auto made = world(Role::Client, without(SignatureId::MlDsa87));
  made->client.peer.keys = {make_party(*made->server_provider, "bob", SignatureId::MlDsa87).key};
  expect_refused(*made, Role::Client, " ML-DSA-87");
}

TEST(LackingSignature, a_server_asks_clients_for_those_that_it_can_verify) {
  for (const auto& [algorithm, gets_in] :
       {std::pair(SignatureId::MlDsa65, true), std::pair(SignatureId::MlDsa87, false)}) {
    const auto made = world(Role::Server, without(SignatureId::MlDsa87));
    made->alice = make_party(*made->client_provider, "alice", algorithm);
    made->client.signer = made->alice.signer.get();
    made->pinned = Pinned();
    made->pinned.pin(made->alice.pinned());
    const auto pair = made->established();
    EXPECT_EQ(pair->seen(Role::Server).session_id.has_value(), gets_in);
    if (gets_in) continue;
    ASSERT_TRUE(pair->seen(Role::Client).closed);
    EXPECT_EQ(pair->seen(Role::Client).closed->reason, Reason::NoCommonSuite) << "it was told before it signed";
    EXPECT_FALSE(pair->seen(Role::Client).closed->by_peer);
  }
}

// SPEC §3, likewise.
TEST(LackingSignature, a_server_that_takes_no_other_is_refused_by_name) {
  const auto made = world(Role::Server, without(SignatureId::MlDsa87));
  made->server.client_signatures = {SignatureId::MlDsa87};
  expect_refused(*made, Role::Server, " ML-DSA-87");
}

// What is asked of the provider itself.
TEST(Provider, names_what_it_lacks) {
  const auto check = [](const auto& result, std::string_view name) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::Provider);
    EXPECT_EQ(result.error().reason, Reason::InternalError);
    EXPECT_TRUE(result.error().where.ends_with(std::string(" ").append(name))) << result.error().where;
  };
  const auto bare = make_fake_provider(1, Capabilities{});
  for (const auto& row : crypto::kKems) check(bare->kem(row.id), row.name);
  for (const auto& row : crypto::kAeads) check(bare->aead(row.id), row.name);
  for (const auto& row : crypto::kSignatures) {
    check(bare->verifier({row.id, std::vector<std::uint8_t>(row.public_key_size)}), row.name);
  }
  check(bare->keystream(TrafficKey()), "a keystream");
}

TEST(Provider, has_all_of_the_suite_unless_it_says_otherwise) {
  const auto whole = make_fake_provider(1);
  for (const auto& row : crypto::kKems)
    EXPECT_TRUE(whole->capabilities().has(row.id) && whole->kem(row.id)) << row.name;
  for (const auto& row : crypto::kAeads)
    EXPECT_TRUE(whole->capabilities().has(row.id) && whole->aead(row.id)) << row.name;
  for (const auto& row : crypto::kSignatures) EXPECT_TRUE(whole->capabilities().has(row.id)) << row.name;
  EXPECT_FALSE(whole->capabilities().keystream);
}

}  // namespace
}  // namespace qsp::test

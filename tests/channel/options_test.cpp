// What a caller may configure (SPEC §3, §5, §8.5).
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <type_traits>

#include "channel/traffic.hpp"
#include "channel/world.hpp"
#include "qsp/suites.hpp"

namespace qsp::test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

/// Lawful or not, after a change to lawful options.
template <class Options>
struct Case {
  const char* name;
  bool lawful;
  std::function<void(Options&)> change;
};

template <class Options>
void expect(const std::vector<Case<Options>>& cases) {
  for (const Case<Options>& c : cases) {
    World world(QkdPolicy::Preferred);
    Options options;
    if constexpr (std::is_same_v<Options, ClientOptions>) {
      options = world.client;
    } else {
      options = world.server;
    }
    c.change(options);
    const auto made = [&] {
      if constexpr (std::is_same_v<Options, ClientOptions>) {
        return Channel::client(*world.client_provider, options, seconds(1));
      } else {
        return Channel::server(*world.server_provider, options, seconds(1));
      }
    }();
    EXPECT_EQ(made.has_value(), c.lawful) << c.name << (made ? "" : std::string(": ").append(made.error().where));
    if (!made) {
      EXPECT_EQ(made.error().kind, ErrorKind::ApiMisuse) << c.name;
      EXPECT_EQ(made.error().reason, Reason::InternalError) << c.name;
      EXPECT_FALSE(made.error().where.empty()) << c.name;
    }
  }
}

template <class Options>
std::vector<Case<Options>> common() {
  using O = Options;
  std::vector<std::string> nine;
  for (int i = 0; i < 9; ++i) nine.push_back("application " + std::to_string(i));
  const std::vector<std::string> eight(nine.begin(), nine.end() - 1);
  return {
      {"defaults", true, [](O&) {}},
      {"every KEM", true,
       [](O& o) {
         o.kems.clear();
         for (const auto& row : crypto::kKems) o.kems.push_back(row.id);
       }},
      {"no KEM", false, [](O& o) { o.kems.clear(); }},
      {"a KEM twice", false, [](O& o) { o.kems = {crypto::KemId::MlKem768, crypto::KemId::MlKem768}; }},
      {"no AEAD", false, [](O& o) { o.aeads.clear(); }},
      {"an AEAD twice", false, [](O& o) { o.aeads = {crypto::AeadId::Aes256Gcm, crypto::AeadId::Aes256Gcm}; }},
      {"eight applications", true, [eight](O& o) { o.applications = eight; }},
      {"nine applications", false, [nine](O& o) { o.applications = nine; }},
      {"an application twice", false, [](O& o) { o.applications = {"a", "a"}; }},
      {"an application without a name", false, [](O& o) { o.applications = {""}; }},
      {"an application of 255 bytes", true, [](O& o) { o.applications = {std::string(255, 'x')}; }},
      {"an application of 256 bytes", false, [](O& o) { o.applications = {std::string(256, 'x')}; }},
      {"QKD without an SAE ID", false, [](O& o) { o.sae_id.clear(); }},
      {"an SAE ID of 255 bytes", true, [](O& o) { o.sae_id.assign(255, 'x'); }},
      {"an SAE ID of 256 bytes", false, [](O& o) { o.sae_id.assign(256, 'x'); }},
      {"no handshake time", false, [](O& o) { o.handshake_timeout = seconds(0); }},
      {"an overflowing handshake time", false, [](O& o) { o.handshake_timeout = Instant::max(); }},
      {"no interval", false, [](O& o) { o.rekey.interval = seconds(0); }},
      {"a negative interval", false, [](O& o) { o.rekey.interval = seconds(-1); }},
      {"an interval of a nanosecond", true, [](O& o) { o.rekey.interval = Instant(1); }},
      {"an interval of a year", true, [](O& o) { o.rekey.interval = hours(24 * 365); }},
      {"an overflowing interval", false, [](O& o) { o.rekey.interval = Instant::max(); }},
      {"an overflowing hard life", false, [](O& o) { o.rekey.hard_life = Instant::max(); }},
      {"an overflowing timer", false, [](O& o) { o.rekey.timer = Instant::max(), o.rekey.hard_life = Instant::max(); }},
      {"a timer of 60 s", true, [](O& o) { o.rekey.timer = seconds(60); }},
      {"a timer below 60 s", false, [](O& o) { o.rekey.timer = seconds(60) - Instant(1); }},
      {"a short timer that says so", true,
       [](O& o) { o.rekey.timer = seconds(1), o.rekey.dangerous_short_timers = true; }},
      {"no timer", false, [](O& o) { o.rekey.timer = seconds(0), o.rekey.dangerous_short_timers = true; }},
      {"a hard life of twice the timer", true,
       [](O& o) { o.rekey.timer = seconds(100), o.rekey.hard_life = seconds(200); }},
      {"a hard life below it", false,
       [](O& o) { o.rekey.timer = seconds(100), o.rekey.hard_life = seconds(200) - Instant(1); }},
      {"a trigger at each frame", true, [](O& o) { o.rekey.frames = 1; }},
      {"no frames", false, [](O& o) { o.rekey.frames = 0; }},
      {"frames at half the hard limit", true, [](O& o) { o.rekey.frames = 0x7fff'ffff; }},
      {"more frames", false, [](O& o) { o.rekey.frames = 0x8000'0000; }},
      {"no bytes", false, [](O& o) { o.rekey.bytes = 0; }},
      {"bytes at half the hard limit", true, [](O& o) { o.rekey.bytes = std::uint64_t{1} << 37; }},
      {"more bytes", false, [](O& o) { o.rekey.bytes = (std::uint64_t{1} << 37) + 1; }},
  };
}

TEST(Options, of_either_role_are_checked) {
  expect(common<ClientOptions>());
  expect(common<ServerOptions>());
}

// SPEC §4 (of the pins, "at most 8"), §5.3.
TEST(Options, of_a_client_are_checked) {
  using O = ClientOptions;
  expect(std::vector<Case<O>>{
      {"no key of its own", false, [](O& o) { o.signer = nullptr; }},
      {"a peer without a key", false, [](O& o) { o.peer.keys.clear(); }},
      {"a peer with eight keys", true, [](O& o) { o.peer.keys.resize(8, o.peer.keys[0]); }},
      {"a peer with nine keys", false, [](O& o) { o.peer.keys.resize(9, o.peer.keys[0]); }},
      {"a peer that is not to be dialled", false, [](O& o) { o.peer.may_serve = false; }},
      {"QKD with a peer without an SAE ID", false, [](O& o) { o.peer.sae_id.clear(); }},
      {"QKD with a peer of this end's own SAE ID", false, [](O& o) { o.peer.sae_id = o.sae_id; }},
      {"QKD with a peer of a long SAE ID", false, [](O& o) { o.peer.sae_id.assign(256, 'x'); }},
      {"no QKD and no SAE IDs", true,
       [](O& o) { o.peer.qkd = QkdPolicy::None, o.peer.sae_id.clear(), o.sae_id.clear(); }},
      {"a redial without QKD", true, [](O& o) { o.redial_without_qkd = true; }},
      {"the same where QKD is required", false,
       [](O& o) { o.redial_without_qkd = true, o.peer.qkd = QkdPolicy::Required; }},
      {"the same where there is no QKD", false,
       [](O& o) { o.redial_without_qkd = true, o.peer.qkd = QkdPolicy::None; }},
  });
}

/// Gives a server so many keys of its own, which live as long as the test.
void hold(ServerOptions& options, std::size_t keys) {
  static const auto provider = make_fake_provider(7);
  static std::vector<Party> parties;
  while (parties.size() < keys) parties.push_back(make_party(*provider, "bob"));
  options.signers.clear();
  for (std::size_t i = 0; i < keys; ++i) options.signers.push_back(parties[i].signer.get());
}

// SPEC §4: "at most 8".
TEST(Options, of_a_server_are_checked) {
  using O = ServerOptions;
  expect(std::vector<Case<O>>{
      {"no key of its own", false, [](O& o) { o.signers.clear(); }},
      {"a null key", false, [](O& o) { o.signers.push_back(nullptr); }},
      {"a key twice", false, [](O& o) { o.signers.push_back(o.signers[0]); }},
      {"eight keys", true, [](O& o) { hold(o, 8); }},
      {"nine keys", false, [](O& o) { hold(o, 9); }},
      {"no pinned peers", false, [](O& o) { o.peers = nullptr; }},
      {"no algorithm for clients", false, [](O& o) { o.client_signatures.clear(); }},
      {"one twice", false, [](O& o) { o.client_signatures.push_back(o.client_signatures[0]); }},
      {"every one of them", true,
       [](O& o) {
         o.client_signatures.clear();
         for (const auto& row : crypto::kSignatures) o.client_signatures.push_back(row.id);
       }},
      {"no QKD and no SAE ID", true, [](O& o) { o.qkd = QkdPolicy::None, o.sae_id.clear(); }},
  });
}

// SPEC §8.5, §8.6.
TEST(Options, have_the_defaults_of_the_specification) {
  const auto check = [](const auto& options) {
    EXPECT_EQ(options.handshake_timeout, seconds(10));
    EXPECT_EQ(options.rekey.interval, seconds(120));
    EXPECT_EQ(options.rekey.timer, seconds(180));
    EXPECT_EQ(options.rekey.hard_life, seconds(420));
    EXPECT_EQ(options.rekey.frames, std::uint64_t{1} << 24);
    EXPECT_EQ(options.rekey.bytes, std::uint64_t{1} << 36);
    EXPECT_FALSE(options.rekey.light);
    EXPECT_FALSE(options.rekey.dangerous_short_timers);
  };
  check(ClientOptions());
  check(ServerOptions());
  EXPECT_EQ(ClientOptions().kems, ServerOptions().kems);
  EXPECT_EQ(ClientOptions().aeads, ServerOptions().aeads);
}

TEST(Options, are_aggregates_that_are_filled_by_name) {
  static_assert(std::is_aggregate_v<ClientOptions> && std::is_aggregate_v<ServerOptions>);
  World world;
  world.client = ClientOptions{.signer = world.alice.signer.get(),
                               .peer = world.bob.pinned(),
                               .applications = {"by name"},
                               .rekey = {.light = true}};
  world.server =
      ServerOptions{.signers = {world.bob.signer.get()}, .peers = &world.pinned, .applications = {"by name", "other"}};
  const auto pair = world.established();
  for (const Role role : kBoth) EXPECT_EQ(pair->at(role).status().application, "by name");
  EXPECT_EQ(ClientOptions{.applications = {"one"}}.kems, ClientOptions().kems) << "the others are as they were";
}

// SPEC §3.2.
TEST(Options, never_name_ed25519_alone_by_default) {
  EXPECT_EQ(std::ranges::count(ServerOptions().client_signatures, crypto::SignatureId::Ed25519), 0);
  // A client accepts what it pins; that pin is what names the algorithm.
  EXPECT_TRUE(ClientOptions().peer.keys.empty());
}

TEST(Options, that_are_extreme_but_lawful_make_a_session) {
  World world(QkdPolicy::Required);
  const auto go_far = [](auto& options, char name) {
    options.sae_id.assign(255, name);
    options.applications = {std::string(255, 'x')};
    options.kems.clear();
    for (const auto& row : crypto::kKems) options.kems.push_back(row.id);
    options.rekey.interval = options.rekey.hard_life = hours(24 * 365);
  };
  go_far(world.client, 'c');
  go_far(world.server, 's');
  world.client.peer.sae_id = world.server.sae_id;
  world.pinned = Pinned();
  Peer alice = world.alice.pinned(QkdPolicy::Required);
  alice.sae_id = world.client.sae_id;
  world.pinned.pin(alice);
  const auto pair = world.established();
  for (const Role role : kBoth) {
    EXPECT_TRUE(pair->seen(role).session_id) << pair->seen(role).closed.value_or(Closed{}).text;
    EXPECT_GT(pair->at(role).next_timeout(), pair->now() + hours(24));
  }
  EXPECT_EQ(pair->defect(), "");
}

}  // namespace
}  // namespace qsp::test

#include "identity/peers.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <string>

#include "files/temp_folder.hpp"
#include "identity/identity.hpp"
#include "identity/openssl_program.hpp"
#include "qsp/suites.hpp"

namespace qsp::identity::test {
namespace {

/// PEM of the `number`th of a row of different Ed25519 public keys.
std::string pem_of(std::uint8_t number) {
  // OpenSSL takes any 32 bytes for a key before it verifies with them.
  crypto::PublicKey key{crypto::SignatureId::Ed25519, std::vector<std::uint8_t>(32, number)};
  return *provider().public_key_pem(key);
}

std::string inline_key(std::uint8_t number) { return "\"\"\"\n" + pem_of(number) + "\"\"\""; }

Identity identity_of_number(std::uint8_t number) {
  return *identity_of({crypto::SignatureId::Ed25519, std::vector<std::uint8_t>(32, number)}, provider().hkdf());
}

class Peers : public ::testing::Test {
 protected:
  [[nodiscard]] files::OrText<PinnedPeers> parse(std::string_view text) const {
    return PinnedPeers::parse(provider(), folder_ / "peers.toml", text);
  }

  /// The text of the error for a file that must be refused.
  [[nodiscard]] std::string refusal(std::string_view text) const {
    const auto peers = parse(text);
    return peers ? "(accepted)" : peers.error();
  }

  qsp::test::TempFolder folder_;
};

TEST_F(Peers, come_with_everything_that_their_file_says) {
  static_cast<void>(folder_.with("bob.pub", pem_of(2)));
  static_cast<void>(folder_.with("bob-old.pub", pem_of(3)));
  const std::string file = folder_.with("peers.toml", R"(# pinned
[[peer]]
name = "alice"
connect = true
key = )" + inline_key(1) + R"(

[[peer]]
name = "bob.example@site-2"
key_file = ["bob.pub", "bob-old.pub"]
serve = true
qkd = "required"
sae_id = "bob sae ü"
rekey_demands_kem = true
)");
  const auto peers = PinnedPeers::load(provider(), file);
  ASSERT_TRUE(peers) << peers.error();
  ASSERT_EQ(peers->all().size(), 2U);

  const Peer* const alice = peers->find_by_name("alice");
  ASSERT_NE(alice, nullptr);
  EXPECT_TRUE(alice->may_connect);
  EXPECT_FALSE(alice->may_serve);
  EXPECT_EQ(alice->qkd, QkdPolicy::None);
  EXPECT_FALSE(alice->rekey_demands_kem);
  EXPECT_EQ(peers->find(identity_of_number(1)), alice);

  const Peer* const bob = peers->find_by_name("bob.example@site-2");
  ASSERT_NE(bob, nullptr);
  EXPECT_FALSE(bob->may_connect);
  EXPECT_TRUE(bob->may_serve);
  EXPECT_EQ(bob->qkd, QkdPolicy::Required);
  EXPECT_EQ(bob->sae_id, "bob sae ü");
  EXPECT_TRUE(bob->rekey_demands_kem);
  ASSERT_EQ(bob->keys.size(), 2U);
  EXPECT_EQ(bob->keys[0].identity, identity_of_number(2)) << "best first, as written";
  EXPECT_EQ(peers->find(identity_of_number(2)), bob);
  EXPECT_EQ(peers->find(identity_of_number(3)), bob);

  EXPECT_EQ(peers->find(identity_of_number(4)), nullptr);
  EXPECT_EQ(peers->find_by_name("carol"), nullptr);
}

TEST_F(Peers, stay_found_when_the_directory_moves) {
  auto first = parse("[[peer]]\nname = \"a\"\nconnect = true\nkey = " + inline_key(1));
  ASSERT_TRUE(first);
  const PinnedPeers moved = std::move(*first);
  ASSERT_NE(moved.find_by_name("a"), nullptr);
  EXPECT_EQ(moved.find(identity_of_number(1)), moved.find_by_name("a"));
}

TEST_F(Peers, of_every_algorithm_can_be_pinned) {
  for (const auto& row : crypto::kSignatures) {
    const auto pem = provider().generate_private_key(row.id, std::nullopt);
    ASSERT_TRUE(pem);
    const auto signer = provider().load_signer(pem->reveal_text(), {});
    ASSERT_TRUE(signer);
    const auto public_pem = provider().public_key_pem((*signer)->public_key());
    const auto peers = parse("[[peer]]\nname = \"a\"\nserve = true\nkey = '''\n" + *public_pem + "'''");
    ASSERT_TRUE(peers) << peers.error();
    EXPECT_EQ(peers->all()[0].keys[0].key, (*signer)->public_key()) << row.name;
  }
}

/// A peers file with one fault, and what its error must say, besides the file's name.
struct Fault {
  std::string_view name;
  std::string text;
  std::string_view place;  ///< ":LINE:" where the fault has one; a column follows
  std::string_view says;
};

std::vector<Fault> faults() {
  const std::string key1 = "key = " + inline_key(1) + '\n';
  const std::string key2 = "key = " + inline_key(2) + '\n';
  const std::string start = "[[peer]]\nname = \"bob\"\nconnect = true\n";  // a key follows in lines 4 to 8
  const std::string longest(kMaxNameSize, 'n');
  return {
      {"not_toml", "[[peer]\n", ":1:", "not TOML"},
      {"not_utf8", "[[peer]]\nname = \"\xff\"\n", ":2:", "not TOML"},
      {"no_peer", "# nothing\n", "", "holds no peer"},
      {"public_key", pem_of(1), ": ", "holds a public key where a peers file belongs; give one with a [[peer]] table"},
      {"private_key", "-----BEGIN PRIVATE KEY-----\n", ": ", "holds a private key where a peers file belongs"},
      {"part_of_a_key", "-----BEGIN PUBL", ": ", "cut off or damaged, where a peers file belongs"},
      {"one_bracket", "[peer]\nname = \"bob\"\n", ":1:", "[[peer]]"},
      {"peer_a_value", "peer = 5\n", ":1:", "[[peer]]"},
      {"peers_of_two_kinds", "peer = [{name = \"a\"}, 5]\n", ":1:", "[[peer]]"},
      {"unknown_top_level", "version = 1\n[[peer]]\n", ":1:", "field \"version\": is unknown"},
      {"unknown_field", start + key1 + "nmae = 1\n", ":9:", "field \"nmae\": is unknown; did you mean \"name\"?"},
      {"repeated_field", start + key1 + "connect = true\n", ":9:", "not TOML"},
      {"no_name", "[[peer]]\nconnect = true\n" + key1, ":1:", "field \"name\": is missing"},
      {"empty_name", "[[peer]]\nname = \"\"\nconnect = true\n" + key1,
       ":2:", "field \"name\": takes a text in quotes: 1 to 64 letters"},
      {"name_with_space", "[[peer]]\nname = \"b b\"\nconnect = true\n" + key1, ":2:", ": 1 to 64 letters"},
      {"name_too_long", "[[peer]]\nname = \"" + longest + "n\"\nconnect = true\n" + key1, ":2:", ": 1 to 64 letters"},
      {"name_no_text", "[[peer]]\nname = 5\nconnect = true\n" + key1, ":2:", "takes a text"},
      {"repeated_name", start + key1 + start + key2, ":10:", "is taken by the peer of line 1"},
      {"no_right", "[[peer]]\nname = \"bob\"\n" + key1, ":1:", "may do nothing"},
      {"right_no_boolean", "[[peer]]\nname = \"bob\"\nserve = \"yes\"\n" + key1, ":3:", "takes true or false"},
      {"kem_no_boolean", start + key1 + "rekey_demands_kem = 1\n", ":9:", "takes true or false"},
      {"unknown_qkd", start + key1 + "qkd = \"always\"\n", ":9:", "takes \"none\", \"preferred\" or \"required\""},
      {"qkd_no_text", start + key1 + "qkd = true\n", ":9:", "takes \"none\", \"preferred\" or \"required\""},
      {"qkd_without_sae", start + key1 + "qkd = \"preferred\"\n", ":1:", "field \"sae_id\": is missing"},
      {"empty_sae", start + key1 + "qkd = \"required\"\nsae_id = \"\"\n",
       ":10:", "field \"sae_id\": takes a text in quotes, of 1 to 255 bytes"},
      {"sae_too_long", start + key1 + "sae_id = \"" + std::string(256, 's') + "\"\n", ":9:", "of 1 to 255 bytes"},
      {"sae_with_newline", start + key1 + "sae_id = \"a\\nb\"\n", ":9:", "control characters"},
      {"no_key", start, ":1:", "field \"key\": is missing"},
      {"key_twice_over", start + key1 + "key_file = \"x\"\n", ":4:", "stands beside key_file"},
      {"key_no_text", start + "key = 5\n", ":4:", "takes a text"},
      {"key_no_texts", start + "key = [5]\n", ":4:", "takes a text"},
      {"no_keys", start + "key = []\n", ":4:", "takes a text"},
      {"too_many_keys", start + "key_file = ['1', '2', '3', '4', '5', '6', '7', '8', '9']\n",
       ":4:", "or an array of 1 to 8 of them"},
      {"key_no_pem", start + "key = \"abc\"\n", ":4:", "holds no public key"},
      {"key_damaged", start + "key = '''\n-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'''\n",
       ":4:", "field \"key\": "},
      {"key_private", start + "key = '''\n-----BEGIN PRIVATE KEY-----\n'''\n", ":4:", "private key where a public"},
      {"key_file_missing", start + "key_file = \"nowhere.pub\"\n", ":4:", "nowhere.pub: cannot open"},
      {"key_of_another", start + key1 + "[[peer]]\nname = \"carol\"\nserve = true\n" + key1,
       ":12:", "is pinned to peer \"bob\" already"},
      {"key_repeated", start + "key = [" + inline_key(1) + ", " + inline_key(1) + "]\n",
       ":4:", "is pinned to this peer already"},
  };
}

// SPEC §4.
TEST_F(Peers, with_any_fault_are_refused_by_line_field_and_reason) {
  for (const Fault& fault : faults()) {
    const std::string text = refusal(fault.text);
    EXPECT_TRUE(text.starts_with(folder_ / "peers.toml" + std::string(fault.place)))
        << fault.name << ": " << text << " (place)";
    EXPECT_TRUE(text.contains(fault.says)) << fault.name << ": " << text;
  }
}

TEST_F(Peers, at_the_edge_of_every_bound_are_accepted) {
  std::string keys = "key_file = [";
  for (std::uint8_t i = 1; i <= kMaxKeysPerPeer; ++i) {
    const std::string name = std::to_string(i) + ".pub";
    static_cast<void>(folder_.with(name, pem_of(i)));
    keys += (i == 1 ? "'" : ", '") + name + "'";
  }
  const auto peers = parse("[[peer]]\nname = \"" + std::string(kMaxNameSize, 'n') +
                           "\"\nconnect = true\nqkd = \"preferred\"\nsae_id = \"" + std::string(kMaxSaeIdSize, 's') +
                           "\"\n" + keys + "]\n");
  ASSERT_TRUE(peers) << peers.error();
  EXPECT_EQ(peers->all()[0].keys.size(), kMaxKeysPerPeer);
}

TEST_F(Peers, more_than_their_bound_are_refused_before_any_is_read) {
  std::string many;
  for (std::size_t i = 0; i < kMaxPeers; ++i) many += "[[peer]]\n";
  EXPECT_TRUE(refusal(many).contains("field \"name\": is missing")) << "as many as the bound are read";
  many += "[[peer]]\n";
  EXPECT_TRUE(refusal(many).contains("at most 10000 times")) << refusal(many);
}

TEST_F(Peers, in_a_file_too_big_are_refused_unread) {
  const std::string big(kMaxPeersFileSize + 1, '\n');
  EXPECT_TRUE(refusal(big).contains("larger than 1048576 bytes"));
  const auto loaded = PinnedPeers::load(provider(), folder_.with("big.toml", big));
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(loaded.error().contains("larger than 1048576 bytes")) << loaded.error();
}

TEST_F(Peers, nested_without_end_are_refused) {
  EXPECT_TRUE(refusal("peer = " + std::string(100'000, '[')).contains("not TOML"));
}

// SPEC §4.
TEST_F(Peers, never_include_this_end) {
  const auto peers = parse("[[peer]]\nname = \"bob\"\nconnect = true\nkey = " + inline_key(1));
  ASSERT_TRUE(peers);
  EXPECT_TRUE(peers->refuse_own({}, ""));
  EXPECT_TRUE(peers->refuse_own(std::array<Identity, 1>{identity_of_number(2)}, ""));
  const auto own = peers->refuse_own(std::array<Identity, 2>{identity_of_number(2), identity_of_number(1)}, "");
  ASSERT_FALSE(own);
  EXPECT_TRUE(own.error().contains("peers.toml:1:1: peer \"bob\" has this end's own key")) << own.error();
}

/// SPEC §4: "No two pinned peers may share a key, or an SAE ID".
TEST_F(Peers, that_share_an_sae_id_are_refused_with_both_lines) {
  for (const std::string policy : {"none", "preferred", "required"}) {
    const auto peer = [&](std::uint8_t number, const std::string& sae_id) {
      return "[[peer]]\nname = \"peer" + std::to_string(number) + "\"\nserve = true\nqkd = \"" + policy +
             "\"\nsae_id = \"" + sae_id + "\"\nkey = " + inline_key(number) + '\n';
    };
    EXPECT_TRUE(parse(peer(1, "SAE-a") + peer(2, "SAE-A") + peer(3, "SAE-b"))) << "compared byte for byte";
    const std::string first = peer(1, "SAE-a");
    const std::string text = refusal(first + peer(2, "SAE-a"));
    const auto line = std::ranges::count(first, '\n') + 5;
    EXPECT_TRUE(text.contains("peers.toml:" + std::to_string(line) +
                              ":10: peer \"peer2\", field \"sae_id\": is pinned to "
                              "peer \"peer1\" of line 1 already"))
        << text;
  }
}

/// SPEC §4: "An end MUST refuse … its own SAE ID, as a peer's".
TEST_F(Peers, never_have_this_ends_own_sae_id) {
  const auto peers = parse("[[peer]]\nname = \"bob\"\nconnect = true\nsae_id = \"SAE-b\"\nkey = " + inline_key(1));
  ASSERT_TRUE(peers);
  EXPECT_TRUE(peers->refuse_own({}, ""));
  EXPECT_TRUE(peers->refuse_own({}, "SAE-a"));
  const auto own = peers->refuse_own({}, "SAE-b");
  ASSERT_FALSE(own);
  EXPECT_TRUE(
      own.error().contains("peers.toml:1:1: peer \"bob\", field \"sae_id\": is this end's own SAE ID (--sae-id)"))
      << own.error();
}

TEST_F(Peers, by_the_thousand_load) {
  constexpr std::size_t kMany = 1'000;
  std::string text;
  for (std::size_t i = 0; i < kMany; ++i) {
    crypto::PublicKey key{crypto::SignatureId::Ed25519, std::vector<std::uint8_t>(32)};
    for (std::size_t b = 0; b < 4; ++b) key.bytes[b] = static_cast<std::uint8_t>(i >> (8 * b));
    const std::string name = std::to_string(i);
    static_cast<void>(folder_.with(name, *provider().public_key_pem(key)));
    text += "[[peer]]\nname=\"" + name + "\"\nserve=true\nkey_file=\"" + name + "\"\n";
  }
  const auto peers = parse(text);
  ASSERT_TRUE(peers) << peers.error();
  EXPECT_EQ(peers->all().size(), kMany);
  const Peer* const last = peers->find_by_name("999");
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(peers->find(last->keys[0].identity), last);
}

}  // namespace
}  // namespace qsp::identity::test

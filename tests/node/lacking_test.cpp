// A node on an OpenSSL that lacks algorithms: what it must have, or was told to use, it does not do without in silence.
#include <openssl/evp.h>

#include "crypto/part_provider.hpp"
#include "crypto/routed/provider.hpp"
#include "node/world.hpp"
#include "qsp/suites.hpp"

namespace qsp::node::test {
namespace {

/// An OpenSSL alone, without ML-KEM-768, and so without X25519MLKEM768, without Ed25519 and without ChaCha20-Poly1305.
class SmallOpenSsl {
 protected:
  SmallOpenSsl() {
    static const crypto::test::PartProvider kPart{{"ML-KEM-768", "ED25519", "ChaCha20-Poly1305"}};
    EXPECT_EQ(EVP_set_default_properties(nullptr, "provider=part"), 1);
    crypto::set_default_library(crypto::Library::OpenSsl);
  }
};

class LackingNode : protected SmallOpenSsl, public NodeTest {
 protected:
  /// Bob, who can do with this OpenSSL.
  [[nodiscard]] NodeConfig able() const {
    NodeConfig config = bob();
    config.end.kems = {crypto::KemId::MlKem768, crypto::KemId::MlKem1024};
    config.end.signatures = {crypto::SignatureId::MlDsa65, crypto::SignatureId::Ed25519};
    return config;
  }
  [[nodiscard]] static std::string told_of(std::string_view names) {
    return std::string(provider().description()) + " lacks " + std::string(names) +
           ": sessions do without, and peers that have nothing else cannot be reached; use OpenSSL 3.5 or newer with "
           "its "
           "default provider active in openssl.cnf";
  }
};

// SPEC §3, Appendix B 38: "Where its library lacks defaults, or algorithms that its configuration lists, an end MUST
// warn its user when it starts, and name them."
TEST_F(LackingNode, names_once_each_default_and_each_listed_algorithm_that_is_missing_when_it_starts) {
  const auto node = Node::open(able(), told_);
  ASSERT_TRUE(node) << node.error().text;
  EXPECT_EQ(told_.warnings(), std::vector{told_of("X25519MLKEM768, ChaCha20-Poly1305, ML-KEM-768, Ed25519")});
}

// SPEC §3, likewise of a client.
TEST_F(LackingNode, a_dial_says_so_as_well) {
  class Events final : public DialEvents {
   public:
    void warning(const std::string& text) override { warnings.push_back(text); }
    std::vector<std::string> warnings;
  };
  DialConfig config{.end = {}, .target = {.host = "127.0.0.1", .port = 1}};
  config.end.keys = {key("alice")};
  config.end.peers = folder_ / "callers.toml";
  config.end.peer = "bob";
  config.end.kems = {crypto::KemId::MlKem1024};
  config.end.aeads = {crypto::AeadId::Aes256Gcm};
  Events events;
  const auto dial = Dial::open(config, events);
  ASSERT_TRUE(dial) << dial.error().text;
  EXPECT_EQ(events.warnings, std::vector{told_of("X25519MLKEM768, ChaCha20-Poly1305")});
}

// SPEC §3, B 38: "It MUST refuse to start where nothing is left of a list, or where the algorithm of its own key is
// missing."
TEST_F(LackingNode, does_not_start_without_any_algorithm_of_a_list_or_that_of_its_key) {
  const auto refused = [this](const auto& change) {
    NodeConfig config = able();
    change(config.end);
    const auto node = Node::open(config, told_);
    return node ? std::string("(made)") : node.error().text;
  };
  EXPECT_NE(refused([](EndConfig& end) { end.kems = {crypto::KemId::X25519MlKem768}; }).find(" lacks X25519MLKEM768"),
            std::string::npos);
  EXPECT_NE(
      refused([](EndConfig& end) { end.aeads = {crypto::AeadId::ChaCha20Poly1305}; }).find(" lacks ChaCha20-Poly1305"),
      std::string::npos);
  EXPECT_NE(refused([](EndConfig& end) { end.signatures = {crypto::SignatureId::Ed25519}; }).find(" lacks Ed25519"),
            std::string::npos);
  const auto whole = crypto::make_openssl_provider({"provider=default"}).value();
  const std::string old_key = folder_ / "old.key";
  ASSERT_TRUE(identity::write_new_key_pair(*whole, crypto::SignatureId::Ed25519, old_key, std::nullopt));
  EXPECT_NE(refused([&](EndConfig& end) { end.keys = {old_key}; }).find(" lacks Ed25519"), std::string::npos);
}

}  // namespace
}  // namespace qsp::node::test

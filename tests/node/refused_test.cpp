// Configurations that no node, or no dial, can be made from: what is wrong with them, and what to do.
#include <functional>

#include "identity/passphrase.hpp"
#include "node/world.hpp"

namespace qsp::node::test {
namespace {

using namespace std::chrono_literals;

class RefusedConfig : public NodeTest {
 protected:
  using Change = std::function<void(EndConfig&)>;

  [[nodiscard]] Refused node(const Change& change) {
    NodeConfig config = bob();
    change(config.end);
    return node(config);
  }
  [[nodiscard]] Refused node(const NodeConfig& config) {
    const auto made = Node::open(config, told_);
    return made ? Refused{Refused::Why::Failed, "(made)"} : made.error();
  }
  [[nodiscard]] Refused dial(const Change& change) {
    DialConfig config;
    config.end.keys = {key("alice")};
    config.end.peers = folder_ / "callers.toml";
    config.end.peer = "bob";
    change(config.end);
    DialEvents events;
    const auto made = Dial::open(config, events);
    return made ? Refused{Refused::Why::Failed, "(made)"} : made.error();
  }
  static void expect_config(const Refused& refused, const std::string& text) {
    EXPECT_EQ(refused.text, text);
    EXPECT_EQ(refused.why, Refused::Why::Config) << text;
  }
  static void expect_failed(const Refused& refused, const std::string& text) {
    EXPECT_EQ(refused.text, text);
    EXPECT_EQ(refused.why, Refused::Why::Failed) << text;
  }
};

TEST_F(RefusedConfig, one_that_lacks_a_field_names_it) {
  expect_config(node([](EndConfig& end) { end.keys.clear(); }),
                "keys FILE is needed: this end's private key (make one with: qsp keygen)");
  expect_config(node([](EndConfig& end) { end.peers.clear(); }),
                "peers FILE is needed: who is pinned (see docs/peers.md)");
  expect_config(dial([](EndConfig& end) { end.peer.clear(); }), "peer NAME is needed: whom of peers to dial");
}

TEST_F(RefusedConfig, fields_that_do_not_fit_together_are_named_with_what_to_do) {
  expect_config(dial([](EndConfig& end) { end.keys.push_back(end.keys.front()); }), "keys: a client has one key");
  expect_config(node([](EndConfig& end) { end.kme.key = "kme.key"; }),
                "kme.key says how to reach a KME: give kme.urls URL too");
  expect_config(node([](EndConfig& end) { end.kme.urls = {"https://127.0.0.1:1"}; }),
                "kme.urls needs kme.certificate FILE: kme.certificate and kme.key are this end's certificate and key, "
                "kme.authorities whom to trust");
  expect_config(node([](EndConfig& end) { end.kme.tls12 = true; }),
                "kme.revoked, kme.name, kme.tls12 and kme.unclean_end say how to reach a KME: give kme.urls URL too");
  expect_config(node([](EndConfig& end) { end.qkd_rekey_max = 150s; }),
                "qkd_rekey_max and qkd_low_supply are for the keys of a KME: give kme.urls URL too");
  expect_config(node([](EndConfig& end) { end.qkd = QkdPolicy::Preferred; }),
                "qkd preferred needs sae_id ID: this end's own SAE ID at its KME or of its pads");
  expect_config(node([](EndConfig& end) {
                  end.qkd = QkdPolicy::Required;
                  end.sae_id = "SAE-bob";
                }),
                "qkd required: there is no source of QKD keys; give kme.urls URL, or pads SAE-ID=FILE with its SAE ID");
}

TEST_F(RefusedConfig, what_no_session_could_be_made_with_is_said_before_a_peer_comes) {
  expect_config(node([](EndConfig& end) { end.rekey_timer = 5s; }),
                "rekey_timer: takes 1m or more (dangerous_short_timers allows less, for tests and demonstrations)");
  expect_config(node([](EndConfig& end) { end.kems.push_back(end.kems.front()); }),
                "kems: takes one to eight names, each once");
  expect_config(node([](EndConfig& end) { end.aeads.clear(); }), "aeads: takes one to eight names, each once");
}

TEST_F(RefusedConfig, a_profile_that_cannot_end_data_carries_no_other_data) {
  NodeConfig config;
  config.end.profile = ProfileId::DangerousRc155;
  config.listen.port = 0;
  config.application = ForwardTo{{.host = "127.0.0.1", .port = 1}};
  expect_config(node(config), "RunCommand and ForwardTo need profile 1.0: rc155 cannot say that data is complete");

  DialConfig pipe{.end = {}, .target = {.host = "127.0.0.1", .port = 1}, .retry_for = 0s};
  pipe.end.profile = ProfileId::DangerousRc155;
  DialEvents events;
  const auto dial = Dial::open(pipe, events);
  ASSERT_TRUE(dial) << dial.error().text;
  const DialReport report = (*dial)->run(CarryPipe{.input = 0, .output = 1});
  EXPECT_FALSE(report.connected);
  EXPECT_EQ(report.failure, "a pipe needs profile 1.0: rc155 cannot say that data is complete");
}

TEST_F(RefusedConfig, what_a_file_lacks_is_no_fault_of_the_configuration) {
  const std::string peers = folder_ / "callers.toml";
  expect_failed(dial([](EndConfig& end) { end.peer = "dave"; }), peers + ": there is no peer named 'dave'");
  const Refused missing = node([](EndConfig& end) { end.keys = {"/nowhere/bob.key"}; });
  EXPECT_EQ(missing.why, Refused::Why::Failed);
  EXPECT_NE(missing.text.find("/nowhere/bob.key"), std::string::npos) << missing.text;
}

TEST_F(RefusedConfig, an_encrypted_key_needs_somebody_to_ask) {
  const std::string locked = folder_ / "locked.key";
  const auto made = identity::write_new_key_pair(provider(), crypto::SignatureId::MlDsa65, locked,
                                                 SecretBytes::copy_of("correct horse"));
  ASSERT_TRUE(made) << made.error();
  const Refused refused = node([&](EndConfig& end) { end.keys = {locked}; });
  EXPECT_EQ(refused.why, Refused::Why::Failed);
  EXPECT_NE(refused.text.find("is encrypted; give passphrase_file"), std::string::npos) << refused.text;

  std::string asked;
  EXPECT_EQ(node([&](EndConfig& end) {
              end.keys = {locked};
              end.ask_passphrase = [&asked](const std::string& file) {
                asked = file;
                return SecretBytes::copy_of("correct horse");
              };
            }).text,
            "(made)");
  EXPECT_EQ(asked, locked);
}

TEST_F(RefusedConfig, an_address_that_is_taken_is_named) {
  const auto first = Node::open(bob(), told_);
  ASSERT_TRUE(first) << first.error().text;
  NodeConfig config = bob();
  config.listen.port = (*first)->status().address.port();
  const Refused refused = node(config);
  EXPECT_EQ(refused.why, Refused::Why::Failed);
  EXPECT_NE(refused.text.find(std::to_string(config.listen.port)), std::string::npos) << refused.text;
}

TEST_F(RefusedConfig, a_setting_is_called_what_its_user_knows_it_as) {
  const auto refused = node([](EndConfig& end) {
    end.keys.clear();
    end.name = [](Setting setting) noexcept -> std::string_view {
      return setting == Setting::Keys ? "the option -k" : "?";
    };
  });
  EXPECT_EQ(refused.text, "the option -k FILE is needed: this end's private key (make one with: qsp keygen)");
}

TEST(Settings, have_a_name_each) {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Setting::MetricsPort); ++i) {
    const std::string_view name = field_name(static_cast<Setting>(i));
    EXPECT_NE(name, "") << i;
    EXPECT_EQ(std::ranges::find(names, name), names.end()) << name;
    names.push_back(name);
  }
}

TEST(Profiles, are_found_by_their_names) {
  EXPECT_EQ(profile_by_name("1.0"), ProfileId::Qsp10);
  EXPECT_EQ(profile_by_name("rc155"), ProfileId::DangerousRc155);
  EXPECT_EQ(profile_by_name("1.1"), std::nullopt);
  EXPECT_EQ(profile_of(ProfileId::Qsp10).danger, "");
  EXPECT_NE(profile_of(ProfileId::DangerousRc155).danger, "");
}

}  // namespace
}  // namespace qsp::node::test

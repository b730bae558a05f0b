#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "files/temp_folder.hpp"
#include "identity/openssl_program.hpp"
#include "qsp/identity.hpp"

namespace qsp::test {
namespace {

using identity::test::provider;

struct Library : testing::Test {
  Library() { ::umask(022); }
  TempFolder folder_;
  std::string key_ = folder_ / "alice.key";
};

TEST_F(Library, key_pairs_come_back_as_they_were_made) {
  const auto made = make_key_pair(provider(), crypto::SignatureId::MlDsa65, key_);
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(load_signer(provider(), key_).value()->public_key(), *made);
  EXPECT_EQ(load_public_key(provider(), key_ + ".pub").value(), *made);
  EXPECT_EQ(load_pin(provider(), key_ + ".pub").value().key, *made);
}

TEST_F(Library, an_encrypted_key_opens_with_its_passphrase_and_nothing_else) {
  ASSERT_TRUE(make_key_pair(provider(), crypto::SignatureId::MlDsa65, key_, SecretBytes::copy_of("correct horse")));
  const auto with = [](std::string_view text) { return [text] { return std::optional(SecretBytes::copy_of(text)); }; };
  EXPECT_TRUE(load_signer(provider(), key_, with("correct horse")));
  for (const crypto::AskPassphrase& ask :
       {crypto::AskPassphrase(with("wrong")), crypto::AskPassphrase([] { return std::optional<SecretBytes>(); }),
        crypto::AskPassphrase()}) {
    const auto signer = load_signer(provider(), key_, ask);
    ASSERT_FALSE(signer);
    EXPECT_EQ(signer.error().kind, ErrorKind::Environment);
    EXPECT_TRUE(signer.error().text.starts_with(key_)) << signer.error().text;
  }
}

TEST_F(Library, a_key_that_others_can_read_is_refused) {
  ASSERT_TRUE(make_key_pair(provider(), crypto::SignatureId::MlDsa65, key_));
  ASSERT_EQ(::chmod(key_.c_str(), 0644), 0);
  EXPECT_FALSE(load_signer(provider(), key_));
}

TEST_F(Library, failures_name_the_file) {
  EXPECT_NE(load_signer(provider(), key_).error().text.find(key_), std::string::npos);
  EXPECT_NE(load_pin(provider(), key_).error().text.find(key_), std::string::npos);
  EXPECT_NE(Pins::load(provider(), folder_ / "peers.toml").error().text.find("peers.toml"), std::string::npos);
}

TEST_F(Library, pins_are_found_by_name_and_by_identity) {
  ASSERT_TRUE(make_key_pair(provider(), crypto::SignatureId::MlDsa65, key_));
  const std::string file = folder_ / "peers.toml";
  std::ofstream(file) << "[[peer]]\nname = \"alice\"\nkey_file = \"alice.key.pub\"\nconnect = true\n";
  Pins loaded = Pins::load(provider(), file).value();
  const Peer* const alice = loaded.find_by_name("alice");
  ASSERT_NE(alice, nullptr);
  const Pins pins = std::move(loaded);  // what was found stays where it is
  EXPECT_EQ(pins.find(alice->keys.front().identity), alice);
  EXPECT_EQ(pins.all().size(), 1U);
  EXPECT_EQ(pins.find_by_name("bob"), nullptr);
  EXPECT_EQ(parse_fingerprint(fingerprint(alice->keys.front().identity)), alice->keys.front().identity);
}

}  // namespace
}  // namespace qsp::test

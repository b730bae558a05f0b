#include "identity/key_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "files/temp_folder.hpp"
#include "identity/identity.hpp"
#include "identity/openssl_program.hpp"
#include "identity/passphrase.hpp"
#include "qsp/suites.hpp"

namespace qsp::identity::test {
namespace {

using qsp::test::TempFolder;

SecretBytes secret(std::string_view text) { return SecretBytes::copy_of(text); }

/// True if `signer` holds the private half of `key`.
bool signs_for(const crypto::Signer& signer, const crypto::PublicKey& key) {
  const auto signature = signer.sign(as_bytes("a message"), provider().rng());
  const auto verifier = provider().verifier(key);
  return signature && verifier && (*verifier)->verify(as_bytes("a message"), *signature);
}

mode_t mode_of(const std::string& file) {
  struct stat info{};
  return ::stat(file.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
}

class KeyFilesOf : public ::testing::TestWithParam<crypto::SignatureInfo> {
 protected:
  KeyFilesOf() { ::umask(022); }
  TempFolder folder_;
};

TEST_P(KeyFilesOf, come_back_as_they_were_made) {
  const std::string file = folder_ / "alice.key";
  const auto made = write_new_key_pair(provider(), GetParam().id, file, std::nullopt);
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(made->algorithm, GetParam().id);
  EXPECT_EQ(folder_.names(), "alice.key alice.key.pub");
  EXPECT_EQ(mode_of(file), 0600U);
  EXPECT_EQ(mode_of(file + ".pub"), 0644U);

  const auto signer = load_private_key(provider(), file, "");
  ASSERT_TRUE(signer) << signer.error();
  EXPECT_EQ((*signer)->public_key(), *made);
  const auto key = load_public_key(provider(), public_file_of(file));
  ASSERT_TRUE(key) << key.error();
  EXPECT_EQ(*key, *made);
  EXPECT_TRUE(signs_for(**signer, *key));
}

TEST_P(KeyFilesOf, are_encrypted_under_a_passphrase) {
  const std::string file = folder_ / "alice.key";
  const auto made = write_new_key_pair(provider(), GetParam().id, file, secret("correct horse"));
  ASSERT_TRUE(made) << made.error();
  const std::string content = qsp::test::content_of(file);
  EXPECT_TRUE(content.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
  EXPECT_FALSE(content.contains("-----BEGIN PRIVATE KEY-----"));

  const auto signer = load_private_key(provider(), file, folder_.with("right", "correct horse\n"));
  ASSERT_TRUE(signer) << signer.error();
  EXPECT_EQ((*signer)->public_key(), *made);

  const std::string wrong = folder_.with("wrong", "correct horse ");
  const auto refused = load_private_key(provider(), file, wrong);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().contains(file) && refused.error().contains("wrong passphrase") &&
              refused.error().contains(wrong))
      << refused.error();
}

TEST_P(KeyFilesOf, are_understood_and_made_as_openssl_does) {
  const std::string name = GetParam().id == crypto::SignatureId::Ed25519 ? "ED25519" : std::string(GetParam().name);
  if (GetParam().id == crypto::SignatureId::Ed25519MlDsa65) GTEST_SKIP() << "the composite is QSP's own";
  // Its key, read by us.
  const std::string theirs = folder_ / "theirs.key";
  ASSERT_TRUE(openssl({"genpkey", "-algorithm", name, "-out", theirs}));
  ASSERT_TRUE(openssl({"pkey", "-in", theirs, "-pubout", "-out", theirs + ".pub"}));
  ASSERT_EQ(::chmod(theirs.c_str(), 0600), 0);
  const auto signer = load_private_key(provider(), theirs, "");
  ASSERT_TRUE(signer) << signer.error();
  const auto key = load_public_key(provider(), theirs + ".pub");
  ASSERT_TRUE(key) << key.error();
  EXPECT_TRUE(signs_for(**signer, *key));

  // The same key, encrypted by it.
  const std::string sealed = folder_ / "sealed.key";
  const std::string passphrase = folder_.with("passphrase", "battery staple");
  ASSERT_TRUE(openssl({"pkey", "-in", theirs, "-aes256", "-passout", "file:" + passphrase, "-out", sealed}));
  ASSERT_EQ(::chmod(sealed.c_str(), 0600), 0);
  const auto opened = load_private_key(provider(), sealed, passphrase);
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_EQ((*opened)->public_key(), *key);

  // Our key, read by it, and hashed as its DER says.
  const std::string ours = folder_ / "ours.key";
  const auto made = write_new_key_pair(provider(), GetParam().id, ours, secret("battery staple"));
  ASSERT_TRUE(made) << made.error();
  const std::string der = folder_ / "der";
  ASSERT_TRUE(
      openssl({"pkey", "-in", ours, "-passin", "file:" + passphrase, "-pubout", "-outform", "DER", "-out", der}));
  const auto expected = provider().hkdf().hash({as_bytes(qsp::test::content_of(der))});
  EXPECT_EQ(*identity_of(*made, provider().hkdf()), *expected);
}

TEST_P(KeyFilesOf, with_the_text_that_openssl_prints_are_read) {
  if (GetParam().id == crypto::SignatureId::Ed25519MlDsa65) GTEST_SKIP() << "the composite is QSP's own";
  const std::string file = folder_ / "alice.key";
  const auto made = write_new_key_pair(provider(), GetParam().id, file, std::nullopt);
  ASSERT_TRUE(made) << made.error();
  const std::string described = folder_ / "described.key";
  ASSERT_TRUE(openssl({"pkey", "-in", file, "-text", "-out", described}));
  ASSERT_EQ(::chmod(described.c_str(), 0600), 0);
  const auto signer = load_private_key(provider(), described, "");
  ASSERT_TRUE(signer) << signer.error();
  EXPECT_EQ((*signer)->public_key(), *made);

  ASSERT_TRUE(openssl({"pkey", "-pubin", "-in", file + ".pub", "-text", "-out", described + ".pub"}));
  ASSERT_TRUE(qsp::test::content_of(described + ".pub").contains("Public-Key:"));
  const auto key = load_public_key(provider(), described + ".pub");
  ASSERT_TRUE(key) << key.error();
  EXPECT_EQ(*key, *made);

  // The private key as text, where only a public one should be.
  const std::string text = folder_ / "text";
  ASSERT_TRUE(openssl({"pkey", "-in", file, "-text", "-noout", "-out", text}));
  const auto refused = load_public_key(
      provider(), folder_.with("careless.pub", qsp::test::content_of(text) + qsp::test::content_of(file + ".pub")));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().contains("private key, printed as text")) << refused.error();
}

TEST_P(KeyFilesOf, under_a_passphrase_file_of_any_line_end_open_with_openssl) {
  if (GetParam().id == crypto::SignatureId::Ed25519MlDsa65) GTEST_SKIP() << "the composite is QSP's own";
  int number = 0;
  for (const std::string_view end : {"", "\n", "\r\n"}) {
    const std::string file = folder_ / ("key" + std::to_string(number++));
    const auto given = passphrase_from_file(folder_.with("passphrase", "battery staple" + std::string(end)));
    ASSERT_TRUE(given) << given.error();
    ASSERT_TRUE(write_new_key_pair(provider(), GetParam().id, file, given->copy()));
    EXPECT_TRUE(openssl({"pkey", "-in", file, "-passin", "pass:battery staple", "-noout"})) << number;
  }
}

INSTANTIATE_TEST_SUITE_P(EveryAlgorithm, KeyFilesOf, ::testing::ValuesIn(crypto::kSignatures), [](const auto& row) {
  std::string name(row.param.name);
  std::erase_if(name, [](char c) { return c == '-' || c == '+'; });
  return name;
});

class KeyFiles : public ::testing::Test {
 protected:
  void make(const std::optional<SecretBytes>& passphrase = std::nullopt) {
    const auto made = write_new_key_pair(provider(), crypto::SignatureId::Ed25519, file_, passphrase);
    ASSERT_TRUE(made) << made.error();
  }

  [[nodiscard]] std::string private_refusal(const std::string& file, const std::string& passphrase_file = "") const {
    const auto signer = load_private_key(provider(), file, passphrase_file);
    return signer ? "(loaded)" : signer.error();
  }

  [[nodiscard]] std::string public_refusal(const std::string& file) const {
    const auto key = load_public_key(provider(), file);
    return key ? "(loaded)" : key.error();
  }

  TempFolder folder_;
  std::string file_ = folder_ / "alice.key";
};

TEST_F(KeyFiles, with_a_private_key_that_others_can_read_are_refused) {
  make();
  ASSERT_EQ(::chmod(file_.c_str(), 0640), 0);
  EXPECT_TRUE(private_refusal(file_).contains("chmod 600 " + file_)) << private_refusal(file_);
}

TEST_F(KeyFiles, with_a_passphrase_that_others_can_read_are_refused) {
  make(secret("correct horse"));
  const std::string passphrase = folder_.with("passphrase", "correct horse");
  ASSERT_EQ(::chmod(passphrase.c_str(), 0604), 0);
  EXPECT_TRUE(private_refusal(file_, passphrase).contains("chmod 600 " + passphrase))
      << private_refusal(file_, passphrase);
}

TEST_F(KeyFiles, of_pins_that_others_can_change_are_refused) {
  make();
  for (const mode_t bit : {020U, 02U}) {
    ASSERT_EQ(::chmod((file_ + ".pub").c_str(), 0644U | bit), 0);
    EXPECT_TRUE(public_refusal(file_ + ".pub").contains("chmod go-w " + file_ + ".pub"));
  }
}

TEST_F(KeyFiles, that_are_not_encrypted_need_no_passphrase_file) {
  make();
  EXPECT_TRUE(load_private_key(provider(), file_, "/nowhere/passphrase"));
}

TEST_F(KeyFiles, in_the_wrong_place_are_told_apart) {
  make();
  EXPECT_TRUE(private_refusal(file_ + ".pub").contains("holds a public key")) << private_refusal(file_ + ".pub");
  EXPECT_TRUE(public_refusal(file_).contains("private key where a public key in PEM belongs")) << public_refusal(file_);
}

TEST_F(KeyFiles, that_were_cut_off_say_what_belongs_there) {
  make();
  const std::string whole = qsp::test::content_of(file_ + ".pub");
  const auto refusal = [](const std::string& text) {
    const auto key = parse_public_key(provider(), "x.pub", text);
    return key ? std::string() : key.error();
  };
  EXPECT_EQ(refusal(" \n"),
            "x.pub: is empty where a public key in PEM belongs; give the .pub file that qsp keygen made");
  EXPECT_TRUE(
      refusal("[[peer]]\nname = \"bob\"\n").starts_with("x.pub: is a peers file where a public key in PEM belongs"));
  for (std::size_t size = 1; size + 1 < whole.size(); ++size) {
    const std::string text = refusal(whole.substr(0, size));
    EXPECT_TRUE(text.contains("public key") || text.contains("damaged PEM")) << size << ": " << text;
    EXPECT_TRUE(text.contains("give the .pub file") || text.contains("copy it again")) << size << ": " << text;
  }
}

TEST_F(KeyFiles, that_hold_no_key_are_refused_by_name) {
  make();
  const std::string good = qsp::test::content_of(file_);
  const std::string good_public = qsp::test::content_of(file_ + ".pub");
  for (const std::string& content : {std::string(), std::string("no key"), good.substr(0, good.size() / 2),
                                     good + good + good, std::string("-----BEGIN PRIVATE KEY-----\n")}) {
    const std::string file = folder_.with("bad", content);
    EXPECT_TRUE(private_refusal(file).starts_with(file + ": ")) << private_refusal(file);
  }
  for (const std::string& content :
       {std::string(), std::string("no key"), good_public.substr(0, good_public.size() / 2)}) {
    const std::string file = folder_.with("bad", content);
    EXPECT_TRUE(public_refusal(file).starts_with(file + ": ")) << public_refusal(file);
  }
}

TEST_F(KeyFiles, too_big_are_refused_unread) {
  make();
  const std::string padded = qsp::test::content_of(file_) + std::string(kMaxKeyFileSize, '\n');
  EXPECT_TRUE(private_refusal(folder_.with("big", padded)).contains("larger than 65536 bytes"));
  EXPECT_TRUE(public_refusal(folder_.with("big", padded)).contains("larger than 65536 bytes"));
}

TEST_F(KeyFiles, of_an_algorithm_that_qsp_does_not_have_are_refused) {
  const std::string file = folder_ / "rsa.key";
  ASSERT_TRUE(openssl({"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", file}));
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  EXPECT_TRUE(private_refusal(file).starts_with(file + ": ")) << private_refusal(file);
}

TEST_F(KeyFiles, are_never_overwritten_and_never_made_by_halves) {
  const std::string public_file = folder_.with("alice.key.pub", "somebody's");
  EXPECT_FALSE(write_new_key_pair(provider(), crypto::SignatureId::Ed25519, file_, std::nullopt));
  EXPECT_EQ(folder_.names(), "alice.key.pub");
  EXPECT_EQ(qsp::test::content_of(public_file), "somebody's");

  std::filesystem::rename(public_file, file_);
  const auto refused = write_new_key_pair(provider(), crypto::SignatureId::Ed25519, file_, std::nullopt);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().contains("never overwritten")) << refused.error();
  EXPECT_EQ(folder_.names(), "alice.key");
  EXPECT_EQ(qsp::test::content_of(file_), "somebody's");
}

TEST_F(KeyFiles, that_cannot_have_their_public_half_are_not_left) {
  // A dangling link is no file, yet cannot be made: the second step fails after the first.
  std::filesystem::create_symlink(folder_ / "nowhere", file_ + ".pub");
  EXPECT_FALSE(write_new_key_pair(provider(), crypto::SignatureId::Ed25519, file_, std::nullopt));
  EXPECT_EQ(folder_.names(), "alice.key.pub");
}

}  // namespace
}  // namespace qsp::identity::test

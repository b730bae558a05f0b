#include "crypto/pem.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace qsp::crypto {
namespace {

struct Outcome {
  std::vector<std::string> blocks;  ///< "LABEL: TEXT"
  std::string problem;
  bool skipped_private_key = false;
};

Outcome read_all(std::string_view text) {
  Outcome outcome;
  PemReader reader(text);
  while (true) {
    const auto next = reader.next();
    if (!next) outcome.problem = next.error();
    if (!next || !*next) break;
    outcome.blocks.push_back(std::string((*next)->label) + ": " + std::string((*next)->text.reveal_text()));
  }
  outcome.skipped_private_key = reader.skipped_private_key();
  return outcome;
}

std::string block(std::string_view label, std::string_view body = "AAAA") {
  const std::string name(label);
  return "-----BEGIN " + name + "-----\n" + std::string(body) + "\n-----END " + name + "-----\n";
}

TEST(PemReader, skips_text_around_the_blocks) {
  const std::string text = "Subject: CN = one\n" + block("A") + "\nbetween\n----------\n - and more\n" +
                           block("B B", "BBBB") + "behind, without a line end";
  const Outcome read = read_all(text);
  EXPECT_EQ(read.problem, "");
  EXPECT_EQ(read.blocks, (std::vector<std::string>{"A: " + block("A"), "B B: " + block("B B", "BBBB")}));
}

TEST(PemReader, takes_every_line_end_and_byte_order_marks) {
  const std::string plain = "text\n" + block("A", "AAAA\nBBBB") + block("B");
  const std::vector<std::string> expected = read_all(plain).blocks;
  ASSERT_EQ(expected.size(), 2U);
  for (const std::string_view end : {"\r\n", "\r", " \t\r\n", "\n  "}) {
    std::string other = "\xEF\xBB\xBF";
    for (const char c : plain) c == '\n' ? other.append(end) : other.append(1, c);
    EXPECT_EQ(read_all(other).blocks, expected) << testing::PrintToString(end);
    EXPECT_EQ(read_all(other).problem, "");
  }
  const std::string joined = "\xEF\xBB\xBF" + block("A") + "\xEF\xBB\xBF" + block("B");
  EXPECT_EQ(read_all(joined).blocks.size(), 2U) << "two files with a mark each, one behind the other";
}

TEST(PemReader, keeps_the_headers_of_old_blocks) {
  const std::string old = "-----BEGIN X-----\r\nProc-Type: 4,ENCRYPTED\r\n\r\nAAAA\r\n-----END X-----";
  EXPECT_EQ(read_all(old).blocks,
            (std::vector<std::string>{"X: -----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END X-----\n"}));
}

TEST(PemReader, never_skips_what_may_be_a_damaged_block) {
  for (const std::string& damaged :
       {std::string("-----BEGIN PRIVATE KEY----\nAAAA\n"), std::string("----BEGIN PRIVATE KEY-----\nAAAA\n"),
        std::string("-----BEGJN PRIVATE KEY-----\nAAAA\n"), std::string("-----END PRIVATE KEY-----\n"),
        std::string("x -----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
        std::string(
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n"), std::string("-----BEGIN PRIVATE KEY-----"),
        std::string("-----BEGIN A--B-----\nAAAA\n-----END A--B-----\n"), std::string("-"), std::string("-----"),
        std::string("-----BEG")}) {
    const Outcome alone = read_all(damaged);
    EXPECT_NE(alone.problem.find("damaged PEM block"), std::string::npos) << damaged;
    EXPECT_TRUE(alone.blocks.empty()) << damaged;
    const Outcome behind = read_all(block("PUBLIC KEY") + damaged);
    EXPECT_NE(behind.problem.find("damaged PEM block"), std::string::npos) << damaged;
  }
  EXPECT_NE(read_all(std::string_view("\xFF\xFE-\0-\0", 6)).problem.find("UTF-16"), std::string::npos);
}

TEST(PemReader, tells_of_a_private_key_printed_as_text) {
  EXPECT_TRUE(read_all(block("PUBLIC KEY") + "ED25519 Private-Key:\npriv:\n    00:11\n").skipped_private_key);
  EXPECT_FALSE(read_all(block("PUBLIC KEY") + "ED25519 Public-Key:\npub:\n    00:11\n").skipped_private_key);
}

TEST(PemReader, knows_keys_by_their_labels) {
  for (const std::string_view label :
       {"PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"}) {
    EXPECT_TRUE(is_private_key_label(label) && is_key_label(label)) << label;
  }
  for (const std::string_view label : {"PUBLIC KEY", "RSA PUBLIC KEY"}) {
    EXPECT_TRUE(is_key_label(label) && !is_private_key_label(label)) << label;
  }
  for (const std::string_view label : {"CERTIFICATE", "X509 CRL", "EC PARAMETERS"}) EXPECT_FALSE(is_key_label(label));
}

/// The bytes of the one block that `text` is, or what is wrong with it.
std::string bytes_in(const std::string& text) {
  PemReader reader(text);
  const auto next = reader.next();
  if (!next || !*next) return "no block";
  const auto bytes = decode(**next);
  return bytes ? std::string(bytes->reveal_text()) : std::string(bytes.error());
}

TEST(PemBlock, holds_the_bytes_of_its_base64_however_it_is_laid_out) {
  for (const std::string_view body :
       {"Zm9vYmFy", "\nZm9vYmFy", "Zm9v\nYmFy", "Z m9\tvYm\nF y", "Zm9vYmFy\r", "Z\nm\n9\nv\nY\nm\nF\ny"}) {
    EXPECT_EQ(bytes_in(block("A B", body)), "foobar") << body;
  }
  EXPECT_EQ(bytes_in(block("A", "Zm9vYg==")), "foob");
  EXPECT_EQ(bytes_in(block("A", "Zm9vYmE\n=")), "fooba");
}

TEST(PemBlock, is_refused_where_it_holds_anything_else) {
  for (const std::string_view body : {"", "\n", "Zm9", "Zm9v=", "Zm9v====", "Zg=", "Zh==", "Zg==Zm9v", "Zm9v-",
                                      "Zm9v*m9v", "Zm9v\n\nYmFy", "\n\nZm9v", "Zm9v\n\n"}) {
    EXPECT_EQ(bytes_in(block("A", body)), "a damaged PEM block") << body;
  }
  EXPECT_EQ(bytes_in(block("A", "Proc-Type: 4,ENCRYPTED\n\nAAAA")),
            "a PEM block with headers, which PKCS#8 does not have");
}

TEST(PemBlock, is_written_in_lines_of_64_characters_and_read_back) {
  std::string bytes;
  for (unsigned size = 0; size < 200; ++size, bytes += static_cast<char>(size * 59)) {
    SecretBytes text;
    append_pem(text, "A KEY", as_bytes(bytes));
    const std::string pem(text.reveal_text());
    EXPECT_TRUE(pem.starts_with("-----BEGIN A KEY-----\n") && pem.ends_with("\n-----END A KEY-----\n")) << pem;
    for (std::size_t at = 0; at < pem.size(); at = pem.find('\n', at) + 1) EXPECT_LE(pem.find('\n', at) - at, 64U);
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(pem, '\n')), 2 + ((size + 2) / 3 * 4 + 63) / 64);
    if (size > 0) {
      EXPECT_EQ(bytes_in(pem), bytes);
    }
  }
}

TEST(PemText, is_searched_for_what_base64_cannot_be) {
  const std::string text = "ab-----BEGIN PRIVATE KEY-----\nPRIVATE\n";
  for (const std::string_view there : {"PRIVATE KEY-----", "-----BEGIN ", "ab-----", "E\n"})
    EXPECT_TRUE(stands_in(text, there)) << there;
  for (const std::string_view absent :
       {"[[peer", "PRIVATE KEY------", "------", "PUBLIC KEY-----", "xab-----", "\n\n"}) {
    EXPECT_FALSE(stands_in(text, absent)) << absent;
  }
  EXPECT_FALSE(stands_in("", "-"));
  EXPECT_TRUE(stands_in("-", "-"));
}

}  // namespace
}  // namespace qsp::crypto

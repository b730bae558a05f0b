#include "crypto/pem.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace qsp::crypto

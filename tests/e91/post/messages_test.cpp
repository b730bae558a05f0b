#include "e91/post/messages.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "e91/post/transcript.hpp"

namespace qsp::e91::post {
namespace {

using Wire = std::vector<std::uint8_t>;

constexpr std::uint64_t kBlock = 7;
constexpr std::size_t kClicks = 5;

Bits bits(std::string_view text) {
  Bits made(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) made.set(i, text[i] == '1');
  return made;
}

/// One message of each type.
std::vector<Message> samples() {
  std::vector<Message> all;
  all.emplace_back(ClicksMessage{.slots = 1'000'000, .slot = {0, 1, 130, 131, 999'999}, .setting = {0, 3, 1, 2, 0}});
  all.emplace_back(MatchesMessage{.shared = bits("10110"), .setting = {1, 0, 1}});
  all.emplace_back(TestsMessage{bits("0110100110010")});
  all.emplace_back(ReconcileMessage{.seed = {1, 2, 3}, .error_ppm = 31'000});
  all.emplace_back(QueriesMessage{{9, 8, 7}});
  all.emplace_back(ParitiesMessage{bits("111000111")});
  all.emplace_back(CorrectedMessage{42});
  all.emplace_back(VerifyMessage{.point = 0x0123456789abcdef, .hash = 0xfedcba9876543210});
  all.emplace_back(VerifiedMessage{});
  all.emplace_back(PrivacyMessage{.length = 3, .seed = bits("1010101")});
  all.emplace_back(TagMessage{.position = 64, .tag = {5, 4, 3}});
  all.emplace_back(AbortMessage{Abort::BellTest});
  all.emplace_back(ReadyMessage{.slots = 1'000'000, .nonce = {7, 7}});
  all.emplace_back(AcceptedMessage{{8, 9}});
  return all;
}

const Expect kExpect{.block = kBlock, .clicks = kClicks};

TEST(Messages, go_to_the_wire_and_back) {
  ASSERT_EQ(samples().size(), std::variant_size_v<Message>);
  for (const Message& message : samples()) {
    const Wire wire = encode(kBlock, message);
    const auto again = parse(wire, kExpect);
    ASSERT_TRUE(again) << name(message);
    EXPECT_EQ(again->index(), message.index());
    EXPECT_EQ(encode(kBlock, *again), wire) << name(message);
  }
}

TEST(Messages, of_another_block_are_refused) {
  for (const Message& message : samples()) EXPECT_FALSE(parse(encode(kBlock + 1, message), kExpect)) << name(message);
}

/// Queries are the reconciliation's to check; of all others no prefix and no extension is a message too.
TEST(Messages, cut_or_longer_are_refused) {
  for (const Message& message : samples()) {
    if (std::holds_alternative<QueriesMessage>(message)) continue;
    Wire wire = encode(kBlock, message);
    for (std::size_t size = 0; size < wire.size(); ++size) {
      EXPECT_FALSE(parse(Bytes(wire).first(size), kExpect)) << name(message) << " cut to " << size;
    }
    wire.push_back(0);
    EXPECT_FALSE(parse(wire, kExpect)) << name(message);
  }
}

TEST(Messages, have_one_encoding_each) {
  for (const Message& message : samples()) {
    const Wire wire = encode(kBlock, message);
    for (std::size_t i = 0; i < wire.size(); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        Wire altered = wire;
        altered[i] = static_cast<std::uint8_t>(altered[i] ^ (1U << bit));
        const auto parsed = parse(altered, kExpect);
        if (!parsed) continue;
        EXPECT_EQ(encode(kBlock, *parsed), altered) << name(message) << " byte " << i << " bit " << bit;
      }
    }
  }
}

TEST(Messages, clicks_outside_their_block_are_refused) {
  EXPECT_FALSE(parse(encode(kBlock, ClicksMessage{.slots = 10, .slot = {10}, .setting = {0}}), kExpect));
  EXPECT_TRUE(parse(encode(kBlock, ClicksMessage{.slots = 10, .slot = {9}, .setting = {0}}), kExpect));
  EXPECT_FALSE(parse(encode(kBlock, ClicksMessage{.slots = kMaxSlots + 1, .slot = {}, .setting = {}}), kExpect));
}

/// A count that its bytes cannot hold must not reserve memory for it.
TEST(Messages, counts_that_nothing_follows_are_refused) {
  for (const std::uint8_t type : std::array<std::uint8_t, 4>{1, 3, 6, 10}) {
    Wire wire(9, 0);
    wire[0] = type;
    wire[8] = kBlock;
    wire.insert(wire.end(), 32, 0xff);
    EXPECT_FALSE(parse(wire, kExpect)) << int{type};
  }
}

TEST(Messages, only_parities_and_the_verification_hash_disclose_key_bits) {
  for (const Message& message : samples()) {
    const std::string_view type = name(message);
    EXPECT_EQ(disclosed_key_bits(message), type == "PARITIES" ? 9U : type == "VERIFY" ? 64U : 0U) << type;
  }
}

TEST(Transcripts, are_read_as_written) {
  const PostConfig config{.mode = Mode::Classic,
                          .epsilon_secrecy = 1e-9,
                          .error_tolerance = 0.1,
                          .bell_floor = 2.3,
                          .dead_slots = {45, 40}};
  Wire file = transcript_header(config);
  for (const Message& message : samples()) {
    const Wire entry = transcript_entry(Side::Bob, encode(kBlock, message));
    file.insert(file.end(), entry.begin(), entry.end());
  }
  const auto read = read_transcript(file);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->config, config);
  ASSERT_EQ(read->entries.size(), samples().size());
  EXPECT_EQ(read->entries[3].message, encode(kBlock, samples()[3]));
  std::size_t whole = 0;
  for (std::size_t size = 0; size < file.size(); ++size) whole += read_transcript(Bytes(file).first(size)) ? 1 : 0;
  EXPECT_EQ(whole, samples().size()) << "a cut file is one only where a message ends";
}

}  // namespace
}  // namespace qsp::e91::post

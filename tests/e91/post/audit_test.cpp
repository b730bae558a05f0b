#include "e91/post/audit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "attackers.hpp"
#include "base/big_endian.hpp"
#include "e91/post/require.hpp"
#include "e91/post/sift.hpp"

namespace qsp::e91::post {
namespace {

using Wire = std::vector<std::uint8_t>;

/// A short block with a key, and gaps between its clicks.
Wire short_transcript(Mode mode) {
  Scene scene{.post = {.mode = mode, .epsilon_secrecy = 0.9, .bell_floor = 0, .sigmas = 0},
              .slots = 30'000,
              .p_z = 0.6,
              .pairs = 0.2,
              .dead_of_detectors = 2};
  scene.post.dead_slots = {2, 2};
  Wire file = transcript_header(scene.post);
  const Attacker nobody{.name = "nobody", .angle = [](std::uint64_t) -> std::optional<double> { return std::nullopt; }};
  const Attacked block = attack(scene, nobody, 1, [&](Side sender, Bytes message) {
    const Wire entry = transcript_entry(sender, message);
    file.insert(file.end(), entry.begin(), entry.end());
  });
  EXPECT_TRUE(block.released()) << describe(block.alice.aborted.value_or(Abort::Protocol));
  return file;
}

/// All that an auditor finds in a file.
std::string verdict(Bytes file) {
  const auto transcript = read_transcript(file);
  if (!transcript) return std::string(transcript.error().where);
  std::ostringstream text;
  text.precision(17);
  const PostConfig& config = transcript->config;
  text << static_cast<int>(config.mode) << ' ' << config.epsilon_secrecy << ' ' << config.epsilon_correctness << ' '
       << config.error_tolerance << ' ' << config.bell_floor << ' ' << config.sigmas << ' ' << config.dead_slots[0]
       << ' ' << config.dead_slots[1];
  for (const AuditedBlock& block : audit(*transcript)) {
    text << '\n'
         << block.block << ' ' << block.clicks << ' ' << block.shared << ' ' << block.key_bits << ' '
         << block.tests.phase.bits << ' ' << block.tests.phase.errors << ' '
         << (block.tests.chsh ? block.tests.chsh->value : 0) << ' ' << block.errors << ' ' << block.disclosed << ' '
         << block.announced << ' ' << block.certified << ' ' << block.complete << ' '
         << static_cast<int>(block.aborted.value_or(Abort{})) << ' ' << block.problem;
  }
  return text.str();
}

/// What both told of the rounds of a block.
struct Told {
  Mode mode;
  ClicksMessage clicks;
  MatchesMessage matches;
  std::vector<std::size_t> shared;  ///< clicks that Alice shares
};

Told told_in(const Transcript& transcript) {
  Told told{.mode = transcript.config.mode, .clicks = {}, .matches = {}, .shared = {}};
  const Expect expect{.block = 0, .clicks = audit(transcript).front().clicks};
  for (const Transcript::Entry& said : transcript.entries) {
    if (said.message[0] > 2) continue;
    Message message = parse(said.message, expect).value();
    if (auto* const clicks = std::get_if<ClicksMessage>(&message)) told.clicks = std::move(*clicks);
    if (auto* const matches = std::get_if<MatchesMessage>(&message)) told.matches = std::move(*matches);
  }
  for (std::size_t i = 0; i < expect.clicks; ++i) {
    if (told.matches.shared[i]) told.shared.push_back(i);
  }
  return told;
}

/// Whether a round is of no use, and stays so with these bits of one of its settings changed.
bool is_of_no_use(const Told& told, std::size_t round, Side whose, unsigned changed) {
  const std::uint8_t alice = told.matches.setting[round];
  const std::uint8_t bob = told.clicks.setting[told.shared.at(round)];
  const auto of = [&](Side side, std::uint8_t setting) {
    return static_cast<std::uint8_t>(side == whose ? setting ^ changed : setting);
  };
  return role(told.mode, alice, bob) == RoundRole::None &&
         role(told.mode, of(Side::Alice, alice), of(Side::Bob, bob)) == RoundRole::None;
}

/// The bytes of which beyond_audit() says that no transcript shows them: by the message's type, from where and, from
/// its end, to where.
bool is_beyond_audit(std::uint8_t type, std::size_t at, Bytes message, unsigned mask, const Told& told) {
  constexpr std::size_t kBody = 9;
  const auto be32 = [&](std::size_t from) { return load_big_endian(message.subspan(from, 4)); };
  // Of four settings in a byte: which one, and which of its bits.
  const auto in_byte = static_cast<std::size_t>(std::countr_zero(mask)) / 2;
  const unsigned changed = mask >> (2 * in_byte);
  switch (type) {
    case 1: {  // the slots, and settings of no use
      const std::size_t settings = kBody + 16 + be32(kBody + 12);
      if (at < settings) return at >= kBody + 16;
      const std::size_t click = 4 * (at - settings) + in_byte;
      if (!told.matches.shared[click]) return true;
      const auto round = std::ranges::lower_bound(told.shared, click) - told.shared.begin();
      return is_of_no_use(told, static_cast<std::size_t>(round), Side::Bob, changed);
    }
    case 2: {  // settings of no use
      const std::size_t settings = kBody + (told.clicks.setting.size() + 7) / 8;
      return at >= settings && is_of_no_use(told, 4 * (at - settings) + in_byte, Side::Alice, changed);
    }
    case 4:  // the seed of the permutations
      return at >= kBody && at < kBody + 32;
    case 5:  // what Bob asks for
    case 8:  // point and hash
      return at >= kBody;
    case 6:  // the parities
      return at >= kBody + 4;
    case 10:  // the matrix
    case 11:  // the tag
    case 13:  // the nonce
      return at >= kBody + 8;
    case 14:  // the word
      return at >= kBody;
    default:
      return false;
  }
}

class AuditOf : public ::testing::TestWithParam<Mode> {};

TEST_P(AuditOf, no_byte_is_changed_without_a_word_of_it_unless_no_transcript_shows_it) {
  const Wire honest = short_transcript(GetParam());
  const std::string found = verdict(honest);
  const std::size_t header = transcript_header({}).size();
  std::map<std::uint8_t, std::size_t> silent;
  const Transcript whole = read_transcript(honest).value();
  ASSERT_TRUE(audit(whole).front().has_key()) << found;
  const Told told = told_in(whole);
  Wire altered = honest;
  std::size_t entry = header;
  for (std::size_t i = 0; i < honest.size(); ++i) {
    const auto size = [&] { return load_big_endian(Bytes(honest).subspan(entry + 1, 4)); };
    while (i >= header && i >= entry + 5 + size()) entry += 5 + size();
    for (const unsigned mask : {1U << (i % 8), 0x80U}) {
      altered[i] = static_cast<std::uint8_t>(honest[i] ^ mask);
      if (verdict(altered) != found) continue;
      ASSERT_GE(i, entry + 5) << "byte " << i << " of the file";
      const Bytes message = Bytes(honest).subspan(entry + 5, size());
      EXPECT_TRUE(is_beyond_audit(message[0], i - entry - 5, message, mask, told))
          << "type " << int{message[0]} << " byte " << i - entry - 5 << " of " << message.size();
      ++silent[message[0]];
    }
    altered[i] = honest[i];
  }
  for (const std::uint8_t type : std::array<std::uint8_t, 9>{1, 4, 5, 6, 8, 10, 11, 13, 14}) {
    EXPECT_GT(silent[type], 0U) << int{type} << " is on the list and need not be";
  }
  // In Biased, no single bit leads from one pair of no use to another.
  EXPECT_EQ(silent[2] > 0, GetParam() == Mode::Classic);
}

/// A transcript in which all of so many rounds are key, and that ends with this.
Transcript key_rounds(Mode mode, std::size_t rounds, Side sender, const Message& last) {
  const std::uint8_t of_alice = mode == Mode::Biased ? 0 : 1;
  ClicksMessage clicks{.slots = rounds, .slot = {}, .setting = SettingList(rounds)};
  MatchesMessage matches{.shared = Bits(rounds), .setting = SettingList(rounds)};
  for (std::size_t i = 0; i < rounds; ++i) {
    clicks.slot.push_back(i);
    clicks.setting.push_back(0);
    matches.shared.set(i, true);
    matches.setting.push_back(of_alice);
  }
  Transcript transcript{.config = {.mode = mode}, .entries = {}};
  const auto say = [&](Side side, const Message& message) { transcript.entries.push_back({side, encode(0, message)}); };
  say(Side::Alice, ReadyMessage{.slots = rounds});
  say(Side::Bob, std::move(clicks));
  say(Side::Alice, std::move(matches));
  say(sender, last);
  return transcript;
}

/// docs/qkd.md, "Size": given up by both ends and by audit.
TEST_P(AuditOf, a_block_with_more_key_rounds_than_the_bound_can_only_be_given_up) {
  const auto found = [](std::size_t rounds, Side sender, const Message& last) {
    AuditedBlock block = audit(key_rounds(GetParam(), rounds, sender, last)).front();
    EXPECT_EQ(block.key_bits, rounds);
    return block;
  };
  const AuditedBlock gone_on = found(kMaxKeyBits + 1, Side::Bob, TestsMessage{});
  EXPECT_EQ(gone_on.problem, describe(Abort::TooManyRounds));
  EXPECT_FALSE(gone_on.has_key());
  for (const Side side : {Side::Alice, Side::Bob}) {
    const AuditedBlock given_up = found(kMaxKeyBits + 1, side, AbortMessage{Abort::TooManyRounds});
    EXPECT_EQ(given_up.problem, "");
    EXPECT_EQ(given_up.aborted, Abort::TooManyRounds);
    EXPECT_FALSE(given_up.has_key());
  }
  const AuditedBlock full = found(kMaxKeyBits, Side::Bob, TestsMessage{});
  EXPECT_EQ(full.problem, "the transcript ends, or another block begins, before this one has ended")
      << "so many may go on";
}

INSTANTIATE_TEST_SUITE_P(EachMode, AuditOf, ::testing::Values(Mode::Biased, Mode::Classic));

TEST(Audit, parameters_that_prove_nothing_are_named) {
  const auto transcript = read_transcript(short_transcript(Mode::Biased)).value();
  const auto blocks = audit(transcript);
  const auto problems = [&](std::string_view text) {
    return unmet(parse_requirements(text).value(), transcript.config, blocks);
  };
  EXPECT_EQ(problems("eps_sec<=1e-9"), std::vector<std::string>{"eps_sec is 0.9, not <= 1e-09"});
  EXPECT_EQ(problems("eps_sec<=0.9,keys>=1,dead_alice>=2,dead_bob>=2,n>=1000").size(), 0U);
  EXPECT_EQ(problems("bell_floor>=2.206,n>=1000000,eps_total<=1e-9,sigmas>=3,keys>=2").size(), 5U);
  for (const char* const text : {"", "eps_sec", "eps_sec<1", "eps_sec<=", "eps_sec<=x", "other<=1", "eps_sec<=nan",
                                 "eps_sec<=1,", "eps_sec<=1 "}) {
    EXPECT_FALSE(parse_requirements(text)) << text;
  }
}

TEST(Audit, takes_no_parameters_out_of_their_range) {
  for (const PostConfig& config :
       {PostConfig{.epsilon_secrecy = 0}, PostConfig{.epsilon_secrecy = 2}, PostConfig{.epsilon_correctness = -1},
        PostConfig{.error_tolerance = 0.6}, PostConfig{.bell_floor = -1}, PostConfig{.sigmas = -1},
        PostConfig{.dead_slots = {kMaxSlots + 1, 0}}}) {
    EXPECT_FALSE(read_transcript(transcript_header(config)));
  }
  EXPECT_TRUE(read_transcript(transcript_header({})));
}

TEST(Audit, says_what_it_checks_and_what_not) {
  EXPECT_GE(audited().size(), 5U);
  EXPECT_GE(beyond_audit().size(), 5U);
}

}  // namespace
}  // namespace qsp::e91::post

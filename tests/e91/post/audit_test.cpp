#include "e91/post/audit.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <map>
#include <sstream>

#include "attackers.hpp"
#include "e91/post/require.hpp"

namespace qsp::e91 {
namespace {

using Wire = std::vector<std::uint8_t>;

/// A short block with a key, and gaps between its clicks.
Wire short_transcript() {
  Scene scene{.post = {.epsilon_secrecy = 0.9, .bell_floor = 0, .sigmas = 0},
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

/// The bytes of which beyond_audit() says that no transcript shows them: by the message's type, from where and, from
/// its end, to where.
bool is_beyond_audit(std::uint8_t type, std::size_t at, Bytes message, unsigned mask, const Bits& shared) {
  constexpr std::size_t kBody = 9;
  const auto be32 = [&](std::size_t from) {
    return std::size_t{message[from]} << 24 | std::size_t{message[from + 1]} << 16 |
           std::size_t{message[from + 2]} << 8 | message[from + 3];
  };
  switch (type) {
    case 1: {  // the slots, and settings of clicks that Alice does not share
      const std::size_t settings = kBody + 16 + be32(kBody + 12);
      if (at < settings) return at >= kBody + 16;
      return !shared[4 * (at - settings) + static_cast<std::size_t>(std::countr_zero(mask)) / 2];
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

TEST(Audit, NoByteIsChangedWithoutAWordOfItUnlessNoTranscriptShowsIt) {
  const Wire honest = short_transcript();
  const std::string found = verdict(honest);
  ASSERT_NE(found.find(" 1 0 "), std::string::npos) << found;
  const std::size_t header = transcript_header({}).size();
  std::map<std::uint8_t, std::size_t> silent;
  Bits shared;
  const Transcript whole = read_transcript(honest).value();
  for (const Transcript::Entry& said : whole.entries) {
    if (said.message[0] != 2) continue;
    const std::size_t clicks = audit(whole).front().clicks;
    shared = std::get<MatchesMessage>(parse(said.message, {.block = 0, .clicks = clicks}).value()).shared.copy();
  }
  Wire altered = honest;
  std::size_t entry = header;
  for (std::size_t i = 0; i < honest.size(); ++i) {
    const auto size = [&] {
      return std::size_t{honest[entry + 1]} << 24 | std::size_t{honest[entry + 2]} << 16 |
             std::size_t{honest[entry + 3]} << 8 | honest[entry + 4];
    };
    while (i >= header && i >= entry + 5 + size()) entry += 5 + size();
    for (const unsigned mask : {1U << (i % 8), 0x80U}) {
      altered[i] = static_cast<std::uint8_t>(honest[i] ^ mask);
      if (verdict(altered) != found) continue;
      ASSERT_GE(i, entry + 5) << "byte " << i << " of the file";
      const Bytes message = Bytes(honest).subspan(entry + 5, size());
      EXPECT_TRUE(is_beyond_audit(message[0], i - entry - 5, message, mask, shared))
          << "type " << int{message[0]} << " byte " << i - entry - 5 << " of " << message.size();
      ++silent[message[0]];
    }
    altered[i] = honest[i];
  }
  for (const std::uint8_t type : std::array<std::uint8_t, 9>{1, 4, 5, 6, 8, 10, 11, 13, 14}) {
    EXPECT_GT(silent[type], 0U) << int{type} << " is on the list and need not be";
  }
}

TEST(Audit, ParametersThatProveNothingAreNamed) {
  const auto transcript = read_transcript(short_transcript()).value();
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

TEST(Audit, TakesNoParametersOutOfTheirRange) {
  for (const PostConfig& config :
       {PostConfig{.epsilon_secrecy = 0}, PostConfig{.epsilon_secrecy = 2}, PostConfig{.epsilon_correctness = -1},
        PostConfig{.error_tolerance = 0.6}, PostConfig{.bell_floor = -1}, PostConfig{.sigmas = -1},
        PostConfig{.dead_slots = {kMaxSlots + 1, 0}}}) {
    EXPECT_FALSE(read_transcript(transcript_header(config)));
  }
  EXPECT_TRUE(read_transcript(transcript_header({})));
}

TEST(Audit, SaysWhatItChecksAndWhatNot) {
  EXPECT_GE(audited().size(), 5U);
  EXPECT_GE(beyond_audit().size(), 5U);
}

}  // namespace
}  // namespace qsp::e91

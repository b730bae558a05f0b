#include "e91/link/sampler.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace qsp::e91::link {

namespace {

/// What the stations make of a pattern.
struct Seen {
  bool alice : 1;
  bool alice_bit : 1;
  bool bob : 1;
  bool bob_bit : 1;
};

/// [16 · coins + pattern]: bit 0 of the coins is for a double click of Alice's, bit 1 for one of Bob's.
constexpr std::array<Seen, 4 * kPatterns> kSeen = [] {
  std::array<Seen, 4 * kPatterns> table{};
  for (unsigned i = 0; i < table.size(); ++i) {
    const unsigned alice = i & 3;
    const unsigned bob = (i >> 2) & 3;
    const unsigned coins = i / kPatterns;
    table.at(i) = {
        .alice = alice != 0, .alice_bit = bit_of(alice, coins), .bob = bob != 0, .bob_bit = bit_of(bob, coins >> 1)};
  }
  return table;
}();

/// What a draw without settings can be made of: `common[k]` is the least probability of pattern k over all settings,
/// and `clicks` the greatest probability of any click. The rest of the patterns of every pair of settings adds up to
/// the same probability, common[0] here, which is drawn with the settings.
struct Split {
  Patterns common{};
  double clicks = 0;
};

double any_click(const Patterns& patterns) noexcept {
  double sum = 0;
  for (std::size_t k = 1; k < kPatterns; ++k) sum += patterns[k];
  return sum;
}

Split split(const ClickTables& tables) noexcept {
  Split result;
  result.common.fill(1);
  for (std::size_t i = 0; i < tables.alice; ++i) {
    for (std::size_t j = 0; j < tables.bob; ++j) {
      const Patterns& patterns = tables.patterns.at(i).at(j);
      for (std::size_t k = 1; k < kPatterns; ++k) result.common[k] = std::min(result.common[k], patterns[k]);
      result.clicks = std::max(result.clicks, any_click(patterns));
    }
  }
  result.common[0] = std::max(result.clicks - any_click(result.common), 0.0);
  return result;
}

/// What is left of `patterns` beside the common part. Its outcome 0, no click, is what the pair of settings clicks less
/// than the greatest.
Patterns rest_of(const Patterns& patterns, const Split& split) noexcept {
  Patterns rest{};
  rest[0] = std::max(split.clicks - any_click(patterns), 0.0);
  for (std::size_t k = 1; k < kPatterns; ++k) rest[k] = patterns[k] - split.common[k];
  if (rest[0] + any_click(rest) <= 0) rest[0] = 1;
  return rest;
}

}  // namespace

Strategy faster(const ClickTables& tables) noexcept {
  constexpr double kDenseFrom = 0.25;
  return split(tables).clicks < kDenseFrom ? Strategy::Sparse : Strategy::Dense;
}

Sampler::Sampler(const ClickTables& tables, const Stations& stations, Strategy strategy) noexcept
    : strategy_(strategy), dead_time_(stations) {
  const Split parts = split(tables);
  // A gap is drawn with log(1 − candidate): where every slot is a candidate there are no gaps.
  if (parts.clicks >= 1) strategy_ = Strategy::Dense;
  candidate_ = parts.clicks;
  if (candidate_ > 0) common_ = AliasTable(parts.common);
  for (std::size_t i = 0; i < tables.alice; ++i) {
    for (std::size_t j = 0; j < tables.bob; ++j) {
      const Patterns& patterns = tables.patterns.at(i).at(j);
      by_settings_.at(i * kMaxSettings + j) =
          AliasTable(strategy_ == Strategy::Dense ? patterns : rest_of(patterns, parts));
    }
  }
}

void Sampler::sample(RandomStream& random, Settings& alice, Settings& bob, std::uint64_t slots, Clicks& to_alice,
                     Clicks& to_bob) {
  to_alice.clear();
  to_bob.clear();
  if (strategy_ == Strategy::Sparse) {
    sample_sparse(random, alice, bob, slots, to_alice, to_bob);
  } else if (dead_time_.matters()) {
    sample_dense<true>(random, alice, bob, slots, to_alice, to_bob);
  } else {
    sample_dense<false>(random, alice, bob, slots, to_alice, to_bob);
  }
  played_ += slots;
}

template <bool kDeadTime>
void Sampler::sample_dense(RandomStream& random, Settings& alice, Settings& bob, std::uint64_t slots, Clicks& to_alice,
                           Clicks& to_bob) {
  constexpr std::size_t kBatch = 2 * RandomStream::kChunkWords;
  std::array<std::uint64_t, kBatch / 2> words{};  // the last batch may not fill it
  std::array<Click, kBatch> of_alice;
  std::array<Click, kBatch> of_bob;
  for (std::uint64_t first = 0; first < slots;) {
    const auto alice_settings = alice.from(first);
    const auto bob_settings = bob.from(first);
    const std::size_t count =
        std::min<std::uint64_t>({kBatch, slots - first, alice_settings.size(), bob_settings.size()});
    random.fill(std::span(words).first((count + 1) / 2));
    const auto draws = std::bit_cast<std::array<std::uint32_t, kBatch>>(words);
    // Every slot writes its click and moves on only if there was one: which detectors click is what a branch predictor
    // cannot know.
    std::size_t alice_count = 0;
    std::size_t bob_count = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t slot = first + i;
      const std::uint32_t word = draws[i];
      unsigned pattern = by_settings_[alice_settings[i] * kMaxSettings + bob_settings[i]].draw(word, random);
      if constexpr (kDeadTime) {
        if (pattern != 0) pattern = dead_time_.admit(static_cast<Pattern>(pattern), played_ + slot);
      }
      const Seen seen = kSeen[(word & 3) * kPatterns + pattern];
      of_alice[alice_count] = Click(slot, seen.alice_bit);
      of_bob[bob_count] = Click(slot, seen.bob_bit);
      alice_count += seen.alice ? 1 : 0;
      bob_count += seen.bob ? 1 : 0;
    }
    to_alice.insert(to_alice.end(), of_alice.begin(), of_alice.begin() + static_cast<std::ptrdiff_t>(alice_count));
    to_bob.insert(to_bob.end(), of_bob.begin(), of_bob.begin() + static_cast<std::ptrdiff_t>(bob_count));
    first += count;
  }
}

void Sampler::sample_sparse(RandomStream& random, Settings& alice, Settings& bob, std::uint64_t slots, Clicks& to_alice,
                            Clicks& to_bob) {
  if (candidate_ <= 0) return;
  const double per_log = 1 / std::log1p(-candidate_);
  for (std::uint64_t slot = 0; slot < slots; ++slot) {
    const double gap = std::floor(std::log(1 - random.uniform()) * per_log);
    if (gap >= static_cast<double>(slots - slot)) return;
    slot += static_cast<std::uint64_t>(gap);
    const std::uint64_t word = random.next();
    unsigned pattern = common_.draw(static_cast<std::uint32_t>(word >> 32), random);
    if (pattern == 0) {
      const AliasTable& table = by_settings_[alice.at(slot) * kMaxSettings + bob.at(slot)];
      pattern = table.draw(static_cast<std::uint32_t>(random.next() >> 32), random);
    }
    pattern = dead_time_.admit(static_cast<Pattern>(pattern), played_ + slot);
    const Seen seen = kSeen[(word & 3) * kPatterns + pattern];
    if (seen.alice) to_alice.emplace_back(slot, seen.alice_bit);
    if (seen.bob) to_bob.emplace_back(slot, seen.bob_bit);
  }
}

}  // namespace qsp::e91::link

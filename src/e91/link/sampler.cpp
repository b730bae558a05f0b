#include "e91/link/sampler.hpp"

#include <algorithm>
#include <cmath>

namespace qsp::e91 {

namespace {

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
  constexpr std::size_t kBatch = 512;
  std::array<std::uint64_t, kBatch> words;
  std::array<std::uint16_t, kBatch> pairs;
  std::array<Click, kBatch> of_alice;
  std::array<Click, kBatch> of_bob;
  for (std::uint64_t first = 0; first < slots; first += kBatch) {
    const std::size_t count = std::min<std::uint64_t>(kBatch, slots - first);
    random.fill(std::span(words).first(count));
    for (std::size_t i = 0; i < count; ++i) {
      pairs[i] = static_cast<std::uint16_t>(alice.at(first + i) * kMaxSettings + bob.at(first + i));
    }
    // Every slot writes its click and moves on only if there was one: which detectors click is what a branch predictor
    // cannot know.
    std::size_t alice_count = 0;
    std::size_t bob_count = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t slot = first + i;
      unsigned pattern = by_settings_[pairs[i]].draw(words[i]);
      if constexpr (kDeadTime) {
        if (pattern != 0) pattern = dead_time_.admit(static_cast<Pattern>(pattern), played_ + slot);
      }
      of_alice[alice_count] = Click(slot, bit_of(pattern & 3, words[i]));
      of_bob[bob_count] = Click(slot, bit_of(pattern >> 2, words[i] >> 1));
      alice_count += (pattern & 3) != 0 ? 1 : 0;
      bob_count += pattern >> 2 != 0 ? 1 : 0;
    }
    to_alice.insert(to_alice.end(), of_alice.begin(), of_alice.begin() + static_cast<std::ptrdiff_t>(alice_count));
    to_bob.insert(to_bob.end(), of_bob.begin(), of_bob.begin() + static_cast<std::ptrdiff_t>(bob_count));
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
    unsigned pattern = common_.draw(word);
    if (pattern == 0) {
      pattern = by_settings_[alice.at(slot) * kMaxSettings + bob.at(slot)].draw(random.next());
    }
    pattern = dead_time_.admit(static_cast<Pattern>(pattern), played_ + slot);
    if ((pattern & 3) != 0) to_alice.emplace_back(slot, bit_of(pattern & 3, word));
    if (pattern >> 2 != 0) to_bob.emplace_back(slot, bit_of(pattern >> 2, word >> 1));
  }
}

}  // namespace qsp::e91

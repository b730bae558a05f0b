#include "e91/link/sampler.hpp"

#include "play.hpp"

namespace qsp::e91::link {
namespace {

class SamplerTest : public testing::Test {
 protected:
  /// The patterns that a sampler makes of `tables` with fixed settings of both sides: one bit more for a coin of a
  /// double click is counted with the bit that it gave.
  void play(const ClickTables& tables, const Stations& stations, Strategy strategy, std::uint64_t slots) {
    const Weights evenly{16384, 16384, 16384, 16384};
    auto alice = Settings::create(*provider_, seed_of(1), evenly).value();
    auto bob = Settings::create(*provider_, seed_of(2), evenly).value();
    auto random = RandomStream::create(*provider_, seed_of(3)).value();
    Sampler sampler(tables, stations, strategy);
    sampler.sample(random, alice, bob, slots, to_alice_, to_bob_);
  }

  std::unique_ptr<crypto::Provider> provider_ = crypto::make_openssl_provider().value();
  Clicks to_alice_;
  Clicks to_bob_;
};

/// Probabilities that differ for all patterns and settings.
ClickTables uneven_tables(double clicks) {
  ClickTables tables{.alice = 4, .bob = 4};
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      Patterns& patterns = tables.patterns.at(i).at(j);
      double sum = 0;
      for (std::size_t k = 1; k < kPatterns; ++k) {
        patterns.at(k) = clicks / 20 * (1 + 0.3 * std::sin(static_cast<double>(7 * k + 3 * i + 5 * j)));
        sum += patterns.at(k);
      }
      patterns[0] = 1 - sum;
    }
  }
  return tables;
}

/// How often each pair of bits of a coincidence (Alice's + 2 · Bob's), and each bit of a click on one side only (4 +
/// bit for Alice, 6 + bit for Bob), is to come.
std::array<double, 8> outcomes(const Patterns& patterns) {
  std::array<double, 8> result{};
  const auto share = [](std::size_t pattern, std::size_t bit) {
    return pattern == 3 ? 0.5 : pattern == bit + 1 ? 1.0 : 0.0;
  };
  for (std::size_t k = 1; k < kPatterns; ++k) {
    const std::size_t alice = k & 3;
    const std::size_t bob = k >> 2;
    for (std::size_t i = 0; i < 2; ++i) {
      if (bob == 0) result.at(4 + i) += patterns.at(k) * share(alice, i);
      if (alice == 0) result.at(6 + i) += patterns.at(k) * share(bob, i);
      for (std::size_t j = 0; j < 2; ++j) {
        if (alice != 0 && bob != 0) result.at(i + 2 * j) += patterns.at(k) * share(alice, i) * share(bob, j);
      }
    }
  }
  return result;
}

TEST_F(SamplerTest, draws_what_the_tables_say_dense_and_sparse) {
  constexpr std::uint64_t kSlots = 4'000'000;
  for (const double clicks : {0.9, 0.1}) {
    for (const Strategy strategy : {Strategy::Dense, Strategy::Sparse}) {
      const ClickTables tables = uneven_tables(clicks);
      play(tables, {}, strategy, kSlots);
      std::array<std::array<std::array<std::uint64_t, 9>, 4>, 4> seen{};
      auto alice = Settings::create(*provider_, seed_of(1), {16384, 16384, 16384, 16384}).value();
      auto bob = Settings::create(*provider_, seed_of(2), {16384, 16384, 16384, 16384}).value();
      std::size_t i = 0;
      std::size_t j = 0;
      for (std::uint64_t slot = 0; slot < kSlots; ++slot) {
        const bool a = i < to_alice_.size() && to_alice_[i].slot() == slot;
        const bool b = j < to_bob_.size() && to_bob_[j].slot() == slot;
        const std::size_t bit_a = a && to_alice_[i].bit() ? 1 : 0;
        const std::size_t bit_b = b && to_bob_[j].bit() ? 1 : 0;
        const std::size_t outcome = a && b ? bit_a + 2 * bit_b : a ? 4 + bit_a : b ? 6 + bit_b : 8;
        ++seen.at(alice.at(slot)).at(bob.at(slot)).at(outcome);
        i += a ? 1 : 0;
        j += b ? 1 : 0;
      }
      ASSERT_EQ(i, to_alice_.size());
      ASSERT_EQ(j, to_bob_.size());
      for (std::size_t s = 0; s < 16; ++s) {
        const auto& counts = seen.at(s / 4).at(s % 4);
        double slots = 0;
        for (const std::uint64_t count : counts) slots += static_cast<double>(count);
        const auto right = outcomes(tables.patterns.at(s / 4).at(s % 4));
        for (std::size_t k = 0; k < right.size(); ++k) {
          const double p = right.at(k);
          EXPECT_NEAR(static_cast<double>(counts.at(k)), slots * p, 4 * std::sqrt(slots * p * (1 - p)))
              << "settings " << s << ", outcome " << k << ", clicks " << clicks;
        }
      }
    }
  }
}

TEST_F(SamplerTest, draws_gaps_of_the_right_length_where_clicks_are_rare) {
  // Where nothing depends on the settings, gaps alone decide: their mean is the test.
  ClickTables tables{.alice = 4, .bob = 4};
  for (auto& row : tables.patterns) {
    for (Patterns& patterns : row) patterns = {1 - 2e-6, 1e-6, 0, 0, 1e-6};
  }
  EXPECT_EQ(faster(tables), Strategy::Sparse);
  play(tables, {}, Strategy::Sparse, 10'000'000'000);
  EXPECT_NEAR(static_cast<double>(to_alice_.size()), 1e4, 400);
  EXPECT_NEAR(static_cast<double>(to_bob_.size()), 1e4, 400);
  EXPECT_LT(to_alice_.back().slot(), 10'000'000'000U);
  EXPECT_GT(to_alice_.back().slot(), 9'900'000'000U);
}

TEST_F(SamplerTest, is_silent_in_the_dark) {
  ClickTables tables{.alice = 4, .bob = 4};
  for (auto& row : tables.patterns) {
    for (Patterns& patterns : row) patterns[0] = 1;
  }
  for (const Strategy strategy : {Strategy::Dense, Strategy::Sparse}) {
    play(tables, {}, strategy, 100'000);
    EXPECT_TRUE(to_alice_.empty());
    EXPECT_TRUE(to_bob_.empty());
  }
}

TEST_F(SamplerTest, lets_a_detector_click_once_in_its_dead_time) {
  constexpr std::uint64_t kSlots = 700'000;
  ClickTables tables{.alice = 4, .bob = 4};
  for (auto& row : tables.patterns) {
    for (Patterns& patterns : row) patterns[15] = 1;
  }
  Stations stations;
  stations.alice.dead_slots = 7;
  play(tables, stations, Strategy::Dense, kSlots);
  ASSERT_EQ(to_alice_.size(), kSlots / 7);
  EXPECT_EQ(to_bob_.size(), kSlots);
  for (std::size_t i = 0; i < to_alice_.size(); ++i) ASSERT_EQ(to_alice_[i].slot(), 7 * i);
}

TEST_F(SamplerTest, loses_to_dead_time_what_the_formula_says) {
  constexpr double kSlots = 4'000'000;
  ClickTables tables{.alice = 4, .bob = 4};
  for (auto& row : tables.patterns) {
    for (Patterns& patterns : row) patterns = {0.8, 0.2};
  }
  Stations stations;
  stations.alice.dead_slots = 11;
  for (const Strategy strategy : {Strategy::Dense, Strategy::Sparse}) {
    play(tables, stations, strategy, static_cast<std::uint64_t>(kSlots));
    const double rate = 0.2 / (1 + 0.2 * 10);
    EXPECT_NEAR(static_cast<double>(to_alice_.size()), kSlots * rate, 4 * std::sqrt(kSlots * rate));
    for (std::size_t i = 1; i < to_alice_.size(); ++i) ASSERT_GE(to_alice_[i].slot() - to_alice_[i - 1].slot(), 11U);
  }
}

TEST_F(SamplerTest, makes_a_double_click_a_random_bit) {
  ClickTables tables{.alice = 4, .bob = 4};
  for (auto& row : tables.patterns) {
    for (Patterns& patterns : row) patterns[15] = 1;
  }
  constexpr double kSlots = 1'000'000;
  play(tables, {}, Strategy::Dense, static_cast<std::uint64_t>(kSlots));
  double alice_ones = 0;
  double equal = 0;
  for (std::size_t i = 0; i < to_alice_.size(); ++i) {
    alice_ones += to_alice_[i].bit() ? 1 : 0;
    equal += to_alice_[i].bit() == to_bob_[i].bit() ? 1 : 0;
  }
  EXPECT_NEAR(alice_ones, kSlots / 2, 2 * std::sqrt(kSlots));
  EXPECT_NEAR(equal, kSlots / 2, 2 * std::sqrt(kSlots));
}

TEST(AliasTable, draws_as_often_as_the_weights_say) {
  auto provider = crypto::make_openssl_provider().value();
  auto random = RandomStream::create(*provider, seed_of(5)).value();
  Patterns weights{};
  double sum = 0;
  for (std::size_t k = 0; k < kPatterns; ++k) sum += weights.at(k) = k == 6 ? 0 : std::pow(1.9, static_cast<double>(k));
  const AliasTable table(weights);
  constexpr double kDraws = 4'000'000;
  std::array<std::uint64_t, kPatterns> seen{};
  for (double i = 0; i < kDraws; ++i) ++seen.at(table.draw(static_cast<std::uint32_t>(random.next() >> 32), random));
  for (std::size_t k = 0; k < kPatterns; ++k) {
    const double p = weights.at(k) / sum;
    EXPECT_NEAR(static_cast<double>(seen.at(k)), kDraws * p, 4 * std::sqrt(kDraws * p)) << k;
  }
}

TEST(AliasTable, is_as_fine_as_though_it_had_drawn_all_bits_at_once) {
  auto provider = crypto::make_openssl_provider().value();
  auto random = RandomStream::create(*provider, seed_of(6)).value();
  // Outcome 0 has a quarter of a coarse step more than `kStep` steps of its column; a word with that height is decided
  // by what comes after it, one of a step less or more is not.
  constexpr std::uint32_t kStep = 1000;
  const double own = (kStep + 0.25) * 0x1p-26 / kPatterns;
  Patterns weights{};
  weights[0] = own;
  weights[5] = 1 - own;
  const AliasTable table(weights);
  constexpr int kDraws = 100'000;
  int zeros = 0;
  for (int i = 0; i < kDraws; ++i) {
    zeros += table.draw(kStep << 2, random) == 0 ? 1 : 0;
    ASSERT_EQ(table.draw((kStep - 1) << 2, random), 0);
    ASSERT_EQ(table.draw((kStep + 1) << 2, random), 5);
  }
  EXPECT_NEAR(zeros, kDraws / 4, 4 * std::sqrt(kDraws * 3 / 16));
}

}  // namespace
}  // namespace qsp::e91::link

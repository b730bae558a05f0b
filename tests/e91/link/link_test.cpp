#include "play.hpp"

namespace qsp::e91::link {
namespace {

constexpr double kTsirelson = 2 * std::numbers::sqrt2;

TEST(Link, of_ideal_pairs_shows_the_bound_of_tsirelson) {
  for (const Mode mode : {Mode::Classic, Mode::Biased}) {
    const auto eve = no_eve();
    Player player(ideal(mode), *eve);
    const Tally tally = player.play(2'000'000);
    const Chsh seen = chsh(tally, mode);
    EXPECT_NEAR(seen.s, -kTsirelson, 4 * seen.sigma);
    EXPECT_EQ(tally.by_settings[1][mode == Mode::Classic ? 0 : 1].equal, 0U);
    EXPECT_EQ(tally.by_settings[mode == Mode::Classic ? 2 : 0][mode == Mode::Classic ? 1 : 0].equal, 0U);
    EXPECT_NEAR(expected(ideal(mode), *eve).s, -kTsirelson, 1e-12);
  }
}

TEST(Link, of_visibility_v_has_its_share_of_s_and_of_errors) {
  const auto eve = no_eve();
  for (const double visibility : {0.98, 0.9, 0.7, 0.3}) {
    LinkConfig config = ideal();
    config.visibility = visibility;
    const Expected right = expected(config, *eve);
    EXPECT_NEAR(right.s, -kTsirelson * visibility, 1e-12);
    EXPECT_NEAR(right.qber, (1 - visibility) / 2, 1e-12);
    const Tally tally = Player(config, *eve).play(1'000'000);
    const Chsh seen = chsh(tally, config.mode);
    EXPECT_NEAR(seen.s, -kTsirelson * visibility, 4 * seen.sigma);
    EXPECT_LE(-seen.s, kTsirelson + 4 * seen.sigma);
    const Counts& key = tally.by_settings[1][0];
    const double qber = static_cast<double>(key.equal) / static_cast<double>(key.both);
    EXPECT_NEAR(qber, right.qber, 4 * std::sqrt(right.qber * (1 - right.qber) / static_cast<double>(key.both)));
  }
}

TEST(Link, with_an_error_of_the_bits_shows_it_in_every_basis) {
  LinkConfig config = ideal(Mode::Biased);
  config.intrinsic_error = 0.04;
  const Expected right = expected(config, *no_eve());
  EXPECT_NEAR(right.qber, 0.04, 1e-12);
  EXPECT_NEAR(right.phase_error, 0.04, 1e-12);
  EXPECT_NEAR(right.s, -kTsirelson * 0.92, 1e-12);
}

TEST(Link, that_is_misaligned_errs_by_the_half_angle) {
  LinkConfig config = ideal(Mode::Biased);
  config.misalignment_rad = 0.3;
  EXPECT_NEAR(expected(config, *no_eve()).qber, std::pow(std::sin(0.15), 2), 1e-12);
  EXPECT_NEAR(expected(config, *no_eve()).s, -kTsirelson * std::cos(0.3), 1e-12);
}

/// Everything that is counted, against everything that is worked out, over links of all kinds.
TEST(Link, shows_what_is_expected_on_a_grid) {
  const auto eve = no_eve();
  std::uint8_t seed = 1;
  for (const Mode mode : {Mode::Classic, Mode::Biased}) {
    for (const PairStatistics statistics : {PairStatistics::Single, PairStatistics::Spdc}) {
      for (const double mean : {0.8, 0.05}) {
        for (const double dark : {0.0, 2e6}) {
          LinkConfig config{.mode = mode, .p_z = 0.6, .statistics = statistics, .mean_pairs = mean, .visibility = 0.95};
          config.intrinsic_error = 0.01;
          config.misalignment_rad = 0.1;
          config.alice = {.fibre_km = 5, .detector_efficiency = 0.9, .dark_counts_per_s = dark};
          config.bob = {.fibre_km = 10, .extra_loss_db = 1, .detector_efficiency = 0.8, .dark_counts_per_s = dark / 2};
          const Expected right = expected(config, *eve);
          ++seed;
          const Tally tally = Player(config, *eve, seed).play(1'000'000, true, seed);
          for (std::size_t i = 0; i < angles(mode, Side::Alice).size(); ++i) {
            for (std::size_t j = 0; j < angles(mode, Side::Bob).size(); ++j) {
              const Counts& seen = tally.by_settings.at(i).at(j);
              const SettingsExpected& one = right.settings.at(i).at(j);
              const auto slots = static_cast<double>(seen.slots);
              EXPECT_NEAR(static_cast<double>(seen.both), slots * one.gain,
                          4 * std::sqrt(slots * one.gain * (1 - one.gain)));
              EXPECT_NEAR(static_cast<double>(seen.equal), slots * one.equal,
                          4 * std::sqrt(slots * one.equal * (1 - one.equal)));
              EXPECT_NEAR(static_cast<double>(seen.alice_ones), static_cast<double>(seen.alice) / 2,
                          2 * std::sqrt(static_cast<double>(seen.alice)));
              EXPECT_NEAR(static_cast<double>(seen.bob_ones), static_cast<double>(seen.bob) / 2,
                          2 * std::sqrt(static_cast<double>(seen.bob)));
            }
          }
          const Counts sum = tally.total();
          const double seconds = 1e6 / config.slots_per_s;
          const auto near = [](std::uint64_t seen, double mean_count) {
            EXPECT_NEAR(static_cast<double>(seen), mean_count, 4 * std::sqrt(mean_count));
          };
          near(sum.alice, right.alice_singles_per_s * seconds);
          near(sum.bob, right.bob_singles_per_s * seconds);
          near(sum.both, right.coincidences_per_s * seconds);
        }
      }
    }
  }
}

TEST(Link, with_dead_time_loses_the_rates_that_are_expected) {
  LinkConfig config{.mode = Mode::Biased, .p_z = 0.5, .slots_per_s = 1e9, .mean_pairs = 0.02};
  config.alice = {.extra_loss_db = 3, .dead_time_ns = 20};
  config.bob = {.extra_loss_db = 1, .dead_time_ns = 10};
  const Expected right = expected(config, *no_eve());
  constexpr std::uint64_t kSlots = 20'000'000;
  const Counts sum = Player(config, *no_eve()).play(kSlots).total();
  const double seconds = kSlots / config.slots_per_s;
  EXPECT_NEAR(static_cast<double>(sum.alice) / (right.alice_singles_per_s * seconds), 1, 0.01);
  EXPECT_NEAR(static_cast<double>(sum.bob) / (right.bob_singles_per_s * seconds), 1, 0.01);
  // Of 157,000 or so, whose deviation is a quarter of a percent; both are silent together after a coincidence.
  const double more = static_cast<double>(sum.both) / (right.coincidences_per_s * seconds);
  EXPECT_GT(more, 0.98);
  EXPECT_LT(more, right.most_key_pairs_per_s / right.key_pairs_per_s + 0.02);
  EXPECT_LT(right.most_key_pairs_per_s / right.key_pairs_per_s, 1.1);

  config.alice = config.bob = {.dead_time_ns = 1000};
  config.mean_pairs = 1;
  const Counts capped = Player(config, *no_eve()).play(kSlots).total();
  EXPECT_LE(static_cast<double>(capped.alice), seconds * 1e6 + 1) << "at most once in 1 µs, whichever detector";
  EXPECT_GE(static_cast<double>(capped.alice), 0.95 * seconds * 1e6);
}

TEST(Link, gives_the_same_clicks_for_the_same_seed_only) {
  LinkConfig config{.mean_pairs = 0.5};
  Player one(config, *no_eve(), 1);
  Player same(config, *no_eve(), 1);
  Player other(config, *no_eve(), 2);
  one.play(100'000);
  same.play(100'000);
  other.play(100'000);
  EXPECT_FALSE(one.to_alice.empty());
  EXPECT_EQ(one.to_alice, same.to_alice);
  EXPECT_EQ(one.to_bob, same.to_bob);
  EXPECT_NE(one.to_alice, other.to_alice);
  const Clicks first = one.to_alice;
  one.play(100'000);
  EXPECT_NE(one.to_alice, first) << "the next block is another";
}

TEST(Link, refuses_numbers_out_of_range) {
  auto provider = crypto::make_openssl_provider().value();
  const auto error_of = [&](const auto& change) {
    LinkConfig config;
    change(config);
    const auto eve = no_eve();
    const auto link = Link::create(*provider, config, *eve);
    return link ? std::string() : std::string(link.error().where);
  };
  EXPECT_EQ(error_of([](LinkConfig&) {}), "");
  EXPECT_EQ(error_of([](LinkConfig& c) { c.mean_pairs = 1.1; }), "mean_pairs is from 0 to 1 (pairs per slot)");
  EXPECT_EQ(error_of([](LinkConfig& c) { c.visibility = std::nan(""); }), "visibility is from 0 to 1");
  EXPECT_EQ(error_of([](LinkConfig& c) { c.bob.fibre_km = -1; }), "bob's fibre_km is from 0 to 100000");
  EXPECT_EQ(error_of([](LinkConfig& c) { c.alice.detector_efficiency = 2; }),
            "alice's detector_efficiency is from 0 to 1");
  EXPECT_EQ(error_of([](LinkConfig& c) { c.p_z = 1; }), "p_z is from 0.01 to 0.99");
  EXPECT_EQ(error_of([](LinkConfig& c) { c.slots_per_s = 0; }), "slots_per_s is from 1 to 1e12");
}

TEST(Link, refuses_a_block_that_would_fill_the_memory) {
  auto provider = crypto::make_openssl_provider().value();
  const auto eve = no_eve();
  auto link = Link::create(*provider, ideal(), *eve, seed_of(1)).value();
  auto alice = Settings::create(*provider, seed_of(2), weights(Mode::Classic, Side::Alice, 0)).value();
  auto bob = Settings::create(*provider, seed_of(3), weights(Mode::Classic, Side::Bob, 0)).value();
  Clicks to_alice;
  Clicks to_bob;
  EXPECT_EQ(link.emit(alice, bob, std::uint64_t{1} << 40, to_alice, to_bob).error().kind, ErrorKind::ApiMisuse);
  EXPECT_TRUE(link.emit(alice, bob, 1000, to_alice, to_bob).has_value());
  EXPECT_EQ(to_alice.size(), 1000U);
}

}  // namespace
}  // namespace qsp::e91::link

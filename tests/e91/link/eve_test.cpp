#include "e91/link/eve.hpp"

#include "play.hpp"

namespace qsp::e91::link {
namespace {

constexpr double kSqrt2 = std::numbers::sqrt2;

std::unique_ptr<Eve> eve_of(std::string_view text) { return parse_eve(text).value(); }

Expected expected_of(std::string_view text, Mode mode) { return expected(ideal(mode), *eve_of(text)); }

TEST(InterceptResend, leaves_s_at_root_two_whatever_the_angle) {
  for (const std::string_view text :
       {"intercept:1", "intercept:1,angle=67.5", "intercept:1,angle=45,arm=alice", "intercept:1,angle=-110,arm=bob"}) {
    for (const Mode mode : {Mode::Classic, Mode::Biased}) {
      EXPECT_NEAR(expected_of(text, mode).s, -kSqrt2, 1e-12) << text;
    }
  }
}

TEST(InterceptResend, of_a_fraction_lowers_s_in_proportion) {
  for (const double f : {0.0, 0.25, 0.5, 0.586, 0.9}) {
    const auto eve = eve_of("intercept:" + std::to_string(f) + ",angle=67.5");
    EXPECT_NEAR(expected(ideal(), *eve).s, -kSqrt2 * (2 - f), 1e-12);
    Player player(ideal(), *eve, 7);
    const Chsh seen = chsh(player.play(1'000'000), Mode::Classic);
    EXPECT_NEAR(seen.s, -kSqrt2 * (2 - f), 4 * seen.sigma);
  }
}

TEST(InterceptResend, shows_the_errors_of_its_angle) {
  // The settings of Classic are as likely to a part in 65536. Midway between Ekert's two key angles, at one of them, at
  // neither nor between; and of two bases at right angles.
  EXPECT_NEAR(expected_of("intercept:1,angle=67.5", Mode::Classic).qber, 0.0732, 5e-5);
  EXPECT_NEAR(expected_of("intercept:1,angle=45", Mode::Classic).qber, 0.125, 1e-5);
  EXPECT_NEAR(expected_of("intercept:1,angle=90", Mode::Classic).qber, 0.125, 1e-5);
  EXPECT_NEAR(expected_of("intercept:1,angle=0", Mode::Classic).qber, 0.375, 1e-5);
  const Expected diagonal = expected_of("intercept:1,angle=45", Mode::Biased);
  EXPECT_NEAR(diagonal.qber, 0.25, 1e-12);
  EXPECT_NEAR(diagonal.phase_error, 0.25, 1e-12);
  const Expected at_z = expected_of("intercept:1,angle=0", Mode::Biased);
  EXPECT_NEAR(at_z.qber, 0, 1e-12);
  EXPECT_NEAR(at_z.phase_error, 0.5, 1e-12);
}

TEST(InterceptResend, is_seen_in_sampled_errors_too) {
  Player player(ideal(), *eve_of("intercept:1,angle=67.5"), 3);
  const Tally tally = player.play(2'000'000);
  const auto both = static_cast<double>(tally.by_settings[1][0].both + tally.by_settings[2][1].both);
  const auto wrong = static_cast<double>(tally.by_settings[1][0].equal + tally.by_settings[2][1].equal);
  EXPECT_NEAR(wrong / both, 0.0732, 4 * std::sqrt(0.0732 / both) + 5e-5);
}

TEST(InterceptResend, on_both_arms_is_worse_than_on_one) {
  const double one = expected_of("intercept:0.5,angle=45", Mode::Biased).qber;
  const double both = expected_of("intercept:0.5,angle=45,arm=both", Mode::Biased).qber;
  EXPECT_NEAR(one, 0.125, 1e-12);
  EXPECT_NEAR(both, (1 - 0.25 - 0.75 * 0.5) / 2, 1e-12) << "a quarter of the pairs is left alone";
}

TEST(InterceptResend, of_pulses_of_many_pairs_measures_them_all) {
  LinkConfig config{.mode = Mode::Classic, .mean_pairs = 0.6};
  const Expected free = expected(config, *no_eve());
  const Expected caught = expected(config, *eve_of("intercept:1,angle=67.5"));
  EXPECT_GT(caught.qber, free.qber);
  EXPECT_LT(-caught.s, kSqrt2);
  EXPECT_NEAR(caught.alice_singles_per_s, free.alice_singles_per_s, 1e-6 * free.alice_singles_per_s);
}

TEST(EntanglingProbe, takes_as_much_from_s_as_its_states_differ) {
  for (const double s : {0.0, 0.2, 0.7, 1.0}) {
    const Expected seen = expected_of("probe:" + std::to_string(s) + ",angle=0", Mode::Biased);
    EXPECT_NEAR(seen.s, -kSqrt2 * (2 - s), 1e-12);
    EXPECT_NEAR(seen.qber, 0, 1e-12);
    EXPECT_NEAR(seen.phase_error, s / 2, 1e-12);
  }
}

TEST(ReplacedSource, of_separable_or_werner_pairs_shows_in_s_only) {
  const Expected separable = expected_of("source:separable", Mode::Biased);
  EXPECT_NEAR(separable.s, -kSqrt2, 1e-12);
  EXPECT_NEAR(separable.qber, 0, 1e-12);
  EXPECT_NEAR(separable.phase_error, 0.5, 1e-12);
  EXPECT_NEAR(expected_of("source:werner=0.8", Mode::Classic).s, -2 * kSqrt2 * 0.8, 1e-12);
  Player player(ideal(), *eve_of("source:separable"), 5);
  const Chsh seen = chsh(player.play(500'000), Mode::Classic);
  EXPECT_NEAR(seen.s, -kSqrt2, 4 * seen.sigma);
}

/// What nothing here can detect: S and the errors are perfect, no settings are favoured, nothing signals. The rates are
/// what is left of the honest ones.
TEST(Blinding, shows_nothing_but_rates_that_fall) {
  for (const Mode mode : {Mode::Classic, Mode::Biased}) {
    LinkConfig config = ideal(mode);
    config.visibility = 0.9;
    const auto eve = blinding();
    const Expected honest = expected(config, *no_eve());
    const Expected right = expected(config, *eve);
    EXPECT_NEAR(right.s, -2 * kSqrt2, 1e-12);
    EXPECT_NEAR(right.qber, 0, 1e-12);
    EXPECT_NEAR(right.phase_error, 0, 1e-12);
    const auto pairs = static_cast<double>(angles(mode, Side::Alice).size() * angles(mode, Side::Bob).size());
    EXPECT_NEAR(right.coincidences_per_s, honest.coincidences_per_s / pairs, 1e-3);
    EXPECT_NEAR(right.key_pairs_per_s, honest.key_pairs_per_s / pairs, 1e-3);
    EXPECT_NEAR(right.alice_singles_per_s,
                honest.coincidences_per_s / static_cast<double>(angles(mode, Side::Alice).size()), 1e-3);
    EXPECT_NEAR(right.bob_singles_per_s,
                honest.coincidences_per_s / static_cast<double>(angles(mode, Side::Bob).size()), 1e-3);

    Player player(config, *eve, 11);
    const Tally tally = player.play(4'000'000);
    const Chsh seen = chsh(tally, mode);
    EXPECT_NEAR(seen.s, -2 * kSqrt2, 4 * seen.sigma);
    EXPECT_EQ(tally.by_settings[1][mode == Mode::Classic ? 0 : 1].equal, 0U);
  }
}

TEST(Eve, never_makes_one_side_see_the_others_setting) {
  for (const std::string_view text : {"none", "intercept:0.6,angle=20,arm=both", "intercept:1,angle=100,arm=alice",
                                      "probe:0.7,angle=30", "source:separable", "source:werner=0.3", "blinding"}) {
    for (const PairStatistics statistics : {PairStatistics::Single, PairStatistics::Spdc}) {
      LinkConfig config{.statistics = statistics, .mean_pairs = 0.7, .visibility = 0.9, .misalignment_rad = 0.2};
      config.alice = {.extra_loss_db = 1, .dark_counts_per_s = 1e5};
      config.bob = {.extra_loss_db = 2};
      const ClickTables tables = eve_of(text)->attack(light_of(config), stations_of(config));
      const auto marginal = [&tables](std::size_t i, std::size_t j, std::size_t pattern, bool of_bob) {
        double sum = 0;
        for (std::size_t k = 0; k < 4; ++k) {
          sum += tables.patterns.at(i).at(j).at(of_bob ? k + 4 * pattern : pattern + 4 * k);
        }
        return sum;
      };
      for (std::size_t i = 0; i < tables.alice; ++i) {
        for (std::size_t j = 0; j < tables.bob; ++j) {
          double all = 0;
          for (const double p : tables.patterns.at(i).at(j)) all += p;
          EXPECT_NEAR(all, 1, 1e-12) << text;
          for (std::size_t pattern = 0; pattern < 4; ++pattern) {
            EXPECT_NEAR(marginal(i, j, pattern, false), marginal(i, 0, pattern, false), 1e-12) << text;
            EXPECT_NEAR(marginal(i, j, pattern, true), marginal(0, j, pattern, true), 1e-12) << text;
          }
        }
      }
    }
  }
}

TEST(Eve, of_any_kind_stays_within_the_bound_of_tsirelson) {
  for (int i = 0; i <= 20; ++i) {
    const std::string f = std::to_string(i / 20.0);
    for (const std::string& text :
         {"intercept:" + f + ",angle=" + std::to_string(9 * i), "probe:" + f, "source:werner=" + f}) {
      EXPECT_LE(std::abs(expected_of(text, Mode::Classic).s), 2 * kSqrt2 + 1e-12) << text;
    }
  }
}

TEST(ParseEve, keeps_the_text_as_name) {
  for (const std::string_view text : {"none", "blinding", "source:separable", "source:werner=0.8", "intercept:0.1",
                                      "intercept:1,angle=67.5,arm=both", "probe:0.3"}) {
    EXPECT_EQ(eve_of(text)->name(), text);
  }
}

TEST(ParseEve, knows_each_kind_of_attack_and_whether_a_number_is_its_amount) {
  for (const auto& [text, kind, amount] : std::initializer_list<std::tuple<std::string_view, Attack, bool>>{
           {"none", Attack::None, false},
           {"intercept:0.5,arm=alice", Attack::Intercept, true},
           {"probe:0.3", Attack::Probe, true},
           {"source:separable", Attack::SeparableSource, false},
           {"source:werner=0.8", Attack::WernerSource, true},
           {"blinding", Attack::Blinding, false}}) {
    EXPECT_EQ(eve_of(text)->kind(), kind) << text;
    EXPECT_EQ(has_amount(kind), amount) << text;
  }
}

TEST(ParseEve, says_what_is_wrong) {
  const auto error = [](std::string_view text) { return parse_eve(text).error(); };
  EXPECT_EQ(error("intercept:1.5"), "eve \"intercept:1.5\": the fraction after the colon is a number from 0 to 1");
  EXPECT_EQ(error("probe:"), "eve \"probe:\": the strength after the colon is a number from 0 to 1");
  EXPECT_EQ(error("probe:nan"), "eve \"probe:nan\": the strength after the colon is a number from 0 to 1");
  EXPECT_EQ(error("intercept:1,angle=x"),
            "eve \"intercept:1,angle=x\": angle is a Bloch angle in degrees, from -360 to 360");
  EXPECT_EQ(error("intercept:1,arm=carol"),
            "eve \"intercept:1,arm=carol\": the options are angle=DEGREES and arm=alice, arm=bob or arm=both");
  EXPECT_EQ(error("source:werner=2"), "eve \"source:werner=2\": the visibility is a number from 0 to 1");
  EXPECT_TRUE(error("mallory").starts_with("eve \"mallory\": is one of none, intercept:FRACTION"));
  EXPECT_LT(error(std::string(100'000, 'x')).size(), 400U);
}

}  // namespace
}  // namespace qsp::e91::link

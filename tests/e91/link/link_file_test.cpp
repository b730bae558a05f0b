#include "e91/link/link_file.hpp"

#include "files/temp_folder.hpp"
#include "play.hpp"

namespace qsp::e91::link {
namespace {

std::string file_of(std::string_view text) {
  static const qsp::test::TempFolder folder;
  return folder.with("link.toml", text);
}

std::string error_of(std::string_view text) {
  const std::string file = file_of(text);
  const auto link = load_link_file(file);
  if (link) return "";
  return link.error().substr(link.error().find(file) == 0 ? file.size() : 0);
}

TEST(LinkFile, gives_every_field) {
  const auto link = load_link_file(file_of(R"(
[source]
title = "A"
reference = "B"
qber = 0.02
s = 2.7
distance_km = 12
[pairs]
statistics = "single"
slots_per_s = 1000000
mean_pairs = 0.5
visibility = 0.9
intrinsic_error = 0.01
misalignment_rad = 0.1
[settings]
mode = "classic"
p_z = 0.8
[alice]
fibre_km = 1
loss_db_per_km = 0.3
extra_loss_db = 2
detector_efficiency = 0.4
dark_counts_per_s = 100
dead_time_ns = 20
[bob]
fibre_km = 7
)"));
  ASSERT_TRUE(link.has_value()) << link.error();
  EXPECT_EQ(link->title + link->reference, "AB");
  EXPECT_EQ(link->published.qber, 0.02);
  EXPECT_EQ(link->published.s, 2.7);
  EXPECT_EQ(link->published.distance_km, 12);
  EXPECT_FALSE(link->published.raw_rate_per_s.has_value());
  const LinkConfig& config = link->config;
  EXPECT_EQ(config.statistics, PairStatistics::Single);
  EXPECT_EQ(config.mode, Mode::Classic);
  EXPECT_EQ(config.slots_per_s, 1e6);
  EXPECT_EQ(config.mean_pairs, 0.5);
  EXPECT_EQ(config.visibility, 0.9);
  EXPECT_EQ(config.intrinsic_error, 0.01);
  EXPECT_EQ(config.misalignment_rad, 0.1);
  EXPECT_EQ(config.p_z, 0.8);
  EXPECT_EQ(config.alice.fibre_km, 1);
  EXPECT_EQ(config.alice.loss_db_per_km, 0.3);
  EXPECT_EQ(config.alice.extra_loss_db, 2);
  EXPECT_EQ(config.alice.detector_efficiency, 0.4);
  EXPECT_EQ(config.alice.dark_counts_per_s, 100);
  EXPECT_EQ(config.alice.dead_time_ns, 20);
  EXPECT_EQ(config.bob.fibre_km, 7);
}

TEST(LinkFile, names_the_line_and_field_of_a_mistake) {
  EXPECT_EQ(error_of("[pairs]\nmean_pair = 1"),
            ":2:1: [pairs], field \"mean_pair\": is unknown; did you mean \"mean_pairs\"? (see docs/qkd.md)");
  EXPECT_EQ(error_of("[pairs]\nmean_pairs = \"many\""),
            ":2:14: [pairs], field \"mean_pairs\": takes a number from 0 to 1");
  EXPECT_EQ(error_of("[pairs]\nmean_pairs = nan"), ":2:14: [pairs], field \"mean_pairs\": takes a number from 0 to 1");
  EXPECT_EQ(error_of("[pairs]\nmean_pairs = 7"), ":2:14: [pairs], field \"mean_pairs\": takes a number from 0 to 1");
  EXPECT_EQ(error_of("[settings]\nmode = \"odd\""),
            ":2:8: [settings], field \"mode\": takes \"biased\" or \"classic\"");
  EXPECT_EQ(error_of("alice = 3"), ":1:9: a link, field \"alice\": is a table; write [alice]");
  EXPECT_EQ(error_of("[carol]"), ":1:2: a link, field \"carol\": is unknown (see docs/qkd.md)");
  EXPECT_NE(error_of("[pairs"), "");
  EXPECT_FALSE(load_link_file("/is_not_there.toml").has_value());
}

class PublishedRun : public testing::TestWithParam<std::string> {
 protected:
  LinkFile link_ = load_link_file(QSP_LINKS "/" + GetParam() + ".toml").value();
  std::unique_ptr<Eve> eve_ = no_eve();
  Expected expected_ = expected(link_.config, *eve_);
};

/// A QBER within half a percent point and rates within a fifth of what was published.
TEST_P(PublishedRun, is_expected) {
  const Published& published = link_.published;
  ASSERT_TRUE(published.qber || published.visibility);
  ASSERT_TRUE(published.raw_rate_per_s || published.sifted_rate_per_s);
  if (published.qber) {
    EXPECT_NEAR(expected_.qber, *published.qber, 0.005);
  }
  if (published.visibility) {
    EXPECT_NEAR(expected_.qber, (1 - *published.visibility) / 2, 0.005);
  }
  if (published.raw_rate_per_s) {
    EXPECT_NEAR(expected_.coincidences_per_s / *published.raw_rate_per_s, 1, 0.2);
  }
  if (published.sifted_rate_per_s) {
    EXPECT_NEAR(expected_.key_pairs_per_s / *published.sifted_rate_per_s, 1, 0.2);
  }
  RecordProperty("qber", std::to_string(expected_.qber));
  RecordProperty("coincidences_per_s", std::to_string(expected_.coincidences_per_s));
  RecordProperty("key_pairs_per_s", std::to_string(expected_.key_pairs_per_s));
}

TEST_P(PublishedRun, is_sampled_as_expected) {
  constexpr double kCoincidences = 1000;
  const double seconds = kCoincidences / expected_.coincidences_per_s;
  Player player(link_.config, *eve_);
  const Tally tally = player.play(static_cast<std::uint64_t>(seconds * link_.config.slots_per_s));
  const Counts sum = tally.total();
  EXPECT_NEAR(static_cast<double>(sum.both), kCoincidences, 4 * std::sqrt(kCoincidences));
  const Counts& key = tally.by_settings[0][0];
  const auto pairs = static_cast<double>(key.both);
  EXPECT_NEAR(pairs, expected_.key_pairs_per_s * seconds, 4 * std::sqrt(pairs));
  EXPECT_NEAR(static_cast<double>(key.equal) / pairs, expected_.qber,
              4 * std::sqrt(expected_.qber * (1 - expected_.qber) / pairs));
}

INSTANTIATE_TEST_SUITE_P(All, PublishedRun,
                         testing::Values("erven2008", "schimpf2021", "neumann2022", "yin2020", "wengerowsky2019"),
                         [](const auto& run) { return run.param; });

}  // namespace
}  // namespace qsp::e91::link

#include "e91/link/link_file.hpp"

#include <array>
#include <utility>

#include "base/try.hpp"
#include "config/document.hpp"

namespace qsp::e91::link {

namespace {

using config::Table;
using files::OrText;

constexpr config::FileKind kLinkFile{.most = kMaxLinkFileSize, .trusted = false, .page = "docs/qkd.md"};

void read_source(Table& table, LinkFile& out) {
  constexpr config::TextRule kAnyText{.least = 0, .most = 500};
  table.text("title", out.title, kAnyText);
  table.text("reference", out.reference, kAnyText);
  table.number("distance_km", out.published.distance_km);
  table.number("qber", out.published.qber);
  table.number("visibility", out.published.visibility);
  table.number("s", out.published.s);
  table.number("raw_rate_per_s", out.published.raw_rate_per_s);
  table.number("sifted_rate_per_s", out.published.sifted_rate_per_s);
  table.number("key_rate_per_s", out.published.key_rate_per_s);
}

void read_bounded(Table& table, std::string_view field, double& out, const Bounds& within) {
  table.number(field, out, within.least, within.most);
}

void read_pairs(Table& table, LinkConfig& out) {
  table.choice("statistics", out.statistics, {{"spdc", PairStatistics::Spdc}, {"single", PairStatistics::Single}});
  read_bounded(table, "slots_per_s", out.slots_per_s, bounds::kSlotsPerSecond);
  read_bounded(table, "mean_pairs", out.mean_pairs, bounds::kMeanPairs);
  read_bounded(table, "visibility", out.visibility, bounds::kShare);
  read_bounded(table, "intrinsic_error", out.intrinsic_error, bounds::kShare);
  read_bounded(table, "misalignment_rad", out.misalignment_rad, bounds::kMisalignmentRad);
}

void read_settings(Table& table, LinkConfig& out) {
  table.choice("mode", out.mode, {{"biased", Mode::Biased}, {"classic", Mode::Classic}});
  read_bounded(table, "p_z", out.p_z, bounds::kPz);
}

void read_arm(Table& table, ArmConfig& out) {
  read_bounded(table, "fibre_km", out.fibre_km, bounds::kFibreKm);
  read_bounded(table, "loss_db_per_km", out.loss_db_per_km, bounds::kLossDbPerKm);
  read_bounded(table, "extra_loss_db", out.extra_loss_db, bounds::kExtraLossDb);
  read_bounded(table, "detector_efficiency", out.detector_efficiency, bounds::kShare);
  read_bounded(table, "dark_counts_per_s", out.dark_counts_per_s, bounds::kDarkCountsPerSecond);
  read_bounded(table, "dead_time_ns", out.dead_time_ns, bounds::kDeadTimeNs);
}

}  // namespace

OrText<LinkFile> load_link_file(const std::string& file) {
  QSP_TRY(const config::Document document, config::Document::read(file, kLinkFile));
  Table root = document.root("a link");
  std::array tables{root.table("source"), root.table("pairs"), root.table("settings"), root.table("alice"),
                    root.table("bob")};
  LinkFile link;
  read_source(tables[0], link);
  read_pairs(tables[1], link.config);
  read_settings(tables[2], link.config);
  read_arm(tables[3], link.config.alice);
  read_arm(tables[4], link.config.bob);
  QSP_TRY(root.finish());
  for (const Table& table : tables) {
    QSP_TRY(table.finish());
  }
  return link;
}

}  // namespace qsp::e91::link

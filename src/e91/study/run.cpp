#include "e91/study/run.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <utility>

#include "base/try.hpp"
#include "e91/study/report.hpp"
#include "e91/study/rows.hpp"
#include "e91/study/run_charts.hpp"
#include "text/table.hpp"
#include "text/units.hpp"

namespace qsp::e91::study {
namespace {

using files::OrText;

text::Rows theory_rows(const link::Expected& theory, const Forecast& expected) {
  return {
      {"theory: coincidences", fmt::format("{}/s", rate_text(theory.coincidences_per_s))},
      {"theory: sifted", fmt::format("{} bit/s", rate_text(theory.key_pairs_per_s))},
      {"theory: QBER", fmt::format("{:.2f} %", 100 * theory.qber)},
      {"theory: S", fmt::format("{:.3f}", theory.s)},
      {"theory: ℓ", fmt::format("{} bits, {} bit/s", text::grouped(expected.length), rate_text(expected.rate_per_s))},
      {"theory: without end", fmt::format("{} bit/s", rate_text(expected.endless_rate_per_s))}};
}

}  // namespace

OrText<RunFiles> RunFiles::begin(RunFilesWanted wanted, const post::PostConfig& config) {
  RunFiles files(std::move(wanted));
  if (!files.wanted_.transcript.empty()) {
    QSP_TRY(auto begun, files::Replacement::begin(files.wanted_.transcript, files::kAsUmaskAllows));
    files.transcript_.emplace(std::move(begun));
    files.heard_ = files.transcript_->write(post::transcript_header(config));
    if (!files.heard_) return std::unexpected(files.heard_.error());
  }
  if (!files.wanted_.report.empty()) {
    QSP_TRY(auto begun, files::Replacement::begin(files.wanted_.report, files::kAsUmaskAllows));
    files.report_.emplace(std::move(begun));
  }
  return files;
}

post::Listener RunFiles::listener() {
  if (!transcript_) return {};
  return [this](Side sender, Bytes message) {
    if (heard_) heard_ = transcript_->write(post::transcript_entry(sender, message));
  };
}

OrText<void> RunFiles::draw(Randomness& random, const LinkOptions& options, const Setup& setup, const Run& run,
                            const std::string& command) {
  if (!has_pictures()) return {};
  QSP_TRY(const auto published, published_rates(wanted_.published));
  QSP_TRY(const auto charts, run_charts(random.provider(), options, setup, run.total, published));
  if (!wanted_.plot.empty()) {
    QSP_TRY(write_charts(wanted_.plot, charts));
  }
  if (!report_) return {};
  const std::string page =
      report_page({.setup = setup, .blocks = run.blocks, .total = run.total, .charts = charts, .command = command},
                  !options.seed.empty());
  QSP_TRY(report_->write(as_bytes(page)));
  return report_->commit();
}

OrText<void> RunFiles::finish_transcript() { return transcript_ && heard_ ? transcript_->commit() : heard_; }

OrText<Run> play(local::LocalLink& link, std::uint64_t blocks, const RunFiles& files, const RunProgress& progress) {
  Run run;
  for (std::uint64_t i = 0; i < blocks && progress(i + 1, run.total); ++i) {
    const auto outcome = link.block();
    if (!outcome) return std::unexpected(std::string(outcome.error().where));
    if (const auto& written = files.heard(); !written) return std::unexpected(written.error());
    run.blocks.push_back({.report = outcome->alice,
                          .alice_clicks = outcome->alice_clicks,
                          .seconds = outcome->link_seconds,
                          .keys = outcome->alice_keys.size(),
                          .keys_equal = outcome->keys_equal});
    run.total.add(run.blocks.back());
  }
  return run;
}

boost::json::object json_of(const Setup& setup, const Run& run, bool seeded) {
  const link::Expected theory = link::expected(setup.link.config, *setup.eve);
  const Forecast expected = forecast(setup, *setup.eve);
  boost::json::array blocks;
  for (const BlockResult& block : run.blocks) blocks.push_back(block_json(setup.link.config.mode, block));
  return {{"simulated", true},
          {"seeded", seeded},
          {"link", setup_json(setup)},
          {"expected",
           {{"qber", theory.qber},
            {"s", theory.s},
            {"coincidences_per_s", theory.coincidences_per_s},
            {"sifted_bits_per_s", theory.key_pairs_per_s},
            {"key_bits", expected.length},
            {"secret_bits_per_s", expected.rate_per_s},
            {"endless_secret_bits_per_s", expected.endless_rate_per_s}}},
          {"blocks", std::move(blocks)},
          {"total", total_json(run.total)}};
}

std::string text_of(const Setup& setup, const Run& run, bool seeded) {
  text::Rows rows = total_rows(setup, run.total);
  for (auto& row : theory_rows(link::expected(setup.link.config, *setup.eve), forecast(setup, *setup.eve))) {
    rows.push_back(std::move(row));
  }
  return fmt::format("{}\n{}\n{}\n{}\n", text::columns(link_rows(setup)),
                     text::columns(block_rows(setup.link.config.mode, run.blocks)), text::columns(rows),
                     simulated_notice(seeded));
}

}  // namespace qsp::e91::study

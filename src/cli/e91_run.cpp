#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/e91.hpp"
#include "cli/e91_report.hpp"
#include "cli/e91_rows.hpp"
#include "cli/e91_setup.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/stop_request.hpp"
#include "cli/text.hpp"
#include "e91/post/transcript.hpp"
#include "e91/study/run_charts.hpp"
#include "files/file.hpp"
#include "files/replacement.hpp"
#include "text/progress.hpp"
#include "text/table.hpp"
#include "text/units.hpp"

namespace qsp::cli {
namespace {

using files::OrText;

struct RunOptions {
  e91::study::LinkOptions link;
  std::uint64_t blocks = 3;
  std::string transcript, report, plot;  ///< empty: none
  std::vector<std::string> published;
  std::string command;
};

/// A transcript that grows while its run goes on.
class TranscriptFile {
 public:
  OrText<void> open(const std::string& file, const e91::post::PostConfig& config) {
    auto begun = files::Replacement::begin(file, files::kAsUmaskAllows);
    if (!begun) return std::unexpected(std::move(begun.error()));
    file_.emplace(*std::move(begun));
    written_ = file_->write(e91::post::transcript_header(config));
    return written_;
  }
  [[nodiscard]] e91::post::Listener listener() {
    if (!file_) return {};
    return [this](e91::Side sender, Bytes message) {
      if (written_) written_ = file_->write(e91::post::transcript_entry(sender, message));
    };
  }
  [[nodiscard]] const OrText<void>& check() const noexcept { return written_; }
  /// It has all that there is to it, and takes the place of what had its name.
  OrText<void> finish() { return file_ && written_ ? file_->commit() : written_; }

 private:
  std::optional<files::Replacement> file_;
  OrText<void> written_;
};

struct Run {
  std::vector<e91::study::BlockResult> blocks;
  e91::study::Total total;
};

/// Plays the blocks until they are done or somebody wants an end.
OrText<Run> play(e91::local::LocalLink& link, std::uint64_t blocks, TranscriptFile& transcript,
                 text::Progress& progress) {
  Run run;
  for (std::uint64_t i = 0; i < blocks && !StopRequest::came(); ++i) {
    progress.say(fmt::format("block {} of {}, {} bits of key so far", i + 1, blocks, text::grouped(run.total.length)));
    const auto outcome = link.block();
    if (!outcome) return std::unexpected(std::string(outcome.error().where));
    if (const auto& written = transcript.check(); !written) return std::unexpected(written.error());
    run.blocks.push_back({.report = outcome->alice,
                          .alice_clicks = outcome->alice_clicks,
                          .seconds = outcome->link_seconds,
                          .keys = outcome->alice_keys.size(),
                          .keys_equal = outcome->keys_equal});
    run.total.add(run.blocks.back());
  }
  return run;
}

text::Rows theory_rows(const e91::link::Expected& theory, const e91::study::Forecast& expected) {
  return {
      {"theory: coincidences", fmt::format("{}/s", rate_text(theory.coincidences_per_s))},
      {"theory: sifted", fmt::format("{} bit/s", rate_text(theory.key_pairs_per_s))},
      {"theory: QBER", fmt::format("{:.2f} %", 100 * theory.qber)},
      {"theory: S", fmt::format("{:.3f}", theory.s)},
      {"theory: ℓ", fmt::format("{} bits, {} bit/s", text::grouped(expected.length), rate_text(expected.rate_per_s))},
      {"theory: without end", fmt::format("{} bit/s", rate_text(expected.endless_rate_per_s))}};
}

void print_run(const RunOptions& options, const e91::study::Setup& setup, const Run& run, const e91::link::Eve& eve,
               bool json) {
  const e91::link::Expected theory = e91::link::expected(setup.link.config, eve);
  const e91::study::Forecast expected = forecast(setup, eve);
  const std::string notice = simulated_notice(!options.link.seed.empty());
  if (json) {
    boost::json::array blocks;
    for (const e91::study::BlockResult& block : run.blocks) blocks.push_back(block_json(setup.link.config.mode, block));
    print_json({{"simulated", true},
                {"seeded", !options.link.seed.empty()},
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
                {"total", total_json(run.total)}});
    return;
  }
  print_out("{}\n", text::columns(link_rows(setup)));
  print_out("{}\n", text::columns(block_rows(setup.link.config.mode, run.blocks)));
  text::Rows rows = total_rows(setup, run.total);
  for (auto& row : theory_rows(theory, expected)) rows.push_back(std::move(row));
  print_out("{}", text::columns(rows));
  print_out("\n{}\n", notice);
  flush_out();
}

/// The report and the plots, where they are wanted.
OrText<void> write_pictures(const RunOptions& options, const e91::study::Setup& setup, const Run& run,
                            e91::study::Randomness& random, std::optional<files::Replacement>& report,
                            text::Progress& progress) {
  if (options.report.empty() && options.plot.empty()) return {};
  progress.say("drawing");
  const auto published = e91::study::published_rates(options.published);
  if (!published) return std::unexpected(published.error());
  const auto charts = e91::study::run_charts(random.provider(), options.link, setup, run.total, *published);
  if (!charts) return std::unexpected(charts.error());
  if (!options.plot.empty()) {
    if (auto written = e91::study::write_charts(options.plot, *charts); !written)
      return std::unexpected(written.error());
  }
  if (!report) return {};
  const std::string page = report_page(
      {.setup = setup, .blocks = run.blocks, .total = run.total, .charts = *charts, .command = options.command},
      !options.link.seed.empty());
  if (auto written = report->write(as_bytes(page)); !written) return written;
  return report->commit();
}

int run_e91(const RunOptions& options, bool json) {
  const auto setup = set_up(options.link);
  if (!setup) return failed(setup.error());
  const auto eve = e91::link::parse_eve(setup->eve);
  if (!eve) return failed(eve.error(), kUsage);
  auto random = e91::study::Randomness::create(options.link.seed);
  if (!random) return failed(random.error());
  const e91::local::LocalConfig config = setup->local();
  if (const auto problem = e91::study::block_problem(config)) return failed(describe(*problem, config));
  // What cannot be written is found before the work, not after it.
  TranscriptFile transcript;
  if (!options.transcript.empty()) {
    if (auto opened = transcript.open(options.transcript, config.post); !opened) return failed(opened.error());
  }
  std::optional<files::Replacement> report;
  if (!options.report.empty()) {
    auto begun = files::Replacement::begin(options.report, files::kAsUmaskAllows);
    if (!begun) return failed(begun.error());
    report.emplace(*std::move(begun));
  }
  auto link = e91::local::LocalLink::create(random->provider(), config, **eve, transcript.listener());
  if (!link) return failed(link.error().where);

  text::Progress progress(write_err);
  const StopRequest stop_request;
  const auto run = play(**link, options.blocks, transcript, progress);
  const auto drawn = run ? write_pictures(options, *setup, *run, *random, report, progress) : OrText<void>();
  const auto kept = run ? transcript.finish() : OrText<void>();
  progress.finish();
  if (!run) return failed(run.error());
  print_run(options, *setup, *run, **eve, json);
  if (!drawn) return failed(drawn.error());
  if (!kept) return failed(kept.error());
  if (!run->total.keys_equal) return failed("the keys of the two ends differ, which must never happen");
  if (StopRequest::came())
    print_warning(fmt::format("stopped after {} of {} blocks", run->blocks.size(), options.blocks));
  if (run->total.with_key > 0) return kOk;
  if (run->blocks.empty()) return failed("stopped before the first block was done");
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): a block without a key says why
  return failed(
      fmt::format("no block brought a key; the first: {}", e91::post::describe(*run->blocks.front().report.aborted)));
}

}  // namespace

void add_e91_run(Command& e91, Context& context) {
  Command* const verb = e91.add_subcommand("run", "simulate blocks of a link, distil keys at both ends, compare them");
  const auto options = std::make_shared<RunOptions>();
  add_e91_link_options(*verb, options->link);
  verb->add_option("--blocks", options->blocks, "blocks to simulate")
      ->check(range(1, 1'000'000))
      ->capture_default_str();
  verb->add_option("--transcript", options->transcript, "file for all that is said in public, for qsp e91 audit");
  verb->add_option("--report", options->report, "file for a page with tables and plots, as HTML");
  verb->add_option("--plot", options->plot, "folder for the plots, as SVG");
  verb->add_option("--published", options->published, "link files whose published key rates are plotted too");
  set_help(*verb, {.notes = "Existing files are replaced. SIGINT ends the run after the current block.",
                   .examples = {"qsp e91 run", "qsp e91 run --distance 50 --visibility 0.95 --seed lecture",
                                "qsp e91 run --eve intercept:0.2,angle=45 --report eve.html",
                                "qsp e91 run --mode classic --eve intercept:1,angle=67.5",
                                "qsp e91 run --link examples/links/schimpf2021.toml --block-bits 20000",
                                "qsp e91 run --transcript t.qsp && qsp e91 audit t.qsp"},
                   .done = "there was a key",
                   .failed = "every block was given up, or the run failed: one line on standard error says why"});
  verb->callback([options, verb, &context] {
    context.action = [options, verb, &context] {
      options->command = "qsp e91 run";
      for (const Option* const option : verb->get_options()) {
        if (option->count() == 0) continue;
        options->command += " " + option->get_name();
        for (const std::string& value : option->results()) options->command += " " + value;
      }
      return run_e91(*options, context.json);
    };
  });
}

}  // namespace qsp::cli

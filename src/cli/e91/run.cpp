#include <fmt/format.h>

#include <memory>
#include <utility>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/e91/e91.hpp"
#include "cli/e91/setup.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "e91/study/run.hpp"
#include "process/stop_request.hpp"
#include "text/progress.hpp"
#include "text/units.hpp"

namespace qsp::cli {
namespace {

using files::OrText;

struct RunOptions {
  e91::study::LinkOptions link;
  std::uint64_t blocks = 3;
  e91::study::RunFilesWanted files;
  std::string command;
};

int run_e91(const RunOptions& options, bool json) {
  const auto setup = set_up(options.link);
  if (!setup) return failed(setup.error());
  auto random = e91::study::Randomness::create(options.link.seed);
  if (!random) return failed(random.error());
  const e91::local::LocalConfig config = setup->local();
  if (const auto problem = e91::study::block_problem(config)) return failed(describe(*problem, config));
  auto files = e91::study::RunFiles::begin(options.files, config.post);
  if (!files) return failed(files.error());
  auto link = e91::local::LocalLink::create(random->provider(), config, *setup->eve, files->listener());
  if (!link) return failed(link.error().where);

  text::Progress progress(write_err);
  const process::StopRequest stop_request;
  const auto run =
      e91::study::play(**link, options.blocks, *files, [&](std::uint64_t block, const e91::study::Total& before) {
        if (process::StopRequest::came()) return false;
        progress.say(
            fmt::format("block {} of {}, {} bits of key so far", block, options.blocks, text::grouped(before.length)));
        return true;
      });
  if (run && files->has_pictures()) progress.say("drawing");
  const auto drawn = run ? files->draw(*random, options.link, *setup, *run, options.command) : OrText<void>();
  const auto kept = run ? files->finish_transcript() : OrText<void>();
  progress.finish();
  if (!run) return failed(run.error());
  const bool seeded = !options.link.seed.empty();
  print_result(json, json_of(*setup, *run, seeded), text_of(*setup, *run, seeded));
  if (!drawn) return failed(drawn.error());
  if (!kept) return failed(kept.error());
  if (!run->total.keys_equal) return failed("the keys of the two ends differ, which must never happen");
  if (process::StopRequest::came())
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
  verb->add_checked("--blocks", options->blocks, "blocks to simulate", range(1, 1'000'000));
  verb->add_option("--transcript", options->files.transcript, "file for all that is said in public, for qsp e91 audit");
  verb->add_option("--report", options->files.report, "file for a page with tables and plots, as HTML");
  verb->add_option("--plot", options->files.plot, "folder for the plots, as SVG");
  verb->add_option("--published", options->files.published, "link files whose published key rates are plotted too");
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

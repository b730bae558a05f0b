#include <fmt/format.h>

#include <memory>
#include <string>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/e91/e91.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "e91/study/compare_report.hpp"
#include "e91/study/setup.hpp"
#include "process/stop_request.hpp"
#include "text/progress.hpp"
#include "text/units.hpp"

namespace qsp::cli {
namespace {

using files::OrText;

struct CompareOptions {
  std::vector<std::string> files;
  double coincidences = 20'000;
  std::string seed;
};

int run_compare(const CompareOptions& options, bool json) {
  auto seed = options.seed.empty() ? e91::study::draw_seed() : OrText<std::string>(options.seed);
  if (!seed) return failed(seed.error());
  auto random = e91::study::Randomness::create(*seed);
  if (!random) return failed(random.error());
  text::Progress progress(write_err);
  const process::StopRequest stop_request;
  const auto all = e91::study::compare(
      random->provider(), options.files, options.coincidences, [&](std::string_view title, std::uint64_t coincidences) {
        progress.say(fmt::format("{}: {} of about {} coincidences", title, text::grouped(coincidences),
                                 text::grouped(static_cast<std::uint64_t>(options.coincidences))));
        return !process::StopRequest::came();
      });
  progress.finish();
  if (!all) return failed(all.error());
  print_result(json, json_of(*all, *seed), fmt::format("{}Seed: {} (--seed repeats this run)\n", text_of(*all), *seed));
  return all->fit() ? kOk : kFailed;
}

}  // namespace

void add_e91_compare(Command& e91, Context& context) {
  Command* const verb =
      e91.add_subcommand("compare", "simulate links of published experiments, and compare with the published figures");
  const auto options = options_of<CompareOptions>(*verb, context, run_compare);
  verb->add_option("LINK", options->files, "descriptions of links with published figures (examples/links)")->required();
  verb->add_checked("--coincidences", options->coincidences, "expected number of pairs for each link",
                    range(100.0, 1e9));
  verb->add_option("--seed", options->seed, "repeat a run: 64 hex digits, or any text (a new one, which is printed)");
  set_help(
      *verb,
      {.notes = "The clicks of both stations are counted together, as in a laboratory; this makes no key. Theory is\n"
                "compared with what was published, and the counts with theory: one run in 10^9 fails by chance alone.",
       .examples = {"qsp e91 compare examples/links/*.toml",
                    "qsp e91 compare examples/links/yin2020.toml --coincidences 100000 --json"},
       .done = "every figure agrees",
       .failed = "a figure does not agree, or a file cannot be used"});
}

}  // namespace qsp::cli

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <memory>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/e91/e91.hpp"
#include "cli/e91/setup.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "e91/study/report.hpp"
#include "e91/study/sweep.hpp"
#include "process/stop_request.hpp"
#include "text/progress.hpp"

namespace qsp::cli {
namespace {

using files::OrText;

constexpr double kMostValue = 1e12;  ///< of any parameter, and more

struct SweepOptions {
  e91::study::LinkOptions link;
  std::string over;
  std::optional<double> from, to;
  std::size_t steps = 10;
  e91::study::Sampling sampling;
  e91::study::SweepPlot plot;
};

int run_sweep(SweepOptions options, bool json) {
  const e91::study::Parameter& parameter = e91::study::parameter_named(options.over);
  const double from = options.from.value_or(parameter.from);
  const double to = options.to.value_or(parameter.to);
  if (!(from < to)) return failed(fmt::format("--from ({:g}) has to be below --to ({:g})", from, to), kUsage);
  for (const double end : {from, to}) {
    if (end < parameter.least || end > parameter.most) {
      return failed(fmt::format("--over {} goes from {:g} to {:g}; {:g} is outside", parameter.name, parameter.least,
                                parameter.most, end),
                    kUsage);
    }
  }
  const auto setup = set_up(options.link);
  if (!setup) return failed(setup.error());
  if (options.over == "eve" && options.link.eve->kind() == e91::link::Attack::None) {
    options.link.eve = e91::study::default_attack(setup->link.config.mode);
  }
  auto random = e91::study::Randomness::create(options.link.seed);
  if (!random) return failed(random.error());

  text::Progress progress(write_err);
  const process::StopRequest stop_request;
  const e91::study::Places places{.from = from, .to = to, .steps = options.steps};
  const auto points = e91::study::sample_points(random->provider(), options.link, parameter, places, options.sampling,
                                                [&](std::size_t point) {
                                                  if (process::StopRequest::came()) return false;
                                                  progress.say(fmt::format("point {} of {}", point, options.steps));
                                                  return true;
                                                });
  OrText<std::vector<std::string>> files;
  if (points && !points->empty() && !options.plot.folder.empty()) {
    progress.say("drawing");
    files = draw_sweep(random->provider(), options.link, parameter, places, *points, options.plot);
  }
  progress.finish();
  if (!points) return failed(points.error());
  if (!files) return failed(files.error());

  if (json) {
    print_json({{"simulated", true},
                {"over", parameter.name},
                {"eve", options.link.eve->name()},
                {"points", json_of(*points)},
                {"plots", boost::json::array(files->begin(), files->end())}});
    return kOk;
  }
  print_out("{}; Eve: {}\n\n{}", setup->link.title, options.link.eve->name(), table_of(parameter, *points));
  for (const std::string& file : *files) print_out("plot  {}\n", file);
  print_out("\n{}\n", e91::study::simulated_notice(!options.link.seed.empty()));
  return kOk;
}

}  // namespace

void add_e91_sweep(Command& e91, Context& context) {
  Command* const verb = e91.add_subcommand("sweep", "theory and simulation over one parameter of a link");
  const auto options = options_of<SweepOptions>(*verb, context, run_sweep);
  std::vector<std::string> names;
  for (const e91::study::Parameter& parameter : e91::study::parameters()) names.emplace_back(parameter.name);
  verb->add_option("--over", options->over,
                   "the parameter, named as its option; \"angle\" is the one between the analysers")
      ->required()
      ->check(one_of(names));
  verb->add_option("--from", options->from, "first value (a useful one)")->check(range(-kMostValue, kMostValue));
  verb->add_option("--to", options->to, "last value (a useful one)")->check(range(-kMostValue, kMostValue));
  verb->add_checked("--steps", options->steps, "number of values", range(1, 10'000));
  verb->add_checked("--coincidences", options->sampling.coincidences, "pairs to count at each value; 0: theory only",
                    range(0.0, 1e9));
  verb->add_checked("--blocks", options->sampling.blocks, "whole blocks with post-processing at each value",
                    range(0, 10'000));
  verb->add_option("--plot", options->plot.folder, "folder for plots, as SVG");
  verb->add_option("--published", options->plot.published, "link files whose published key rates are plotted too");
  add_e91_link_options(*verb, options->link);
  set_help(*verb, {.notes = "With --over eve, --eve names the attack, and the values replace its number.\n"
                            "Existing files are replaced. SIGINT ends the sweep after the current value.",
                   .examples = {"qsp e91 sweep --over eve --plot plots",
                                "qsp e91 sweep --over eve --mode classic --eve intercept:1,angle=67.5",
                                "qsp e91 sweep --over distance --to 250 --published examples/links/*.toml --plot plots",
                                "qsp e91 sweep --over angle --p-z 0.5 --steps 25 --blocks 0 --json"}});
}

}  // namespace qsp::cli

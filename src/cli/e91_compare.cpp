#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <memory>
#include <string>
#include <utility>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/e91.hpp"
#include "cli/e91_rows.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/stop_request.hpp"
#include "cli/text.hpp"
#include "e91/study/compare.hpp"
#include "e91/study/setup.hpp"
#include "text/progress.hpp"
#include "text/table.hpp"
#include "text/units.hpp"

namespace qsp::cli {
namespace {

using files::OrText;

struct CompareOptions {
  std::vector<std::string> files;
  double coincidences = 20'000;
  std::string seed;
};

std::string text_of(const e91::study::Comparison& figure, double value) {
  return figure.is_rate ? fmt::format("{:.3g}/s", value) : fmt::format("{:.2f} %", 100 * value);
}

std::string apart_text(const e91::study::Comparison& figure) {
  if (!figure.simulated) return "–";
  return fmt::format("{:+.{}f} {}", 100 * figure.apart(), figure.is_rate ? 1 : 2, figure.is_rate ? "%" : "pp");
}

std::string simulated_text(const e91::study::Comparison& figure) {
  if (!figure.simulated) return "–";
  if (!figure.is_rate) return percent_text(*figure.simulated);
  return fmt::format("{:.4g} ± {:.1g}/s", figure.simulated->value, figure.simulated->deviation);
}

std::string_view verdict(const e91::study::Comparisons& all, const e91::study::Comparison& figure) {
  if (!figure.simulated) return "theory only";
  if (!all.is_simulated(figure)) return "NO: the simulation is not what theory expects";
  return figure.is_published() ? "yes" : "NO";
}

text::Rows rows_of(const e91::study::Comparisons& all) {
  text::Rows rows{{"link", "figure", "published", "theory", "apart", "simulated", "fits"}};
  for (const e91::study::Compared& one : all.links) {
    std::string_view title = one.link.title;
    for (const e91::study::Comparison& figure : one.figures) {
      rows.push_back({std::string(std::exchange(title, "")), std::string(figure.what),
                      text_of(figure, figure.published), text_of(figure, figure.theory), apart_text(figure),
                      simulated_text(figure), std::string(verdict(all, figure))});
    }
  }
  return rows;
}

boost::json::object json_of(const e91::study::Comparisons& all, const e91::study::Compared& one) {
  boost::json::array figures;
  for (const e91::study::Comparison& figure : one.figures) {
    boost::json::object row{{"figure", figure.what},   {"published", figure.published},
                            {"theory", figure.theory}, {"apart", nullptr},
                            {"simulated", nullptr},    {"chance", nullptr},
                            {"fits", nullptr},         {"unit", figure.is_rate ? "1/s" : "share"}};
    if (figure.simulated) {
      row["simulated"] =
          boost::json::object{{"value", figure.simulated->value}, {"deviation", figure.simulated->deviation}};
      row["apart"] = figure.apart();
      row["chance"] = figure.chance;
      row["fits"] = all.fits(figure);
    }
    figures.push_back(std::move(row));
  }
  return {{"title", one.link.title},
          {"reference", one.link.reference},
          {"seconds", one.seen.seconds},
          {"coincidences", one.seen.coincidences()},
          {"figures", std::move(figures)}};
}

void print_text(const e91::study::Comparisons& all, const std::string& seed) {
  print_out("{}\n", text::columns(rows_of(all)));
  for (const e91::study::Compared& one : all.links) print_out("{}: {}\n", one.link.title, one.link.reference);
  print_out(
      "\nfits: theory's QBER is within {:g} percentage points of what was published and its rates within {:g} %, and\n"
      "the counts are no further from theory than chance brings them: by chance alone one run in {:g} is refused.\n"
      "SIMULATED; each file says which of its numbers were published, which chosen and which fitted.\n"
      "Seed: {} (--seed repeats this run)\n",
      100 * e91::study::kMostQberApart, 100 * e91::study::kMostRateApart, 1 / e91::study::kFalseAlarm, seed);
}

int run_compare(const CompareOptions& options, bool json) {
  auto seed = options.seed.empty() ? e91::study::draw_seed() : OrText<std::string>(options.seed);
  if (!seed) return failed(seed.error());
  auto random = e91::study::Randomness::create(*seed);
  if (!random) return failed(random.error());
  text::Progress progress(write_err);
  const StopRequest stop_request;
  const auto all = e91::study::compare(
      random->provider(), options.files, options.coincidences, [&](std::string_view title, std::uint64_t coincidences) {
        progress.say(fmt::format("{}: {} of about {} coincidences", title, text::grouped(coincidences),
                                 text::grouped(static_cast<std::uint64_t>(options.coincidences))));
        return !StopRequest::came();
      });
  progress.finish();
  if (!all) return failed(all.error());
  if (json) {
    boost::json::array links;
    for (const e91::study::Compared& one : all->links) links.push_back(json_of(*all, one));
    print_json({{"simulated", true},
                {"seed", *seed},
                {"fits", all->fit()},
                {"false_alarm", e91::study::kFalseAlarm},
                {"links", std::move(links)}});
  } else {
    print_text(*all, *seed);
  }
  return all->fit() ? kOk : kFailed;
}

}  // namespace

void add_e91_compare(Command& e91, Context& context) {
  Command* const verb =
      e91.add_subcommand("compare", "simulate links of published experiments, and compare with the published figures");
  const auto options = std::make_shared<CompareOptions>();
  verb->add_option("LINK", options->files, "descriptions of links with published figures (examples/links)")->required();
  verb->add_option("--coincidences", options->coincidences, "expected number of pairs for each link")
      ->check(range(100.0, 1e9))
      ->capture_default_str();
  verb->add_option("--seed", options->seed, "repeat a run: 64 hex digits, or any text (a new one, which is printed)");
  set_help(
      *verb,
      {.notes = "The clicks of both stations are counted together, as in a laboratory; this makes no key. Theory is\n"
                "compared with what was published, and the counts with theory: one run in 10^9 fails by chance alone.",
       .examples = {"qsp e91 compare examples/links/*.toml",
                    "qsp e91 compare examples/links/yin2020.toml --coincidences 100000 --json"},
       .done = "every figure agrees",
       .failed = "a figure does not agree, or a file cannot be used"});
  verb->callback(
      [options, &context] { context.action = [options, &context] { return run_compare(*options, context.json); }; });
}

}  // namespace qsp::cli

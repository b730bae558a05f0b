#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/e91.hpp"
#include "cli/e91_points.hpp"
#include "cli/e91_progress.hpp"
#include "cli/e91_result.hpp"
#include "cli/json.hpp"
#include "cli/text.hpp"
#include "e91/keyrate/statistics.hpp"

namespace qsp::cli {
namespace {

using e91::keyrate::Estimate;
using files::OrText;

constexpr double kMostQberApart = 0.005;  ///< half a percentage point
constexpr double kMostRateApart = 0.2;    ///< of the published rate

struct CompareOptions {
  std::vector<std::string> files;
  double coincidences = 20'000;
  std::string seed;
};

/// One published figure beside the link that was made after it.
struct Comparison {
  std::string_view what;
  bool is_rate = true;  ///< else a share
  double published = 0;
  std::optional<Estimate> simulated;  ///< nothing for what is not counted but follows from theory alone
  double theory = 0;

  /// Of shares the difference, of rates the difference over the published one.
  [[nodiscard]] std::optional<double> apart() const noexcept {
    if (!simulated) return std::nullopt;
    const double difference = simulated->value - published;
    return is_rate ? difference / published : difference;
  }
  [[nodiscard]] bool fits() const noexcept {
    const auto by = apart();
    return !by || std::abs(*by) <= (is_rate ? kMostRateApart : kMostQberApart);
  }
};

struct Compared {
  e91::LinkFile link;
  e91::Observation seen;
  std::vector<Comparison> figures;
};

int stop(std::string_view text) {
  print_error(text);
  return kFailed;
}

Estimate rate(std::uint64_t count, double seconds) noexcept {
  const auto counted = static_cast<double>(count);
  return {.value = counted / seconds, .deviation = std::sqrt(counted) / seconds};
}

/// Plays the link until so many coincidences came. Errors: text.
OrText<e91::Observation> play(crypto::Provider& provider, const e91::LinkFile& link, double coincidences,
                              Progress& progress) {
  const auto honest = e91::no_eve();
  const e91::Expected expected = e91::expected(link.config, *honest);
  e91::Observation seen;
  while (static_cast<double>(seen.coincidences()) < coincidences && !StopRequest::came()) {
    progress.say(fmt::format("{}: {} of {} coincidences", link.title, grouped(seen.coincidences()),
                             grouped(static_cast<std::uint64_t>(coincidences))));
    const double missing = coincidences - static_cast<double>(seen.coincidences());
    const std::uint64_t slots = slots_to_sample(link.config, expected, missing);
    if (slots == 0) return std::unexpected("no coincidence is to be expected of this link");
    const auto piece = e91::observe(provider, link.config, *honest, slots);
    if (!piece) return std::unexpected(std::string(piece.error().where));
    seen.add(*piece);
  }
  return seen;
}

std::vector<Comparison> figures_of(const E91Setup& setup, const e91::Observation& seen) {
  const e91::Published& published = setup.link.published;
  const auto honest = e91::no_eve();
  const e91::Expected theory = e91::expected(setup.link.config, *honest);
  const e91::keyrate::Sample key = e91::key_sample(setup.link.config.mode, seen.outcomes);
  std::vector<Comparison> figures;
  const auto qber = published.qber
                        ? published.qber
                        : published.visibility.transform([](double visibility) { return (1 - visibility) / 2; });
  if (qber) {
    figures.push_back({.what = published.qber ? "QBER" : "QBER, of the visibility",
                       .is_rate = false,
                       .published = *qber,
                       .simulated = e91::keyrate::error_rate(key),
                       .theory = theory.qber});
  }
  if (published.raw_rate_per_s) {
    figures.push_back({.what = "coincidences",
                       .published = *published.raw_rate_per_s,
                       .simulated = rate(seen.coincidences(), seen.seconds),
                       .theory = theory.coincidences_per_s});
  }
  if (published.sifted_rate_per_s) {
    figures.push_back({.what = "sifted",
                       .published = *published.sifted_rate_per_s,
                       .simulated = rate(key.bits, seen.seconds),
                       .theory = theory.key_pairs_per_s});
  }
  if (published.key_rate_per_s) {
    figures.push_back({.what = "secret, without end",
                       .published = *published.key_rate_per_s,
                       .simulated = std::nullopt,
                       .theory = forecast(setup, *honest).endless_rate_per_s});
  }
  return figures;
}

OrText<std::vector<Compared>> compare(crypto::Provider& provider, const CompareOptions& options, Progress& progress) {
  std::vector<Compared> all;
  for (const std::string& file : options.files) {
    E91LinkOptions link;
    link.file = file;
    const auto setup = set_up(link);
    if (!setup) return std::unexpected(setup.error());
    auto seen = play(provider, setup->link, options.coincidences, progress);
    if (!seen) return std::unexpected(fmt::format("{}: {}", file, seen.error()));
    if (StopRequest::came()) return std::unexpected("stopped");
    auto figures = figures_of(*setup, *seen);
    if (figures.empty()) {
      return std::unexpected(
          fmt::format("{}: [source] has no published figure to compare with (qber, visibility, raw_rate_per_s, "
                      "sifted_rate_per_s, key_rate_per_s)",
                      file));
    }
    all.push_back({.link = setup->link, .seen = *seen, .figures = std::move(figures)});
  }
  return all;
}

std::string text_of(const Comparison& figure, double value) {
  return figure.is_rate ? fmt::format("{:.3g}/s", value) : fmt::format("{:.2f} %", 100 * value);
}

std::string apart_text(const Comparison& figure) {
  const auto apart = figure.apart();
  if (!apart) return "–";
  return fmt::format("{:+.{}f} {}", 100 * *apart, figure.is_rate ? 1 : 2, figure.is_rate ? "%" : "pp");
}

std::string simulated_text(const Comparison& figure) {
  if (!figure.simulated) return "–";
  if (!figure.is_rate) return percent_text(*figure.simulated);
  return fmt::format("{:.4g} ± {:.1g}/s", figure.simulated->value, figure.simulated->deviation);
}

E91Rows rows_of(const std::vector<Compared>& all) {
  E91Rows rows{{"link", "figure", "published", "simulated", "theory", "apart", "fits"}};
  for (const Compared& one : all) {
    std::string_view title = one.link.title;
    for (const Comparison& figure : one.figures) {
      rows.push_back({std::string(std::exchange(title, "")), std::string(figure.what),
                      text_of(figure, figure.published), simulated_text(figure), text_of(figure, figure.theory),
                      apart_text(figure),
                      !figure.simulated ? "theory only"
                      : figure.fits()   ? "yes"
                                        : "NO"});
    }
  }
  return rows;
}

boost::json::object json_of(const Compared& one) {
  boost::json::array figures;
  for (const Comparison& figure : one.figures) {
    boost::json::object row{{"figure", figure.what},
                            {"published", figure.published},
                            {"simulated", nullptr},
                            {"theory", figure.theory},
                            {"apart", nullptr},
                            {"fits", nullptr},
                            {"unit", figure.is_rate ? "1/s" : "share"}};
    if (figure.simulated) {
      row["simulated"] =
          boost::json::object{{"value", figure.simulated->value}, {"deviation", figure.simulated->deviation}};
      row["apart"] = *figure.apart();
      row["fits"] = figure.fits();
    }
    figures.push_back(std::move(row));
  }
  return {{"title", one.link.title},
          {"reference", one.link.reference},
          {"seconds", one.seen.seconds},
          {"coincidences", one.seen.coincidences()},
          {"figures", std::move(figures)}};
}

int run_compare(const CompareOptions& options, bool json) {
  auto random = E91Random::create(options.seed);
  if (!random) return stop(random.error());
  Progress progress;
  const StopRequest stop_request;
  const auto all = compare(random->provider(), options, progress);
  progress.finish();
  if (!all) return stop(all.error());
  const bool fits = std::ranges::all_of(
      *all, [](const Compared& one) { return std::ranges::all_of(one.figures, &Comparison::fits); });
  if (json) {
    boost::json::array links;
    for (const Compared& one : *all) links.push_back(json_of(one));
    print_json({{"simulated", true}, {"fits", fits}, {"links", std::move(links)}});
  } else {
    fmt::print("{}\n", columns(rows_of(*all)));
    for (const Compared& one : *all) fmt::print("{}: {}\n", one.link.title, one.link.reference);
    fmt::print(
        "\nfits: the QBER within {:g} percentage points, rates within {:g} %\n"
        "SIMULATED; each file says which of its numbers were published, which chosen and which fitted.\n",
        100 * kMostQberApart, 100 * kMostRateApart);
  }
  return fits ? kOk : kFailed;
}

}  // namespace

void add_e91_compare(Command& e91, Context& context) {
  Command* const verb = e91.add_subcommand("compare", "simulate links of published experiments and hold them against");
  const auto options = std::make_shared<CompareOptions>();
  verb->add_option("LINK", options->files, "descriptions of links with published figures (examples/links)")->required();
  verb->add_option("--coincidences", options->coincidences, "pairs to count on each link")
      ->check(range(100.0, 1e9))
      ->capture_default_str();
  verb->add_option("--seed", options->seed, "repeat a run: 64 hex digits, or any text");
  verb->footer(
      "Both stations' clicks are counted on one table, as a laboratory does: no key comes of it.\n"
      "Exit code 0 if every figure fits, 1 if not.\n\nExamples:\n"
      "  qsp e91 compare examples/links/*.toml\n"
      "  qsp e91 compare examples/links/yin2020.toml --coincidences 100000 --json");
  verb->callback(
      [options, &context] { context.action = [options, &context] { return run_compare(*options, context.json); }; });
}

}  // namespace qsp::cli

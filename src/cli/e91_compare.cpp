#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
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
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "e91/keyrate/agreement.hpp"

namespace qsp::cli {
namespace {

using e91::keyrate::Estimate;
using files::OrText;

constexpr double kMostQberApart = 0.005;  ///< half a percentage point
constexpr double kMostRateApart = 0.2;    ///< of the published rate
/// How often chance alone makes a run say that its counts are not what theory expects.
constexpr double kFalseAlarm = 1e-9;

struct CompareOptions {
  std::vector<std::string> files;
  double coincidences = 20'000;
  std::string seed;
};

/// One published figure beside the link that was made after it. Theory is held against what was published, which no
/// chance enters; counts are held against theory, where chance is all that may part them.
struct Comparison {
  std::string_view what;
  bool is_rate = true;  ///< else a share
  double published = 0;
  double theory = 0;
  /// Nothing for what is not counted but follows from theory alone.
  std::optional<Estimate> simulated;
  double chance = 1;  ///< a bound of that of counts so far from theory on their side, or further

  /// Of shares the difference, of rates the difference over the published one.
  [[nodiscard]] double apart() const noexcept {
    const double difference = theory - published;
    return is_rate ? difference / published : difference;
  }
  [[nodiscard]] bool is_published() const noexcept {
    return std::abs(apart()) <= (is_rate ? kMostRateApart : kMostQberApart);
  }
};

/// How far theory's rates of coincidences may be off for dead times, as a share of themselves. It takes the two
/// stations to be ready independently, in shares p and q of the time; but those of a coincidence are dead
/// together, so that both are ready in between p + q − 1 and min(p, q) of it: (1 − p)/p + (1 − q)/q off at most. A
/// detector that clicks r times a second is ready in 1 − r τ of it, and r is at most what its station counts.
double slack_of(const e91::LinkConfig& link, const e91::Expected& theory) noexcept {
  const auto missed = [](const e91::ArmConfig& arm, double clicks_per_s) {
    const double dead = std::min(clicks_per_s * arm.dead_time_ns * 1e-9, 0.999);
    return dead / (1 - dead);
  };
  return missed(link.alice, theory.alice_singles_per_s) + missed(link.bob, theory.bob_singles_per_s);
}

struct Compared {
  e91::LinkFile link;
  e91::Observation seen;
  std::vector<Comparison> figures;
};

/// All links of a run.
struct Comparisons {
  std::vector<Compared> links;

  /// Each of so many counts may stray to either side, and all together no more often than `kFalseAlarm`.
  [[nodiscard]] double least_chance() const noexcept {
    std::ptrdiff_t counted = 0;
    for (const Compared& link : links) {
      counted += std::ranges::count_if(link.figures, [](const Comparison& one) { return one.simulated.has_value(); });
    }
    return kFalseAlarm / (2 * static_cast<double>(std::max<std::ptrdiff_t>(counted, 1)));
  }
  [[nodiscard]] bool is_simulated(const Comparison& figure) const noexcept { return figure.chance >= least_chance(); }
  [[nodiscard]] bool fits(const Comparison& figure) const noexcept {
    return !figure.simulated || (figure.is_published() && is_simulated(figure));
  }
  [[nodiscard]] bool fit() const noexcept {
    return std::ranges::all_of(links, [this](const Compared& link) {
      return std::ranges::all_of(link.figures, [this](const Comparison& figure) { return fits(figure); });
    });
  }
};

Estimate rate(std::uint64_t count, double seconds) noexcept {
  const auto counted = static_cast<double>(count);
  return {.value = counted / seconds, .deviation = std::sqrt(counted) / seconds};
}

/// Plays the link for as long as it takes to bring so many coincidences on average: to stop at a count would favour
/// rates that are high by chance. Errors: text.
OrText<e91::Observation> play(crypto::Provider& provider, const e91::LinkConfig& link, std::string_view title,
                              double coincidences, Progress& progress) {
  const auto honest = e91::no_eve();
  const e91::Expected expected = e91::expected(link, *honest);
  if (slots_to_sample(link, expected, coincidences) == 0) {
    return std::unexpected("no coincidence is to be expected of this link");
  }
  e91::Observation seen;
  for (double missing = coincidences; !StopRequest::came();) {
    const std::uint64_t slots = slots_to_sample(link, expected, missing);
    if (slots == 0) break;
    progress.say(fmt::format("{}: {} of about {} coincidences", title, grouped(seen.coincidences()),
                             grouped(static_cast<std::uint64_t>(coincidences))));
    const auto piece = e91::observe(provider, link, *honest, slots);
    if (!piece) return std::unexpected(std::string(piece.error().where));
    seen.add(*piece);
    missing -= static_cast<double>(slots) / link.slots_per_s * expected.coincidences_per_s;
  }
  return seen;
}

Comparison counted(std::string_view what, double published, std::uint64_t count, double seconds, double theory,
                   double slack) {
  return {.what = what,
          .published = published,
          .theory = theory,
          .simulated = rate(count, seconds),
          .chance = e91::keyrate::chance_of_count(count, e91::keyrate::rate_range(theory * seconds, slack))};
}

std::vector<Comparison> figures_of(const E91Setup& setup, const e91::Observation& seen) {
  const e91::Published& published = setup.link.published;
  const auto honest = e91::no_eve();
  const e91::Expected theory = e91::expected(setup.link.config, *honest);
  const double slack = slack_of(setup.link.config, theory);
  const e91::keyrate::Sample key = e91::key_sample(setup.link.config.mode, seen.outcomes);
  std::vector<Comparison> figures;
  const auto qber = published.qber
                        ? published.qber
                        : published.visibility.transform([](double visibility) { return (1 - visibility) / 2; });
  if (qber) {
    figures.push_back({.what = published.qber ? "QBER" : "QBER, of the visibility",
                       .is_rate = false,
                       .published = *qber,
                       .theory = theory.qber,
                       .simulated = e91::keyrate::error_rate(key).value_or(Estimate{}),
                       .chance = e91::keyrate::chance_of_errors(key, e91::keyrate::share_range(theory.qber, slack))});
  }
  if (published.raw_rate_per_s) {
    figures.push_back(counted("coincidences", *published.raw_rate_per_s, seen.coincidences(), seen.seconds,
                              theory.coincidences_per_s, slack));
  }
  if (published.sifted_rate_per_s) {
    figures.push_back(
        counted("sifted", *published.sifted_rate_per_s, key.bits, seen.seconds, theory.key_pairs_per_s, slack));
  }
  if (published.key_rate_per_s) {
    figures.push_back({.what = "secret, without end",
                       .published = *published.key_rate_per_s,
                       .theory = forecast(setup, *honest).endless_rate_per_s,
                       .simulated = std::nullopt});
  }
  return figures;
}

OrText<Comparisons> compare(crypto::Provider& provider, const CompareOptions& options, Progress& progress) {
  Comparisons all;
  for (const std::string& file : options.files) {
    E91LinkOptions link;
    link.file = file;
    const auto setup = set_up(link);
    if (!setup) return std::unexpected(setup.error());
    auto seen = play(provider, setup->link.config, setup->link.title, options.coincidences, progress);
    if (!seen) return std::unexpected(fmt::format("{}: {}", file, seen.error()));
    if (StopRequest::came()) return std::unexpected("stopped");
    auto figures = figures_of(*setup, *seen);
    if (figures.empty()) {
      return std::unexpected(
          fmt::format("{}: [source] has no published figure to compare with (qber, visibility, raw_rate_per_s, "
                      "sifted_rate_per_s, key_rate_per_s)",
                      file));
    }
    all.links.push_back({.link = setup->link, .seen = *seen, .figures = std::move(figures)});
  }
  return all;
}

std::string text_of(const Comparison& figure, double value) {
  return figure.is_rate ? fmt::format("{:.3g}/s", value) : fmt::format("{:.2f} %", 100 * value);
}

std::string apart_text(const Comparison& figure) {
  if (!figure.simulated) return "–";
  return fmt::format("{:+.{}f} {}", 100 * figure.apart(), figure.is_rate ? 1 : 2, figure.is_rate ? "%" : "pp");
}

std::string simulated_text(const Comparison& figure) {
  if (!figure.simulated) return "–";
  if (!figure.is_rate) return percent_text(*figure.simulated);
  return fmt::format("{:.4g} ± {:.1g}/s", figure.simulated->value, figure.simulated->deviation);
}

std::string_view verdict(const Comparisons& all, const Comparison& figure) {
  if (!figure.simulated) return "theory only";
  if (!all.is_simulated(figure)) return "NO: the simulation is not what theory expects";
  return figure.is_published() ? "yes" : "NO";
}

E91Rows rows_of(const Comparisons& all) {
  E91Rows rows{{"link", "figure", "published", "theory", "apart", "simulated", "fits"}};
  for (const Compared& one : all.links) {
    std::string_view title = one.link.title;
    for (const Comparison& figure : one.figures) {
      rows.push_back({std::string(std::exchange(title, "")), std::string(figure.what),
                      text_of(figure, figure.published), text_of(figure, figure.theory), apart_text(figure),
                      simulated_text(figure), std::string(verdict(all, figure))});
    }
  }
  return rows;
}

boost::json::object json_of(const Comparisons& all, const Compared& one) {
  boost::json::array figures;
  for (const Comparison& figure : one.figures) {
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

/// A seed for a run that was given none, so that this one can be repeated too. Errors: text.
OrText<std::string> draw_seed() {
  auto random = E91Random::create("");
  if (!random) return std::unexpected(random.error());
  std::array<std::uint8_t, 8> bytes{};
  if (auto drawn = random->provider().rng().fill(bytes); !drawn)
    return std::unexpected(std::string(drawn.error().where));
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

void print_text(const Comparisons& all, const std::string& seed) {
  print_out("{}\n", columns(rows_of(all)));
  for (const Compared& one : all.links) print_out("{}: {}\n", one.link.title, one.link.reference);
  print_out(
      "\nfits: theory's QBER is within {:g} percentage points of what was published and its rates within {:g} %, and\n"
      "the counts are no further from theory than chance brings them: by chance alone one run in {:g} is refused.\n"
      "SIMULATED; each file says which of its numbers were published, which chosen and which fitted.\n"
      "Seed: {} (--seed repeats this run)\n",
      100 * kMostQberApart, 100 * kMostRateApart, 1 / kFalseAlarm, seed);
}

int run_compare(const CompareOptions& options, bool json) {
  auto seed = options.seed.empty() ? draw_seed() : OrText<std::string>(options.seed);
  if (!seed) return failed(seed.error());
  auto random = E91Random::create(*seed);
  if (!random) return failed(random.error());
  Progress progress;
  const StopRequest stop_request;
  const auto all = compare(random->provider(), options, progress);
  progress.finish();
  if (!all) return failed(all.error());
  if (json) {
    boost::json::array links;
    for (const Compared& one : all->links) links.push_back(json_of(*all, one));
    print_json({{"simulated", true},
                {"seed", *seed},
                {"fits", all->fit()},
                {"false_alarm", kFalseAlarm},
                {"links", std::move(links)}});
  } else {
    print_text(*all, *seed);
  }
  return all->fit() ? kOk : kFailed;
}

}  // namespace

void add_e91_compare(Command& e91, Context& context) {
  Command* const verb =
      e91.add_subcommand("compare", "simulate links of published experiments, beside the published figures");
  const auto options = std::make_shared<CompareOptions>();
  verb->add_option("LINK", options->files, "descriptions of links with published figures (examples/links)")->required();
  verb->add_option("--coincidences", options->coincidences, "pairs to expect of each link")
      ->check(range(100.0, 1e9))
      ->capture_default_str();
  verb->add_option("--seed", options->seed, "repeat a run: 64 hex digits, or any text (drawn anew, and told)");
  set_help(
      *verb,
      {.notes = "Both stations' clicks are counted on one table, as a laboratory does: no key comes of it.\n"
                "Theory is held against what was published, and the counts against theory: chance alone lets one run\n"
                "in 10^9 fail.",
       .examples = {"qsp e91 compare examples/links/*.toml",
                    "qsp e91 compare examples/links/yin2020.toml --coincidences 100000 --json"},
       .done = "every figure fits",
       .failed = "a figure does not, or a file cannot be used"});
  verb->callback(
      [options, &context] { context.action = [options, &context] { return run_compare(*options, context.json); }; });
}

}  // namespace qsp::cli

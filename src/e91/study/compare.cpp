#include "e91/study/compare.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/try.hpp"
#include "e91/keyrate/agreement.hpp"
#include "e91/study/points.hpp"
#include "e91/study/setup.hpp"

namespace qsp::e91::study {
namespace {

using files::OrText;
using keyrate::Estimate;

/// How far theory's rates of coincidences may be off for dead times, as a share of themselves. It takes the two
/// stations to be ready independently, in shares p and q of the time; but those of a coincidence are dead
/// together, so that both are ready in between p + q − 1 and min(p, q) of it: (1 − p)/p + (1 − q)/q off at most. A
/// detector that clicks r times a second is ready in 1 − r τ of it, and r is at most what its station counts.
double slack_of(const link::LinkConfig& link, const link::Expected& theory) noexcept {
  const auto missed = [](const link::ArmConfig& arm, double clicks_per_s) {
    const double dead = std::min(clicks_per_s * arm.dead_time_ns * 1e-9, 0.999);
    return dead / (1 - dead);
  };
  return missed(link.alice, theory.alice_singles_per_s) + missed(link.bob, theory.bob_singles_per_s);
}

Estimate rate(std::uint64_t count, double seconds) noexcept {
  const auto counted = static_cast<double>(count);
  return {.value = counted / seconds, .deviation = std::sqrt(counted) / seconds};
}

/// Plays the link for as long as it takes to bring so many coincidences on average: to stop at a count would favour
/// rates that are high by chance. Errors: text.
OrText<local::Observation> play(crypto::Provider& provider, const link::LinkConfig& link, std::string_view title,
                                double coincidences, const CompareProgress& progress) {
  const auto honest = link::no_eve();
  const link::Expected expected = e91::link::expected(link, *honest);
  if (slots_to_sample(link, expected, coincidences) == 0) {
    return std::unexpected("no coincidence is to be expected of this link");
  }
  local::Observation seen;
  for (double missing = coincidences; progress(title, seen.coincidences());) {
    const std::uint64_t slots = slots_to_sample(link, expected, missing);
    if (slots == 0) break;
    const auto piece = local::observe(provider, link, *honest, slots);
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
          .chance = keyrate::chance_of_count(count, keyrate::rate_range(theory * seconds, slack))};
}

std::vector<Comparison> figures_of(const Setup& setup, const local::Observation& seen) {
  const link::Published& published = setup.link.published;
  const auto honest = link::no_eve();
  const link::Expected theory = e91::link::expected(setup.link.config, *honest);
  const double slack = slack_of(setup.link.config, theory);
  const keyrate::Sample key = local::key_sample(setup.link.config.mode, seen.outcomes);
  std::vector<Comparison> figures;
  const auto qber = published.qber
                        ? published.qber
                        : published.visibility.transform([](double visibility) { return (1 - visibility) / 2; });
  if (qber) {
    figures.push_back({.what = published.qber ? "QBER" : "QBER, of the visibility",
                       .is_rate = false,
                       .published = *qber,
                       .theory = theory.qber,
                       .simulated = keyrate::error_rate(key).value_or(Estimate{}),
                       .chance = keyrate::chance_of_errors(key, keyrate::share_range(theory.qber, slack))});
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

}  // namespace

OrText<Comparisons> compare(crypto::Provider& provider, const std::vector<std::string>& files, double coincidences,
                            const CompareProgress& progress) {
  Comparisons all;
  for (const std::string& file : files) {
    LinkOptions link;
    link.file = file;
    QSP_TRY(const auto setup, set_up(link));
    auto seen = play(provider, setup.link.config, setup.link.title, coincidences, progress);
    if (!seen) return std::unexpected(fmt::format("{}: {}", file, seen.error()));
    if (!progress(setup.link.title, seen->coincidences())) return std::unexpected("stopped");
    auto figures = figures_of(setup, *seen);
    if (figures.empty()) {
      return std::unexpected(
          fmt::format("{}: [source] has no published figure to compare with (qber, visibility, raw_rate_per_s, "
                      "sifted_rate_per_s, key_rate_per_s)",
                      file));
    }
    all.links.push_back({.link = setup.link, .seen = *seen, .figures = std::move(figures)});
  }
  return all;
}

}  // namespace qsp::e91::study

#include "e91/study/points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/try.hpp"
#include "e91/keyrate/statistics.hpp"

namespace qsp::e91::study {
namespace {

using files::OrText;

/// Clicks of one side for the samples of one point: tenths of a second of simulation.
constexpr double kClicksOfPoint = 1e6;

constexpr std::array<Parameter, 11> kParameters{{
    {"distance", "fibre to Bob, km", 0, 200, 0, 100'000, &LinkOptions::distance_km},
    {"eve", "fraction of the pulses that Eve attacks", 0, 1, 0, 1},
    {"mean-pairs", "mean pairs per slot", 0.001, 0.1, 0, link::kMaxMeanPairs, &LinkOptions::mean_pairs},
    {"visibility", "visibility of the source", 0.7, 1, 0, 1, &LinkOptions::visibility},
    {"angle", "angle between the analysers, degrees on the Bloch sphere", -180, 180, -180, 180,
     &LinkOptions::misalignment_deg},
    {"loss-db", "loss on Bob's way, dB", 0, 40, 0, 200, &LinkOptions::loss_db},
    {"efficiency", "efficiency of the detectors", 0.05, 1, 0, 1, &LinkOptions::efficiency},
    {"dark-counts", "dark counts of each detector, per second", 0, 100'000, 0, 1e9, &LinkOptions::dark_counts},
    {"dead-time", "dead time of a station, ns", 0, 1000, 0, 1e9, &LinkOptions::dead_time_ns},
    {"p-z", "p_z, how often each side chooses Z", 0.3, 0.97, 0.01, 0.99, &LinkOptions::p_z},
    {"block-bits", "sifted bits in a block", 10'000, 1'000'000, 100, post::kMaxKeyBits},
}};

OrText<void> apply(LinkOptions& options, const Parameter& parameter, double x) {
  if (!(x >= parameter.least && x <= parameter.most)) {
    return std::unexpected(
        fmt::format("{} is from {:g} to {:g}, not {:g}", parameter.name, parameter.least, parameter.most, x));
  }
  if (parameter.field != nullptr) {
    options.*parameter.field = x;
  } else if (parameter.name == "block-bits") {
    options.block_bits = static_cast<std::uint64_t>(x);
  } else {
    QSP_TRY(const auto attack, with_amount(*options.eve, fmt::format("{}", x)));
    QSP_TRY(options.eve, link::parse_eve(attack));
  }
  return {};
}

OrText<void> sample_clicks(crypto::Provider& provider, const link::Eve& eve, double coincidences, Point& point) {
  const auto seen = local::observe(provider, point.link, eve, slots_to_sample(point.link, point.theory, coincidences));
  if (!seen) return std::unexpected(std::string(seen.error().where));
  const Mode mode = point.link.mode;
  const post::TestResult tests = post::evaluate(mode, seen->outcomes);
  point.s = tests.chsh;
  point.qber = keyrate::error_rate(local::key_sample(mode, seen->outcomes));
  if (mode == Mode::Biased) {
    point.phase_error = keyrate::error_rate(tests.phase);
  } else if (point.s && point.qber) {
    point.phase_error = {
        .value = keyrate::phase_error(point.s->value, point.qber->value),
        .deviation = std::hypot(point.s->deviation / (2 * std::numbers::sqrt2), point.qber->deviation)};
  }
  const std::size_t first = mode == Mode::Biased ? 0 : 1;
  point.correlation_z = local::correlation(seen->outcomes, first, 0);
  point.correlation_x = local::correlation(seen->outcomes, first + 1, 1);
  return {};
}

OrText<void> sample_blocks(crypto::Provider& provider, const Setup& setup, std::size_t blocks, Point& point) {
  if (blocks == 0) return {};
  if (block_problem(setup.local())) {
    point.blocks.push_back({.verdict = "no block of this length can be made"});
    return {};
  }
  auto link = local::LocalLink::create(provider, setup.local(), *setup.eve);
  if (!link) return std::unexpected(std::string(link.error().where));
  for (std::size_t i = 0; i < blocks; ++i) {
    const auto outcome = (*link)->block();
    if (!outcome) return std::unexpected(std::string(outcome.error().where));
    const auto& aborted = outcome->alice.aborted;
    point.blocks.push_back({.length = outcome->alice.length,
                            .seconds = outcome->link_seconds,
                            .verdict = aborted ? std::string(describe(*aborted)) : "key"});
  }
  return {};
}

}  // namespace

std::uint64_t slots_to_sample(const link::LinkConfig& link, const link::Expected& expected, double coincidences) {
  const double clicks = std::max(expected.alice_singles_per_s, expected.bob_singles_per_s);
  if (!(expected.coincidences_per_s > 0) || !(clicks > 0)) return 0;
  const double seconds = std::min(coincidences / expected.coincidences_per_s, kClicksOfPoint / clicks);
  return static_cast<std::uint64_t>(std::min(seconds * link.slots_per_s, static_cast<double>(link::Link::kMaxSlots)));
}

OrText<std::string> with_amount(const link::Eve& eve, std::string_view amount) {
  const std::string name = eve.name();
  if (!has_amount(eve.kind())) {
    return std::unexpected("--over eve takes an attack with a number: intercept, probe or source:werner, not \"" +
                           name + '"');
  }
  const std::size_t start = name.find(eve.kind() == link::Attack::WernerSource ? '=' : ':') + 1;
  const std::size_t end = std::min(name.find(',', start), name.size());
  return name.substr(0, start) + std::string(amount) + name.substr(end);
}

std::span<const Parameter> parameters() noexcept { return kParameters; }

const Parameter& parameter_named(std::string_view name) noexcept {
  return *std::ranges::find(kParameters, name, &Parameter::name);
}

std::unique_ptr<link::Eve> default_attack(Mode mode) {
  const bool biased = mode == Mode::Biased;
  const double degrees = biased ? 45 : 67.5;
  return link::intercept_resend(1, degrees * std::numbers::pi / 180, link::Arms::Bob,
                                biased ? "intercept:1,angle=45" : "intercept:1,angle=67.5");
}

double Point::theory_phase_error() const noexcept {
  return link.mode == Mode::Biased ? theory.phase_error : keyrate::phase_error(theory.s, theory.qber);
}

std::optional<double> Point::rate_per_s() const noexcept {
  double bits = 0;
  double seconds = 0;
  for (const PointBlock& block : blocks) {
    bits += static_cast<double>(block.length);
    seconds += block.seconds;
  }
  if (!(seconds > 0)) return std::nullopt;
  return bits / seconds;
}

OrText<Point> point_at(crypto::Provider& provider, LinkOptions options, const Parameter& parameter, double x,
                       const Sampling& sampling) {
  QSP_TRY(apply(options, parameter, x));
  QSP_TRY(const auto setup, set_up(options));
  Point point{.x = x, .link = setup.link.config, .block_bits = setup.block_bits};
  point.theory = e91::link::expected(point.link, *setup.eve);
  point.forecast = forecast(setup, *setup.eve);
  if (sampling.coincidences > 0) {
    QSP_TRY(sample_clicks(provider, *setup.eve, sampling.coincidences, point));
  }
  QSP_TRY(sample_blocks(provider, setup, sampling.blocks, point));
  return point;
}

OrText<std::vector<Point>> sample_points(crypto::Provider& provider, const LinkOptions& options,
                                         const Parameter& parameter, const Places& places, const Sampling& sampling,
                                         const std::function<bool(std::size_t point)>& progress) {
  const auto [from, to, steps] = places;
  std::vector<Point> points;
  for (std::size_t i = 0; i < steps && progress(i + 1); ++i) {
    const double share = steps == 1 ? 0 : static_cast<double>(i) / static_cast<double>(steps - 1);
    QSP_TRY(auto point, point_at(provider, options, parameter, from + (to - from) * share, sampling));
    points.push_back(std::move(point));
  }
  return points;
}

}  // namespace qsp::e91::study

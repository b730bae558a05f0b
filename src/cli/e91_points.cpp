#include "cli/e91_points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "e91/keyrate/statistics.hpp"

namespace qsp::cli {
namespace {

using files::OrText;

/// Clicks of one side for the samples of one point: tenths of a second of simulation.
constexpr double kClicksOfPoint = 1e6;

constexpr std::array<E91Parameter, 11> kParameters{{
    {"distance", "fibre to Bob, km", 0, 200, 0, 100'000, &E91LinkOptions::distance_km},
    {"eve", "fraction of the pulses that Eve attacks", 0, 1, 0, 1},
    {"mean-pairs", "mean pairs per slot", 0.001, 0.1, 0, e91::kMaxMeanPairs, &E91LinkOptions::mean_pairs},
    {"visibility", "visibility of the source", 0.7, 1, 0, 1, &E91LinkOptions::visibility},
    {"angle", "angle between the analysers, degrees on the Bloch sphere", -180, 180, -180, 180,
     &E91LinkOptions::misalignment_deg},
    {"loss-db", "loss on Bob's way, dB", 0, 40, 0, 200, &E91LinkOptions::loss_db},
    {"efficiency", "efficiency of the detectors", 0.05, 1, 0, 1, &E91LinkOptions::efficiency},
    {"dark-counts", "dark counts of each detector, per second", 0, 100'000, 0, 1e9, &E91LinkOptions::dark_counts},
    {"dead-time", "dead time of a station, ns", 0, 1000, 0, 1e9, &E91LinkOptions::dead_time_ns},
    {"p-z", "p_z, how often each side chooses Z", 0.3, 0.97, 0.01, 0.99, &E91LinkOptions::p_z},
    {"block-bits", "sifted bits in a block", 10'000, 1'000'000, 100, e91::kMaxKeyBits},
}};

OrText<void> apply(E91LinkOptions& options, const E91Parameter& parameter, double x) {
  if (!(x >= parameter.least && x <= parameter.most)) {
    return std::unexpected(
        fmt::format("{} is from {:g} to {:g}, not {:g}", parameter.name, parameter.least, parameter.most, x));
  }
  if (parameter.field != nullptr) {
    options.*parameter.field = x;
  } else if (parameter.name == "block-bits") {
    options.block_bits = static_cast<std::uint64_t>(x);
  } else {
    auto attack = with_amount(options.eve, fmt::format("{}", x));
    if (!attack) return std::unexpected(std::move(attack.error()));
    options.eve = std::move(*attack);
  }
  return {};
}

OrText<void> sample_clicks(crypto::Provider& provider, const e91::Eve& eve, double coincidences, E91Point& point) {
  const auto seen = e91::observe(provider, point.link, eve, slots_to_sample(point.link, point.theory, coincidences));
  if (!seen) return std::unexpected(std::string(seen.error().where));
  const e91::Mode mode = point.link.mode;
  const e91::TestResult tests = e91::evaluate(mode, seen->outcomes);
  point.s = tests.chsh;
  point.qber = e91::keyrate::error_rate(e91::key_sample(mode, seen->outcomes));
  if (mode == e91::Mode::Biased) {
    point.phase_error = e91::keyrate::error_rate(tests.phase);
  } else if (point.s && point.qber) {
    point.phase_error = {
        .value = e91::keyrate::phase_error(point.s->value, point.qber->value),
        .deviation = std::hypot(point.s->deviation / (2 * std::numbers::sqrt2), point.qber->deviation)};
  }
  const std::size_t first = mode == e91::Mode::Biased ? 0 : 1;
  point.correlation_z = e91::correlation(seen->outcomes, first, 0);
  point.correlation_x = e91::correlation(seen->outcomes, first + 1, 1);
  return {};
}

OrText<void> sample_blocks(crypto::Provider& provider, const E91Setup& setup, const e91::Eve& eve, std::size_t blocks,
                           E91Point& point) {
  if (blocks == 0) return {};
  if (block_problem(setup.local())) {
    point.blocks.push_back({.verdict = "no block of this length can be made"});
    return {};
  }
  auto link = e91::LocalLink::create(provider, setup.local(), eve);
  if (!link) return std::unexpected(std::string(link.error().where));
  for (std::size_t i = 0; i < blocks; ++i) {
    const auto outcome = (*link)->block();
    if (!outcome) return std::unexpected(std::string(outcome.error().where));
    const auto& aborted = outcome->alice.aborted;
    point.blocks.push_back({.length = outcome->alice.length,
                            .seconds = outcome->link_seconds,
                            .verdict = aborted ? std::string(e91::describe(*aborted)) : "key"});
  }
  return {};
}

}  // namespace

std::uint64_t slots_to_sample(const e91::LinkConfig& link, const e91::Expected& expected, double coincidences) {
  const double clicks = std::max(expected.alice_singles_per_s, expected.bob_singles_per_s);
  if (!(expected.coincidences_per_s > 0) || !(clicks > 0)) return 0;
  const double seconds = std::min(coincidences / expected.coincidences_per_s, kClicksOfPoint / clicks);
  return static_cast<std::uint64_t>(std::min(seconds * link.slots_per_s, static_cast<double>(e91::Link::kMaxSlots)));
}

OrText<std::string> with_amount(const std::string& attack, std::string_view amount) {
  constexpr std::string_view kWerner = "source:werner=";
  const std::size_t start = attack.starts_with(kWerner) ? kWerner.size() : attack.find(':') + 1;
  if (start == 0 || (attack.starts_with("source:") && start != kWerner.size())) {
    return std::unexpected("--over eve takes an attack with a number: intercept, probe or source:werner, not \"" +
                           attack + '"');
  }
  const std::size_t end = std::min(attack.find(',', start), attack.size());
  return attack.substr(0, start) + std::string(amount) + attack.substr(end);
}

std::span<const E91Parameter> e91_parameters() noexcept { return kParameters; }

const E91Parameter& e91_parameter(std::string_view name) noexcept {
  return *std::ranges::find(kParameters, name, &E91Parameter::name);
}

std::string_view default_attack(e91::Mode mode) noexcept {
  return mode == e91::Mode::Biased ? "intercept:1,angle=45" : "intercept:1,angle=67.5";
}

double E91Point::theory_phase_error() const noexcept {
  return link.mode == e91::Mode::Biased ? theory.phase_error : e91::keyrate::phase_error(theory.s, theory.qber);
}

std::optional<double> E91Point::rate_per_s() const noexcept {
  double bits = 0;
  double seconds = 0;
  for (const E91PointBlock& block : blocks) {
    bits += static_cast<double>(block.length);
    seconds += block.seconds;
  }
  if (!(seconds > 0)) return std::nullopt;
  return bits / seconds;
}

OrText<E91Point> e91_point(crypto::Provider& provider, E91LinkOptions options, const E91Parameter& parameter, double x,
                           const E91Sampling& sampling) {
  if (auto applied = apply(options, parameter, x); !applied) return std::unexpected(std::move(applied.error()));
  const auto setup = set_up(options);
  if (!setup) return std::unexpected(setup.error());
  const auto eve = e91::parse_eve(setup->eve);
  if (!eve) return std::unexpected(eve.error());
  E91Point point{.x = x, .link = setup->link.config, .block_bits = setup->block_bits};
  point.theory = e91::expected(point.link, **eve);
  point.forecast = forecast(*setup, **eve);
  if (sampling.coincidences > 0) {
    if (auto sampled = sample_clicks(provider, **eve, sampling.coincidences, point); !sampled) {
      return std::unexpected(std::move(sampled.error()));
    }
  }
  if (auto sampled = sample_blocks(provider, *setup, **eve, sampling.blocks, point); !sampled) {
    return std::unexpected(std::move(sampled.error()));
  }
  return point;
}

}  // namespace qsp::cli

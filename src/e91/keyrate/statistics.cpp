#include "e91/keyrate/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qsp::e91::keyrate {

std::optional<Estimate> error_rate(const Sample& sample) noexcept {
  if (sample.bits == 0) return std::nullopt;
  const auto all = static_cast<double>(sample.bits);
  const double rate = static_cast<double>(sample.errors) / all;
  return Estimate{rate, std::sqrt(rate * (1 - rate) / all)};
}

double error_rate_bound(const Sample& sample, double sigmas) noexcept {
  const auto estimate = error_rate(sample);
  if (!estimate) return 1;
  const auto all = static_cast<double>(sample.bits);
  const double square = sigmas * sigmas / all;
  const double spread = std::sqrt(estimate->deviation * estimate->deviation + square / (4 * all));
  return std::min(1.0, (estimate->value + square / 2 + sigmas * spread) / (1 + square));
}

std::optional<Estimate> chsh(const ChshCounts& counts) noexcept {
  struct Term {
    const Coincidences& outcomes;
    double sign;
  };
  const std::array<Term, 4> terms{{{counts.a1_b1, 1}, {counts.a1_b3, -1}, {counts.a3_b1, 1}, {counts.a3_b3, 1}}};
  double sum = 0;
  double variance = 0;
  for (const auto& [outcomes, sign] : terms) {
    const double all = static_cast<double>(outcomes.same) + static_cast<double>(outcomes.different);
    if (all == 0) return std::nullopt;
    const double correlation = (static_cast<double>(outcomes.same) - static_cast<double>(outcomes.different)) / all;
    sum += sign * correlation;
    variance += (1 - correlation * correlation) / all;
  }
  return Estimate{sum, std::sqrt(variance)};
}

double phase_error(double s, double bit_error) noexcept {
  return std::clamp(1 - std::abs(s) / (2 * std::numbers::sqrt2) - bit_error, 0.0, 0.5);
}

}  // namespace qsp::e91::keyrate

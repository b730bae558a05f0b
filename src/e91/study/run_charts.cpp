#include "e91/study/run_charts.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/try.hpp"

namespace qsp::e91::study {
namespace {

using files::OrText;
using view::Chart;

/// Theory, and dots at every so many of its places.
OrText<Sweep> series_of(crypto::Provider& provider, const LinkOptions& options, const Parameter& parameter, double from,
                        double to, std::size_t steps, std::size_t dots) {
  QSP_TRY(auto curve, theory_curve(provider, options, parameter, from, to, steps));
  Sweep series{.parameter = parameter, .curve = std::move(curve), .sampled = {}};
  for (std::size_t i = 0; dots > 0 && i <= dots; ++i) {
    const double x = from + (to - from) * static_cast<double>(i) / static_cast<double>(dots);
    QSP_TRY(auto point, point_at(provider, options, parameter, x, {.coincidences = 20'000, .blocks = 0}));
    series.sampled.push_back(std::move(point));
  }
  return series;
}

/// Where no key is left, even of a run without end: a distance worth looking at.
OrText<double> longest_distance(crypto::Provider& provider, const LinkOptions& options) {
  const Parameter& distance = parameter_named("distance");
  constexpr int kStep = 20;
  constexpr int kFar = 600;
  for (int km = kStep; km < kFar; km += kStep) {
    QSP_TRY(const auto point, point_at(provider, options, distance, km, {.coincidences = 0, .blocks = 0}));
    if (!(point.forecast.endless_rate_per_s > 0)) return km;
  }
  return kFar;
}

}  // namespace

OrText<std::vector<Chart>> run_charts(crypto::Provider& provider, const LinkOptions& options, const Setup& setup,
                                      const Total& total, const std::vector<PublishedRate>& published) {
  std::vector<Chart> charts;

  LinkOptions attacked = options;
  if (!has_amount(attacked.eve->kind())) attacked.eve = default_attack(setup.link.config.mode);
  attacked.p_z = 0.5;  // as many rounds for either basis, and many for the Bell test
  QSP_TRY(const auto over_eve, series_of(provider, attacked, parameter_named("eve"), 0, 1, 40, 10));
  charts.push_back(bell_chart(over_eve));
  charts.push_back(error_chart(over_eve));
  QSP_TRY(const auto form, with_amount(*attacked.eve, "f"));
  for (Chart& chart : charts) chart.title += fmt::format(" under {}", form);

  LinkOptions turned = options;
  turned.p_z = 0.5;
  QSP_TRY(auto over_angle, series_of(provider, turned, parameter_named("angle"), -180, 180, 90, 24));
  charts.push_back(correlation_chart(over_angle));

  if (setup.link.config.bob.fibre_km > 0) {
    QSP_TRY(const auto far, longest_distance(provider, options));
    QSP_TRY(auto over_distance, series_of(provider, options, parameter_named("distance"), 0, far, 60, 0));
    Point here{.x = setup.link.config.bob.fibre_km, .link = setup.link.config};
    here.blocks = {{.length = total.length, .seconds = total.seconds, .verdict = {}}};
    over_distance.sampled.push_back(std::move(here));
    charts.push_back(rate_chart(over_distance, published));
  }
  return charts;
}

}  // namespace qsp::e91::study

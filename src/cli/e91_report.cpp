#include "cli/e91_report.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "e91/view/page.hpp"

namespace qsp::cli {
namespace {

using e91::view::Chart;
using files::OrText;

/// Theory, and dots at every so many of its places.
OrText<E91Series> series_of(crypto::Provider& provider, const E91LinkOptions& options, const E91Parameter& parameter,
                            double from, double to, std::size_t steps, std::size_t dots) {
  auto curve = theory_curve(provider, options, parameter, from, to, steps);
  if (!curve) return std::unexpected(std::move(curve.error()));
  E91Series series{.parameter = parameter, .curve = std::move(*curve), .sampled = {}};
  for (std::size_t i = 0; dots > 0 && i <= dots; ++i) {
    const double x = from + (to - from) * static_cast<double>(i) / static_cast<double>(dots);
    auto point = e91_point(provider, options, parameter, x, {.coincidences = 20'000, .blocks = 0});
    if (!point) return std::unexpected(std::move(point.error()));
    series.sampled.push_back(std::move(*point));
  }
  return series;
}

/// Where no key is left, even of a run without end: a distance worth looking at.
OrText<double> longest_distance(crypto::Provider& provider, const E91LinkOptions& options) {
  const E91Parameter& distance = e91_parameter("distance");
  constexpr int kStep = 20;
  constexpr int kFar = 600;
  for (int km = kStep; km < kFar; km += kStep) {
    const auto point = e91_point(provider, options, distance, km, {.coincidences = 0, .blocks = 0});
    if (!point) return std::unexpected(point.error());
    if (!(point->forecast.endless_rate_per_s > 0)) return km;
  }
  return kFar;
}

constexpr std::array kLimits{
    "The link is simulated: there is no quantum security in these keys. They are as secret as the random numbers they "
    "came from and the process that held them. What is real is the post-processing.",
    "The stations trust their own devices. An attacker who blinds detectors (arXiv:1106.2754; --eve blinding) shows a "
    "perfect S and no error, and knows every bit.",
    "A secret length in biased mode follows the finite-key bound of Tomamichel and Leverrier (2017) for "
    "Alice's disclosed parities, with the error rate that was seen in place of a threshold fixed beforehand. In "
    "classic "
    "mode it is asymptotic. Both count the parities of Alice; that this covers two-way Cascade is subject to the "
    "caveat "
    "of Tupkary and Lütkenhaus (2023).",
};

}  // namespace

std::string simulated_notice(bool seeded) {
  return seeded ? "SIMULATED, and repeatable from its seed: these keys are no secrets."
                : "SIMULATED: these keys are as secret as this process. No quantum security.";
}

std::string report_page(const E91Report& report, bool seeded) {
  e91::view::Page page;
  page.title = "E91: " + report.setup.link.title;
  page.notice = simulated_notice(seeded);
  page.sections.push_back({.title = "Link",
                           .paragraphs = {"Made by: " + report.command},
                           .tables = {{.head = {}, .rows = link_rows(report.setup), .text = true}},
                           .charts = {}});
  page.sections.push_back({.title = "Result",
                           .paragraphs = {},
                           .tables = {{.head = {}, .rows = total_rows(report.setup, report.total), .text = true}},
                           .charts = {}});
  page.sections.push_back({.title = "Plots",
                           .paragraphs = {"Lines are theory for this link. Dots were simulated, with error bars of one "
                                          "standard deviation."},
                           .tables = {},
                           .charts = report.charts});
  E91Rows rows = block_rows(report.setup.link.config.mode, report.blocks);
  e91::view::Table table{.head = std::move(rows.front()), .rows = {}, .text = false};
  rows.erase(rows.begin());
  table.rows = std::move(rows);
  page.sections.push_back({.title = "Blocks", .paragraphs = {}, .tables = {std::move(table)}, .charts = {}});
  page.sections.push_back({.title = "Limits",
                           .paragraphs = std::vector<std::string>(kLimits.begin(), kLimits.end()),
                           .tables = {},
                           .charts = {}});
  return e91::view::html(page);
}

OrText<std::vector<Chart>> run_charts(crypto::Provider& provider, const E91LinkOptions& options, const E91Setup& setup,
                                      const E91Total& total, const std::vector<E91Published>& published) {
  std::vector<Chart> charts;

  E91LinkOptions attacked = options;
  if (attacked.eve == "none" || attacked.eve == "blinding" || attacked.eve == "source:separable") {
    attacked.eve = default_attack(setup.link.config.mode);
  }
  attacked.p_z = 0.5;  // as many rounds for either basis, and many for the Bell test
  const auto over_eve = series_of(provider, attacked, e91_parameter("eve"), 0, 1, 40, 10);
  if (!over_eve) return std::unexpected(over_eve.error());
  charts.push_back(bell_chart(*over_eve));
  charts.push_back(error_chart(*over_eve));
  const auto form = with_amount(attacked.eve, "f");
  if (!form) return std::unexpected(form.error());
  for (Chart& chart : charts) chart.title += fmt::format(" under {}", *form);

  E91LinkOptions turned = options;
  turned.p_z = 0.5;
  auto over_angle = series_of(provider, turned, e91_parameter("angle"), -180, 180, 90, 24);
  if (!over_angle) return std::unexpected(over_angle.error());
  charts.push_back(correlation_chart(*over_angle));

  if (setup.link.config.bob.fibre_km > 0) {
    const auto far = longest_distance(provider, options);
    if (!far) return std::unexpected(far.error());
    auto over_distance = series_of(provider, options, e91_parameter("distance"), 0, *far, 60, 0);
    if (!over_distance) return std::unexpected(over_distance.error());
    E91Point here{.x = setup.link.config.bob.fibre_km, .link = setup.link.config};
    here.blocks = {{.length = total.length, .seconds = total.seconds, .verdict = {}}};
    over_distance->sampled.push_back(std::move(here));
    charts.push_back(rate_chart(*over_distance, published));
  }
  return charts;
}

}  // namespace qsp::cli

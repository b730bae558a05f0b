#include "e91/study/charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <functional>

#include "base/try.hpp"
#include "files/file.hpp"
#include "files/replacement.hpp"

namespace qsp::e91::study {
namespace {

using files::OrText;
using view::Axis;
using view::Chart;
using view::Mark;
using view::Series;

using Value = std::function<std::optional<keyrate::Estimate>(const Point&)>;

Series series_of(std::string name, std::size_t colour, Mark mark, const std::vector<Point>& points,
                 const Value& value) {
  Series series{.name = std::move(name), .mark = mark, .colour = colour};
  for (const Point& point : points) {
    if (const auto seen = value(point)) series.points.push_back({point.x, seen->value, seen->deviation});
  }
  return series;
}

/// A line through what theory says.
Series line_of(std::string name, std::size_t colour, const Sweep& series,
               const std::function<double(const Point&)>& value, Mark mark = Mark::Line) {
  return series_of(std::move(name), colour, mark, series.curve,
                   [&](const Point& point) { return keyrate::Estimate{value(point), 0}; });
}

Series dots_of(std::string name, std::size_t colour, const Sweep& series, const Value& value) {
  return series_of(std::move(name), colour, Mark::Dots, series.sampled, value);
}

Axis x_axis(const Sweep& series) {
  const auto [least, most] = std::ranges::minmax(series.curve, {}, &Point::x);
  return {.label = std::string(series.parameter.axis), .from = least.x, .to = most.x};
}

std::string id_of(std::string_view what, const Sweep& series) {
  return fmt::format("{}-over-{}", what, series.parameter.name);
}

constexpr double percent(double share) noexcept { return 100 * share; }

keyrate::Estimate in_percent(const keyrate::Estimate& share) noexcept {
  return {.value = percent(share.value), .deviation = percent(share.deviation)};
}

}  // namespace

OrText<std::vector<PublishedRate>> published_rates(const std::vector<std::string>& files) {
  std::vector<PublishedRate> rates;
  for (const std::string& file : files) {
    QSP_TRY(const auto link, link::load_link_file(file));
    const auto& published = link.published;
    if (!published.distance_km || !published.key_rate_per_s) continue;
    rates.push_back({.name = fmt::format("{}: {:g} bit/s", link.title, *published.key_rate_per_s),
                     .x = *published.distance_km,
                     .rate_per_s = *published.key_rate_per_s});
  }
  return rates;
}

OrText<std::vector<Point>> theory_curve(crypto::Provider& provider, const LinkOptions& options,
                                        const Parameter& parameter, double from, double to, std::size_t steps) {
  std::vector<Point> curve;
  for (std::size_t i = 0; i <= steps; ++i) {
    const double x = from + (to - from) * static_cast<double>(i) / static_cast<double>(steps);
    QSP_TRY(auto point, point_at(provider, options, parameter, x, {.coincidences = 0, .blocks = 0}));
    curve.push_back(std::move(point));
  }
  return curve;
}

Chart bell_chart(const Sweep& series) {
  Chart chart{.id = id_of("bell", series), .title = "Bell test: |S|", .x = x_axis(series)};
  chart.y = {.label = "|S|", .from = 0, .to = 3};
  chart.series.push_back(line_of("theory", 0, series, [](const Point& point) { return std::abs(point.theory.s); }));
  chart.series.push_back(dots_of("simulated, ± one standard deviation", 0, series, [](const Point& point) {
    auto s = point.s;
    if (s) s->value = std::abs(s->value);
    return s;
  }));
  chart.levels = {
      {2 * std::numbers::sqrt2, "2√2, quantum mechanics"}, {2.206, "2.206, the floor"}, {2, "2, local realism"}};
  chart.levels[2].below = true;
  return chart;
}

Chart error_chart(const Sweep& series) {
  Chart chart{.id = id_of("errors", series), .title = "Error rates", .x = x_axis(series)};
  chart.series.push_back(
      line_of("QBER, theory", 0, series, [](const Point& point) { return percent(point.theory.qber); }));
  chart.series.push_back(line_of(
      "phase error, theory", 1, series, [](const Point& point) { return percent(point.theory_phase_error()); },
      Mark::Dashes));
  chart.series.push_back(
      dots_of("QBER, simulated", 0, series, [](const Point& point) { return point.qber.transform(in_percent); }));
  chart.series.push_back(dots_of("phase error, simulated", 1, series,
                                 [](const Point& point) { return point.phase_error.transform(in_percent); }));
  double most = 12;
  for (const Series& one : chart.series) {
    for (const view::Point& point : one.points) most = std::max(most, point.y);
  }
  chart.y = {.label = "errors, %", .from = 0, .to = std::min(100.0, 1.1 * most)};
  chart.levels = {{11, "11 %, the tolerance"}};
  return chart;
}

Chart rate_chart(const Sweep& series, const std::vector<PublishedRate>& published) {
  Chart chart{.id = id_of("rate", series), .title = "Secret key rate", .x = x_axis(series)};
  chart.series.push_back(line_of("theory, run without end", 0, series,
                                 [](const Point& point) { return point.forecast.endless_rate_per_s; }));
  chart.series.push_back(line_of(
      "theory, these blocks", 1, series, [](const Point& point) { return point.forecast.rate_per_s; }, Mark::Dashes));
  chart.series.push_back(dots_of("simulated", 1, series, [](const Point& point) {
    return point.rate_per_s().transform([](double rate) { return keyrate::Estimate{rate, 0}; });
  }));
  std::size_t colour = 2;
  for (const PublishedRate& one : published) {
    const bool off = one.x > chart.x.to || one.x < chart.x.from;
    chart.series.push_back({.name = one.name + (off ? " (off the chart)" : ""),
                            .mark = Mark::Dots,
                            .colour = colour++,
                            .points = {{one.x, one.rate_per_s}}});
  }
  double least = 1e300;
  double most = 1e-2;
  for (const Series& one : chart.series) {
    for (const view::Point& point : one.points) {
      if (!(point.y > 0)) continue;
      most = std::max(most, point.y);
      if (one.mark == Mark::Dots) least = std::min(least, point.y);
    }
  }
  // A curve falls to nothing at its end; what is sampled or published decides how deep to look.
  const bool falls = series.parameter.name == "distance" || series.parameter.name == "loss-db";
  least = std::clamp(least, 1e-2, std::max(1e-2, most * (falls ? 1e-5 : 0.1)));
  chart.y = {.label = "secret bits per second",
             .from = std::pow(10, std::floor(std::log10(least))),
             .to = std::pow(10, std::ceil(std::log10(most) + 0.01)),
             .logarithmic = true};
  return chart;
}

Chart correlation_chart(const Sweep& series) {
  Chart chart{.id = id_of("correlation", series), .title = "Correlation E(θ) of the two bits", .x = x_axis(series)};
  chart.y = {.label = "E(θ)", .from = -1.1, .to = 1.1};
  chart.x.step = 45;
  const bool biased = series.curve.front().link.mode == Mode::Biased;
  const std::size_t first = biased ? 0 : 1;
  const std::array<const char*, 2> names{biased ? "Alice at 0° (Z)" : "Alice at 45°", "Alice at 90°"};
  chart.series.push_back(line_of(fmt::format("{}, theory", names[0]), 0, series, [first](const Point& point) {
    return point.theory.settings.at(first)[0].correlation();
  }));
  chart.series.push_back(line_of(
      fmt::format("{}, theory", names[1]), 1, series,
      [first](const Point& point) { return point.theory.settings.at(first + 1)[1].correlation(); }, Mark::Dashes));
  chart.series.push_back(dots_of(fmt::format("{}, simulated", names[0]), 0, series,
                                 [](const Point& point) { return point.correlation_z; }));
  chart.series.push_back(dots_of(fmt::format("{}, simulated", names[1]), 1, series,
                                 [](const Point& point) { return point.correlation_x; }));
  return chart;
}

std::vector<Chart> charts_of(const Sweep& series, const std::vector<PublishedRate>& published) {
  std::vector<Chart> charts;
  if (series.parameter.name == "angle") charts.push_back(correlation_chart(series));
  charts.push_back(bell_chart(series));
  charts.push_back(error_chart(series));
  charts.push_back(rate_chart(series, published));
  return charts;
}

OrText<std::vector<std::string>> write_charts(const std::string& folder, const std::vector<Chart>& charts) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return std::unexpected(folder + ": cannot be made: " + error.message());
  std::vector<std::string> names;
  for (const Chart& chart : charts) {
    names.push_back(folder + '/' + chart.id + ".svg");
    const std::string picture = view::svg(chart);
    QSP_TRY(files::replace_file(names.back(), as_bytes(picture), files::kAsUmaskAllows));
  }
  return names;
}

}  // namespace qsp::e91::study

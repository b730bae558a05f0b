#include "e91/study/sweep.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <utility>

#include "base/try.hpp"
#include "e91/study/rows.hpp"
#include "text/table.hpp"

namespace qsp::e91::study {
namespace {

std::string verdict_of(const Point& point) { return point.blocks.empty() ? "" : point.blocks.back().verdict; }

boost::json::object json_of(const Point& point) {
  const auto rate = point.rate_per_s();
  return {{"x", point.x},
          {"p_z", point.link.p_z},
          {"block_bits", point.block_bits},
          {"theory",
           {{"s", point.theory.s},
            {"qber", point.theory.qber},
            {"phase_error", point.theory_phase_error()},
            {"correlation_z", point.theory.settings[0][0].correlation()},
            {"sifted_bits_per_s", point.theory.key_pairs_per_s},
            {"secret_bits_per_s", point.forecast.rate_per_s},
            {"endless_secret_bits_per_s", point.forecast.endless_rate_per_s}}},
          {"simulated",
           {{"s", estimate_json(point.s)},
            {"qber", estimate_json(point.qber)},
            {"phase_error", estimate_json(point.phase_error)},
            {"correlation_z", estimate_json(point.correlation_z)},
            {"secret_bits_per_s", rate ? boost::json::value(*rate) : boost::json::value(nullptr)},
            {"verdict", verdict_of(point)}}}};
}

text::Rows rows_of(const Parameter& parameter, const std::vector<Point>& points) {
  const auto text = [](const auto& value, const auto& form) { return value ? form(*value) : std::string("–"); };
  text::Rows rows{{std::string(parameter.name), "S theory", "S", "QBER theory", "QBER", "e_phase theory", "e_phase",
                   "bit/s endless", "bit/s theory", "bit/s", "verdict"}};
  for (const Point& point : points) {
    rows.push_back({fmt::format("{:g}", point.x), fmt::format("{:.3f}", point.theory.s), text(point.s, estimate_text),
                    fmt::format("{:.2f} %", 100 * point.theory.qber), text(point.qber, percent_text),
                    fmt::format("{:.2f} %", 100 * point.theory_phase_error()), text(point.phase_error, percent_text),
                    rate_text(point.forecast.endless_rate_per_s), rate_text(point.forecast.rate_per_s),
                    text(point.rate_per_s(), rate_text), verdict_of(point)});
  }
  return rows;
}

}  // namespace

std::string table_of(const Parameter& parameter, const std::vector<Point>& points) {
  return text::columns(rows_of(parameter, points));
}

boost::json::array json_of(const std::vector<Point>& points) {
  boost::json::array rows;
  for (const Point& point : points) rows.push_back(json_of(point));
  return rows;
}

files::OrText<std::vector<std::string>> draw_sweep(crypto::Provider& provider, const LinkOptions& options,
                                                   const Parameter& parameter, const Places& places,
                                                   const std::vector<Point>& points, const SweepPlot& plot) {
  constexpr std::size_t kSmooth = 60;
  QSP_TRY(const auto published, published_rates(plot.published));
  QSP_TRY(auto curve, theory_curve(provider, options, parameter, places.from, places.to, kSmooth));
  return write_charts(plot.folder,
                      charts_of({.parameter = parameter, .curve = std::move(curve), .sampled = points}, published));
}

}  // namespace qsp::e91::study

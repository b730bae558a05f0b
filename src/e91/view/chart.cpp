#include "e91/view/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "text/escape.hpp"

namespace qsp::e91::view {
namespace {

constexpr double kWidth = 720;
constexpr double kPlotHeight = 330;
constexpr double kLeft = 76;
constexpr double kRight = 20;
constexpr double kTop = 40;
constexpr double kBelow = 58;  ///< the plot: numbers and label of the x axis
constexpr double kLegendRow = 20;
constexpr double kLegendMark = 30;
constexpr double kLetter = 6.7;  ///< the mean width of a letter of 12 px

// Each colour has a contrast of at least 4.5 to 1 on its ground.
constexpr std::string_view kChartStyle =
    "<style>svg.e91{color-scheme:light dark;font:12px system-ui,sans-serif}"
    ".e91 text{fill:#333}.e91 .t{font-size:15px;font-weight:600}.e91 .a{stroke:#777;fill:none}"
    ".e91 .g{stroke:#ddd;fill:none}.e91 .v{stroke:#777;stroke-dasharray:2 3;fill:none}.e91 .n{fill:#666;font-size:11px}"
    ".e91 .c0{stroke:#0b62a4;fill:#0b62a4}.e91 .c1{stroke:#b8420f;fill:#b8420f}.e91 .c2{stroke:#0d7457;fill:#0d7457}"
    ".e91 .c3{stroke:#8e3a7d;fill:#8e3a7d}.e91 .c4{stroke:#7c6200;fill:#7c6200}.e91 .c5{stroke:#555;fill:#555}"
    ".e91 .l{fill:none;stroke-width:2}.e91 .d{stroke-dasharray:7 4}.e91 .e{fill:none;stroke-width:1.2}"
    "@media(prefers-color-scheme:dark){.e91 text{fill:#ddd}.e91 .a,.e91 .v{stroke:#999}.e91 .g{stroke:#444}"
    ".e91 .n{fill:#aaa}.e91 .c0{stroke:#6cb6ff;fill:#6cb6ff}.e91 .c1{stroke:#ff9b5e;fill:#ff9b5e}"
    ".e91 .c2{stroke:#4fd1a5;fill:#4fd1a5}.e91 .c3{stroke:#e39ad0;fill:#e39ad0}.e91 .c4{stroke:#e6c34a;fill:#e6c34a}"
    ".e91 .c5{stroke:#bbb;fill:#bbb}.e91 .l,.e91 .e{fill:none}}</style>\n";

/// Places of the plot in pixels.
class Frame {
 public:
  explicit Frame(const Chart& chart) noexcept : x_(chart.x), y_(chart.y) {}
  static double right() noexcept { return kWidth - kRight; }
  static double bottom() noexcept { return kTop + kPlotHeight; }
  [[nodiscard]] double x(double value) const noexcept { return kLeft + share(x_, value) * (right() - kLeft); }
  [[nodiscard]] double y(double value) const noexcept { return bottom() - share(y_, value) * kPlotHeight; }
  [[nodiscard]] bool can_show(const Point& point) const noexcept { return can(x_, point.x) && can(y_, point.y); }
  /// Dots outside of the plot would lie on something else.
  [[nodiscard]] bool holds(const Point& point) const noexcept {
    return can_show(point) && point.x >= x_.from && point.x <= x_.to && point.y >= y_.from && point.y <= y_.to;
  }

 private:
  static bool can(const Axis& axis, double value) noexcept {
    return std::isfinite(value) && (!axis.logarithmic || value > 0);
  }
  static double share(const Axis& axis, double value) noexcept {
    if (axis.logarithmic) return std::log(value / axis.from) / std::log(axis.to / axis.from);
    return (value - axis.from) / (axis.to - axis.from);
  }

  const Axis& x_;
  const Axis& y_;
};

using Out = std::back_insert_iterator<std::string>;

std::string number(const Axis& axis, double value) {
  if (!axis.logarithmic) return fmt::format("{:g}", std::abs(value) < 1e-12 * (axis.to - axis.from) ? 0 : value);
  return fmt::format("10<tspan dy=\"-5\" font-size=\"9\">{}</tspan>", std::lround(std::log10(value)));
}

void draw_axes(Out out, const Chart& chart, const Frame& frame) {
  for (const double tick : ticks(chart.x)) {
    const double x = frame.x(tick);
    fmt::format_to(
        out,
        "<path class=\"g\" d=\"M{0:.1f} {1}V{2}\"/><text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4}</text>\n",
        x, kTop, Frame::bottom(), Frame::bottom() + 18, number(chart.x, tick));
  }
  for (const double tick : ticks(chart.y)) {
    const double y = frame.y(tick);
    fmt::format_to(
        out, "<path class=\"g\" d=\"M{0} {1:.1f}H{2}\"/><text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
        kLeft, y, Frame::right(), kLeft - 8, y + 4, number(chart.y, tick));
  }
  fmt::format_to(out, "<path class=\"a\" d=\"M{} {}V{}H{}\"/>\n", kLeft, kTop, Frame::bottom(), Frame::right());
  fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (kLeft + Frame::right()) / 2,
                 Frame::bottom() + 40, text::xml_escape(chart.x.label));
  fmt::format_to(out, "<text transform=\"translate(18 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                 kTop + kPlotHeight / 2, text::xml_escape(chart.y.label));
}

void draw_line(Out out, const Series& series, const Frame& frame) {
  std::string path;
  bool drawing = false;
  for (const Point& point : series.points) {
    if (!frame.can_show(point)) {
      drawing = false;
      continue;
    }
    // Far outside of the plot it makes no difference where, and viewers dislike large numbers.
    const double y = std::clamp(frame.y(point.y), -10 * kPlotHeight, 10 * kPlotHeight);
    fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", drawing ? 'L' : 'M', frame.x(point.x), y);
    drawing = true;
  }
  fmt::format_to(out, "<path class=\"c{} l{}\" d=\"{}\"/>\n", series.colour % kColours,
                 series.mark == Mark::Dashes ? " d" : "", path);
}

/// Series of dots differ in shape too, not in colour only.
void draw_dot(Out out, std::size_t colour, double x, double y) {
  switch (colour % 4) {
    case 0:
      fmt::format_to(out, "<circle class=\"c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"/>", colour, x, y);
      return;
    case 1:
      fmt::format_to(out, "<path class=\"c{}\" d=\"M{:.1f} {:.1f}h7v7h-7z\"/>", colour, x - 3.5, y - 3.5);
      return;
    case 2:
      fmt::format_to(out, "<path class=\"c{}\" d=\"M{:.1f} {:.1f}l4.5 8h-9z\"/>", colour, x, y - 5);
      return;
    default:
      fmt::format_to(out, "<path class=\"c{}\" d=\"M{:.1f} {:.1f}l5 5l-5 5l-5 -5z\"/>", colour, x, y - 5);
  }
}

void draw_dots(Out out, const Series& series, const Frame& frame) {
  const std::size_t colour = series.colour % kColours;
  for (const Point& point : series.points) {
    if (!frame.holds(point)) continue;
    const double x = frame.x(point.x);
    if (point.error > 0 && std::isfinite(point.error)) {
      const double high = frame.y(point.y + point.error);
      const Point low{.x = point.x, .y = point.y - point.error};
      const double end = frame.can_show(low) ? frame.y(low.y) : Frame::bottom();
      fmt::format_to(out, "<path class=\"c{0} e\" d=\"M{1:.1f} {2:.1f}V{3:.1f}M{4:.1f} {2:.1f}h6M{4:.1f} {3:.1f}h6\"/>",
                     colour, x, high, end, x - 3);
    }
    draw_dot(out, colour, x, frame.y(point.y));
    fmt::format_to(out, "\n");
  }
}

struct LegendPlace {
  double x;
  std::size_t row;
};

/// Where each series' name stands, and in the last element where the next would.
std::vector<LegendPlace> place_legend(const Chart& chart) {
  std::vector<LegendPlace> places{{kLeft, 0}};
  for (const Series& series : chart.series) {
    const double width = kLegendMark + kLetter * static_cast<double>(series.name.size()) + 18;
    LegendPlace& place = places.back();
    if (place.x + width > kWidth && place.x > kLeft) place = {kLeft, place.row + 1};
    places.push_back({place.x + width, place.row});
  }
  return places;
}

void draw_legend(Out out, const Chart& chart, const std::vector<LegendPlace>& places) {
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const Series& series = chart.series[i];
    const double y = Frame::bottom() + kBelow + kLegendRow * static_cast<double>(places[i].row) + 6;
    const double x = places[i].x;
    if (series.mark == Mark::Dots) {
      draw_dot(out, series.colour % kColours, x + 12, y - 4);
    } else {
      fmt::format_to(out, "<path class=\"c{} l{}\" d=\"M{:.1f} {:.1f}h24\"/>", series.colour % kColours,
                     series.mark == Mark::Dashes ? " d" : "", x, y - 4);
    }
    fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x + kLegendMark, y,
                   text::xml_escape(series.name));
  }
}

}  // namespace

std::vector<double> ticks(const Axis& axis) {
  std::vector<double> places;
  if (axis.logarithmic) {
    constexpr double kSlack = 1e-9;
    const double last = std::log10(axis.to) + kSlack;
    const double first = std::ceil(std::log10(axis.from) - kSlack);
    const int step = std::max(1, static_cast<int>(std::ceil((last - first) / 10)));
    for (int power = static_cast<int>(first); power <= last; power += step) places.push_back(std::pow(10, power));
    return places;
  }
  constexpr double kMost = 9;
  const double least = (axis.to - axis.from) / kMost;
  const double power = std::pow(10, std::floor(std::log10(least)));
  const std::array steps{power, 2 * power, 5 * power, 10 * power};
  const double suits = *std::ranges::find_if(steps, [&](double one) { return one >= least || one == steps.back(); });
  const double step = axis.step > 0 ? axis.step : suits;
  for (double i = std::ceil(axis.from / step - 1e-9); i * step <= axis.to + 1e-9 * step; ++i)
    places.push_back(i * step);
  return places;
}

std::string svg(const Chart& chart) {
  const Frame frame(chart);
  const std::vector<LegendPlace> legend = place_legend(chart);
  const double rows = chart.series.empty() ? 0 : static_cast<double>(legend[chart.series.size() - 1].row + 1);
  const double height = Frame::bottom() + kBelow + rows * kLegendRow;
  std::string text;
  const Out out = std::back_inserter(text);
  fmt::format_to(out,
                 "<svg class=\"e91\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
                 "height=\"{1}\" role=\"img\" aria-label=\"{2}\">\n{3}",
                 kWidth, height, text::xml_escape(chart.title), kChartStyle);
  fmt::format_to(out, "<text class=\"t\" x=\"{}\" y=\"22\">{}</text>\n", kLeft, text::xml_escape(chart.title));
  draw_axes(out, chart, frame);
  fmt::format_to(out, "<clipPath id=\"{}-plot\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n",
                 text::xml_escape(chart.id), kLeft, kTop, Frame::right() - kLeft, kPlotHeight);
  fmt::format_to(out, "<g clip-path=\"url(#{}-plot)\">\n", text::xml_escape(chart.id));
  for (const Level& level : chart.levels) {
    const double y = frame.y(level.y);
    fmt::format_to(out,
                   "<path class=\"v\" d=\"M{0} {1:.1f}H{2}\"/><text class=\"n\" x=\"{3}\" y=\"{4:.1f}\" "
                   "text-anchor=\"end\">{5}</text>\n",
                   kLeft, y, Frame::right(), Frame::right() - 6, level.below ? y + 13 : y - 4,
                   text::xml_escape(level.name));
  }
  for (const Series& series : chart.series) {
    if (series.mark != Mark::Dots) draw_line(out, series, frame);
  }
  fmt::format_to(out, "</g>\n");
  for (const Series& series : chart.series) {
    if (series.mark == Mark::Dots) draw_dots(out, series, frame);
  }
  draw_legend(out, chart, legend);
  text += "</svg>\n";
  return text;
}

}  // namespace qsp::e91::view

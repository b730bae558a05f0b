#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Pictures and pages from plain numbers. Text in, text out: no files, and nothing that a page would load from
/// elsewhere.
namespace qsp::e91::view {

struct Point {
  double x = 0;
  double y = 0;
  double error = 0;  ///< one standard deviation of y; 0: none is drawn
};

enum class Mark {
  Line,    ///< theory
  Dashes,  ///< theory of another kind
  Dots,    ///< what was sampled or published
};

inline constexpr std::size_t kColours = 6;

/// Points that belong together. Where one is not finite, or not above zero on a logarithmic axis, a line has a gap.
struct Series {
  std::string name;  ///< for the legend
  Mark mark = Mark::Line;
  std::size_t colour = 0;  ///< one of kColours, and for dots a shape too
  std::vector<Point> points{};
};

struct Axis {
  std::string label;  ///< with the unit
  double from = 0;
  double to = 1;
  bool logarithmic = false;  ///< then 0 < from
  double step = 0;           ///< from one number to the next; 0: what suits
};

/// A value of y that means something, drawn across the chart.
struct Level {
  double y = 0;
  std::string name;
  bool below = false;  ///< the name stands below it, not above
};

struct Chart {
  std::string id;  ///< of letters, digits and '-'; no two charts of a page have the same
  std::string title;
  Axis x{};
  Axis y{};
  std::vector<Series> series{};
  std::vector<Level> levels{};
};

/// The chart as an SVG element: readable on light and on dark ground, without scripts.
/// Precondition: both axes have from < to.
std::string svg(const Chart& chart);

/// Where the numbers of an axis stand: decades, its own steps, or steps of 1, 2 or 5 times a power of ten.
std::vector<double> ticks(const Axis& axis);

}  // namespace qsp::e91::view

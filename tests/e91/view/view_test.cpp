#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "e91/view/page.hpp"

namespace qsp::e91::view {
namespace {

Chart chart_with(std::vector<Series> series) {
  return {.id = "c",
          .title = "T",
          .x = {.label = "km", .from = 0, .to = 10},
          .y = {.label = "bit/s", .from = 1, .to = 1000, .logarithmic = true},
          .series = std::move(series)};
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Ticks, are_round_numbers_inside_the_axis) {
  EXPECT_EQ(ticks({.label = {}, .from = 0, .to = 1}), (std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
  EXPECT_EQ(ticks({.label = {}, .from = -180, .to = 180, .step = 90}), (std::vector<double>{-180, -90, 0, 90, 180}));
  EXPECT_EQ(ticks({.label = {}, .from = 0.5, .to = 200, .logarithmic = true}), (std::vector<double>{1, 10, 100}));
  for (const double to : {1e-9, 0.3, 7.0, 1234.5, 1e12}) {
    const auto places = ticks({.label = {}, .from = 0, .to = to});
    EXPECT_GE(places.size(), 4U) << to;
    EXPECT_LE(places.size(), 11U) << to;
    EXPECT_LE(places.back(), to * (1 + 1e-9));
  }
}

TEST(Escape, leaves_nothing_that_is_markup) {
  const Page page{.title = "<script>",
                  .notice = "</p>",
                  .sections = {{.title = "&", .paragraphs = {"<b>"}, .tables = {}, .charts = {}}}};
  const std::string text = html(page);
  EXPECT_EQ(text.find("<script>"), std::string::npos);
  EXPECT_EQ(text.find("<b>"), std::string::npos);
}

TEST(Svg, draws_no_number_that_is_none) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  const std::vector<Point> points{{0, 10}, {1, nan}, {2, 0}, {3, infinite}, {4, 20, nan}, {5, 30, 1000}, {nan, 1}};
  for (const Mark mark : {Mark::Line, Mark::Dashes, Mark::Dots}) {
    const std::string text = svg(chart_with({{.name = "n", .mark = mark, .colour = 0, .points = points}}));
    EXPECT_EQ(text.find("nan"), std::string::npos);
    EXPECT_EQ(text.find("inf"), std::string::npos);
  }
}

TEST(Svg, breaks_a_line_where_there_is_no_value) {
  const auto pieces = [](std::vector<Point> points) {
    const std::string text =
        svg(chart_with({{.name = "n", .mark = Mark::Line, .colour = 0, .points = std::move(points)}}));
    const std::size_t start = text.find("class=\"c0 l\"");
    return count(text.substr(start, text.find("/>", start) - start), "M");
  };
  EXPECT_EQ(pieces({{0, 10}, {1, 20}, {2, 30}}), 1U);
  EXPECT_EQ(pieces({{0, 10}, {1, 0}, {2, 30}}), 2U);
}

TEST(Svg, draws_dots_inside_the_plot_only) {
  const auto dots = [](std::vector<Point> points) {
    // One more stands in the legend.
    return count(svg(chart_with({{.name = "n", .mark = Mark::Dots, .colour = 0, .points = std::move(points)}})),
                 "<circle") -
           1;
  };
  EXPECT_EQ(dots({{0, 1}, {5, 10}, {10, 1000}}), 3U);
  EXPECT_EQ(dots({{-1, 10}, {11, 10}, {5, 0.5}, {5, 2000}}), 0U);
}

}  // namespace
}  // namespace qsp::e91::view

#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <vector>

#include "e91/study/charts.hpp"

/// What the points of a sweep came to.
namespace qsp::e91::study {

std::string table_of(const Parameter& parameter, const std::vector<Point>& points);
boost::json::array json_of(const std::vector<Point>& points);

struct SweepPlot {
  std::string folder;
  std::vector<std::string> published;  ///< link files whose published key rates are drawn too
};

/// Draws the points over a smooth curve of theory between the ends of `places`. Returns the names of the files. Errors:
/// as published_rates, theory_curve and write_charts.
files::OrText<std::vector<std::string>> draw_sweep(crypto::Provider& provider, const LinkOptions& options,
                                                   const Parameter& parameter, const Places& places,
                                                   const std::vector<Point>& points, const SweepPlot& plot);

}  // namespace qsp::e91::study

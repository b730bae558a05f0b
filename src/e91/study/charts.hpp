#pragma once

#include <string>
#include <vector>

#include "e91/study/points.hpp"
#include "e91/view/chart.hpp"

/// The pictures of `qsp e91`.
namespace qsp::e91::study {

/// A figure that was published, to be drawn beside those of a simulation.
struct PublishedRate {
  std::string name;
  double x = 0;
  double rate_per_s = 0;
};

/// What link files tell of secret rates over distances. Those that tell none are left out. Errors: as load_link_file.
files::OrText<std::vector<PublishedRate>> published_rates(const std::vector<std::string>& files);

/// `curve` is theory, in many points; `sampled` are those that were simulated.
struct Sweep {
  const Parameter& parameter;
  std::vector<Point> curve;
  std::vector<Point> sampled;
};

/// Theory at `steps` places between `from` and `to`. Errors: as point_at.
files::OrText<std::vector<Point>> theory_curve(crypto::Provider& provider, const LinkOptions& options,
                                               const Parameter& parameter, double from, double to, std::size_t steps);

view::Chart bell_chart(const Sweep& series);
view::Chart error_chart(const Sweep& series);
view::Chart rate_chart(const Sweep& series, const std::vector<PublishedRate>& published);
/// E(θ). `series` is over "angle".
view::Chart correlation_chart(const Sweep& series);

/// All that tell something for this parameter.
std::vector<view::Chart> charts_of(const Sweep& series, const std::vector<PublishedRate>& published);

/// Writes each chart to FOLDER/ID.svg, in place of what was there; makes the folder. Returns the names of the files.
files::OrText<std::vector<std::string>> write_charts(const std::string& folder, const std::vector<view::Chart>& charts);

}  // namespace qsp::e91::study

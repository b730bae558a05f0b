#pragma once

#include <string>
#include <vector>

#include "cli/e91_points.hpp"
#include "e91/view/chart.hpp"

/// The pictures of `qsp e91`.
namespace qsp::cli {

/// A figure that was published, to be drawn beside those of a simulation.
struct E91Published {
  std::string name;
  double x = 0;
  double rate_per_s = 0;
};

/// What link files tell of secret rates over distances. Those that tell none are left out. Errors: as load_link_file.
files::OrText<std::vector<E91Published>> published_rates(const std::vector<std::string>& files);

/// `curve` is theory, in many points; `sampled` are those that were simulated.
struct E91Series {
  const E91Parameter& parameter;
  std::vector<E91Point> curve;
  std::vector<E91Point> sampled;
};

/// Theory at `steps` places between `from` and `to`. Errors: as e91_point.
files::OrText<std::vector<E91Point>> theory_curve(crypto::Provider& provider, const E91LinkOptions& options,
                                                  const E91Parameter& parameter, double from, double to,
                                                  std::size_t steps);

e91::view::Chart bell_chart(const E91Series& series);
e91::view::Chart error_chart(const E91Series& series);
e91::view::Chart rate_chart(const E91Series& series, const std::vector<E91Published>& published);
/// E(θ). `series` is over "angle".
e91::view::Chart correlation_chart(const E91Series& series);

/// All that tell something for this parameter.
std::vector<e91::view::Chart> charts_of(const E91Series& series, const std::vector<E91Published>& published);

/// Writes each chart to FOLDER/ID.svg, in place of what was there; makes the folder. Returns the names of the files.
files::OrText<std::vector<std::string>> write_charts(const std::string& folder,
                                                     const std::vector<e91::view::Chart>& charts);

}  // namespace qsp::cli

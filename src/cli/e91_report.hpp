#pragma once

#include <string>
#include <vector>

#include "cli/e91_charts.hpp"
#include "cli/e91_result.hpp"

namespace qsp::cli {

/// A run with its pictures.
struct E91Report {
  const E91Setup& setup;
  const std::vector<E91BlockResult>& blocks;
  const E91Total& total;
  const std::vector<e91::view::Chart>& charts;
  std::string command;  ///< that made it
};

/// What a simulated key is worth: for a table, a page, a log.
std::string simulated_notice(bool seeded);

/// The page as HTML.
std::string report_page(const E91Report& report, bool seeded);

/// The charts of a run: |S| and errors against the fraction that Eve attacks, the secret rate against distance with
/// this run in it, and E(θ). Samples of their own, drawn from `provider`. Errors: as e91_point.
files::OrText<std::vector<e91::view::Chart>> run_charts(crypto::Provider& provider, const E91LinkOptions& options,
                                                        const E91Setup& setup, const E91Total& total,
                                                        const std::vector<E91Published>& published);

}  // namespace qsp::cli

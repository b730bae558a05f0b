#pragma once

#include <string>
#include <vector>

#include "cli/e91_rows.hpp"
#include "e91/view/chart.hpp"

namespace qsp::cli {

/// A run with its pictures.
struct E91Report {
  const e91::study::Setup& setup;
  const std::vector<e91::study::BlockResult>& blocks;
  const e91::study::Total& total;
  const std::vector<e91::view::Chart>& charts;
  std::string command;  ///< that made it
};

/// What a simulated key is worth: for a table, a page, a log.
std::string simulated_notice(bool seeded);

/// The page as HTML.
std::string report_page(const E91Report& report, bool seeded);

}  // namespace qsp::cli

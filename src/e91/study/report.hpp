#pragma once

#include <string>
#include <vector>

#include "e91/study/rows.hpp"
#include "e91/view/chart.hpp"

namespace qsp::e91::study {

/// A run with its pictures.
struct RunReport {
  const Setup& setup;
  const std::vector<BlockResult>& blocks;
  const Total& total;
  const std::vector<view::Chart>& charts;
  std::string command;  ///< that made it
};

/// What a simulated key is worth: for a table, a page, a log.
std::string simulated_notice(bool seeded);

/// The page as HTML.
std::string report_page(const RunReport& report, bool seeded);

}  // namespace qsp::e91::study

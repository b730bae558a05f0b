#pragma once

#include <string>
#include <vector>

#include "e91/view/chart.hpp"

namespace qsp::e91::view {

/// The first column is text. Every row is as long as the head, if there is one.
struct Table {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
  bool text = false;  ///< the other columns are text too, not figures
};

/// A part of a page: its paragraphs, then its tables, then its charts.
struct Section {
  std::string title;
  std::vector<std::string> paragraphs;
  std::vector<Table> tables;
  std::vector<Chart> charts;
};

struct Page {
  std::string title;
  std::string notice;  ///< in a frame at the top
  std::vector<Section> sections;
};

/// The page as one HTML file that is well-formed XML too: style and pictures are inside, and it loads nothing.
std::string html(const Page& page);

}  // namespace qsp::e91::view

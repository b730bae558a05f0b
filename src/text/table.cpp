#include "text/table.hpp"

#include <algorithm>

namespace qsp::text {

std::size_t width(std::string_view text) noexcept {
  // What begins a character in UTF-8.
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string columns(const Rows& rows, LastColumn last) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string room(widths[i] - width(row[i]), ' ');
      if (i == 0) {
        text += row[i] + room;
      } else if (i + 1 == row.size() && last == LastColumn::Left) {
        text += "  " + row[i];
      } else {
        text += "  " + room + row[i];
      }
    }
    text += '\n';
  }
  return text;
}

}  // namespace qsp::text

#include "text/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace qsp::text {
namespace {

/// No name of an option or command is nearly as long; what is typed may be anything.
constexpr std::size_t kLongest = 64;

}  // namespace

std::size_t edit_distance(std::string_view one, std::string_view other) {
  // Optimal string alignment, with the last two rows of the table kept.
  std::vector<std::size_t> before(other.size() + 1);
  std::vector<std::size_t> above(other.size() + 1);
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= one.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool exchanged = i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
      if (exchanged) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above.back();
}

std::optional<std::string> nearest(std::string_view typed, const std::vector<std::string>& names) {
  if (typed.size() > kLongest) return std::nullopt;
  std::optional<std::string> best;
  std::size_t least = 0;
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(typed, name);
    const std::size_t bound = std::max<std::size_t>(1, std::max(typed.size(), name.size()) / 3);
    if (distance > bound || (best && distance >= least)) continue;
    best = name;
    least = distance;
  }
  return best;
}

}  // namespace qsp::text

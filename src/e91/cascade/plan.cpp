#include "e91/cascade/plan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

namespace qsp::e91 {

std::vector<PlannedPass> plan_passes(std::size_t key_size, double qber) {
  const auto whole = static_cast<std::uint8_t>(std::bit_width(key_size - 1));
  static const char* env = std::getenv("PLAN");
  std::vector<PlannedPass> plan;
  (void)qber;
  for (char* at = const_cast<char*>(env); *at != 0;) {
    PlannedPass pass{plan.empty() ? Layout::Natural : Layout::Shuffled, 0, 0, 0};
    pass.block_level = static_cast<std::uint8_t>(std::strtoul(at, &at, 10));
    if (*at) ++at;
    pass.syndrome_level = static_cast<std::uint8_t>(std::strtoul(at, &at, 10));
    if (*at) ++at;
    pass.open_at = static_cast<std::uint32_t>(std::strtoul(at, &at, 10));
    if (*at) ++at;
    plan.push_back(pass);
  }
  for (int i = 0; i < 12; ++i) plan.push_back({Layout::Subset, whole, 6, 0});
  return plan;
}

}  // namespace qsp::e91

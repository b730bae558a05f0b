#include "e91/keyrate/agreement.hpp"

#include <algorithm>
#include <cmath>

namespace qsp::e91::keyrate {
namespace {

/// x ln(x/y), which is 0 at x = 0 whatever y is, and beyond all bounds where y is 0 and x is not.
double relative(double x, double y) noexcept { return x > 0 ? x * std::log(x / y) : 0; }

}  // namespace

Range rate_range(double rate, double slack) noexcept {
  return {.least = rate * std::max(0.0, 1 - slack), .most = rate * (1 + slack)};
}

Range share_range(double share, double slack) noexcept {
  if (slack >= 1) return {.least = 0, .most = 1};
  return {.least = share * (1 - slack) / (1 + slack), .most = std::min(1.0, share * (1 + slack) / (1 - slack))};
}

double chance_of_count(std::uint64_t count, Range mean) noexcept {
  const auto seen = static_cast<double>(count);
  const double nearest = std::clamp(seen, mean.least, mean.most);
  return std::exp(seen - nearest - relative(seen, nearest));
}

double chance_of_errors(const Sample& sample, Range rate) noexcept {
  if (sample.bits == 0) return 1;
  const auto bits = static_cast<double>(sample.bits);
  const double seen = static_cast<double>(sample.errors) / bits;
  const double nearest = std::clamp(seen, rate.least, rate.most);
  return std::exp(-bits * (relative(seen, nearest) + relative(1 - seen, 1 - nearest)));
}

}  // namespace qsp::e91::keyrate

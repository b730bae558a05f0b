#include "e91/keyrate/entropy.hpp"

#include <cfloat>
#include <cmath>
#include <limits>
#include <numbers>

namespace qsp::e91::keyrate {

static_assert(std::numeric_limits<double>::is_iec559 && FLT_EVAL_METHOD == 0, "every operation is rounded to a double");

double log2_of(double x) noexcept {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < 0.5 * std::numbers::sqrt2) {
    mantissa *= 2;
    --exponent;
  }
  // ln m = 2 (s + s^3/3 + s^5/5 + …) with s = (m − 1) / (m + 1). Here |s| < 0.172, so the terms end below 2^-66.
  constexpr int kLastTerm = 25;
  const double s = (mantissa - 1) / (mantissa + 1);
  const double square = s * s;
  double sum = 0;
  for (int term = kLastTerm; term >= 1; term -= 2) sum = sum * square + 1.0 / term;
  return exponent + 2 * std::numbers::log2e * s * sum;
}

double binary_entropy(double p) noexcept {
  if (p <= 0 || p >= 1) return 0;
  return -p * log2_of(p) - (1 - p) * log2_of(1 - p);
}

}  // namespace qsp::e91::keyrate

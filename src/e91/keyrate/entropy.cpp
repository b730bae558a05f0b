#include "e91/keyrate/entropy.hpp"

#include <cfloat>
#include <cmath>
#include <limits>
#include <numbers>

namespace qsp::e91::keyrate {

static_assert(std::numeric_limits<double>::is_iec559 && FLT_EVAL_METHOD == 0, "every operation is rounded to a double");

namespace {

/// log2((1 + s) / (1 − s)) = 2 / ln 2 · (s + s^3/3 + s^5/5 + …). Precondition: |s| < 0.172, where the terms end below
/// 2^-66.
double log2_ratio(double s) noexcept {
  constexpr int kLastTerm = 25;
  const double square = s * s;
  double sum = 0;
  for (int term = kLastTerm; term >= 1; term -= 2) sum = sum * square + 1.0 / term;
  return 2 * std::numbers::log2e * s * sum;
}

}  // namespace

double log2_of(double x) noexcept {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < 0.5 * std::numbers::sqrt2) {
    mantissa *= 2;
    --exponent;
  }
  return exponent + log2_ratio((mantissa - 1) / (mantissa + 1));
}

double binary_entropy(double p) noexcept {
  if (p <= 0 || p >= 1) return 0;
  if (p > 0.5) p = 1 - p;
  // 1 − p would forget the last digits of a small p.
  const double log_rest = p < 0.25 ? log2_ratio(-p / (2 - p)) : log2_of(1 - p);
  return -p * log2_of(p) - (1 - p) * log_rest;
}

}  // namespace qsp::e91::keyrate

#include "e91/keyrate/key_length.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "e91/keyrate/entropy.hpp"

namespace qsp::e91::keyrate {

namespace {

/// The bound on ℓ for one way of dividing ε_sec: the part w / (1 + w) for the phase test, the rest for the hashing. For
/// a given division the condition is two equations, one for ν and one for ℓ.
class Division {
 public:
  explicit Division(const Block& block) noexcept
      : n_(static_cast<double>(block.key_bits)),
        told_(static_cast<double>(block.disclosed) + static_cast<double>(block.verification)),
        rate_(block.test_error_rate),
        log_secrecy_(log2_of(block.secrecy)) {
    const auto k = static_cast<double>(block.test_bits);
    spread_ = (n_ + k) / n_ * ((k + 1) / k) / k;
  }

  /// ν² = ln(2 / ε) (n + k)(k + 1) / (n k²), where ε = ε_sec · w / (1 + w).
  [[nodiscard]] double deviation(double w) const noexcept {
    const double log_failure = log_secrecy_ + log2_of(w) - log2_of(1 + w);
    return std::sqrt((1 - log_failure) * std::numbers::ln2 * spread_);
  }

  /// ℓ = n (1 − h(δ + ν)) − leak − t + 2 log2(2 ε), where ε = ε_sec / (1 + w).
  [[nodiscard]] double length(double w) const noexcept {
    const double phase_error = rate_ + deviation(w);
    if (!(phase_error < 0.5)) return -std::numeric_limits<double>::infinity();
    return n_ * (1 - binary_entropy(phase_error)) - told_ + 2 * (1 + log_secrecy_ - log2_of(1 + w));
  }

 private:
  double n_;
  double told_;
  double rate_;
  double log_secrecy_;
  double spread_ = 0;
};

bool possible(const Block& block) noexcept {
  const std::array counts{block.key_bits, block.test_bits, block.disclosed, block.verification};
  return std::ranges::max(counts) <= kMaxBlock && block.key_bits > 0 && block.test_bits > 0 &&
         block.test_error_rate >= 0 && block.test_error_rate < 0.5 && block.secrecy > 0 && block.secrecy < 1;
}

/// The best w: first to a power of two, then by thirds between its neighbours, where the length has one maximum.
double best_division(const Division& division) noexcept {
  constexpr int kReach = 60;  // 2^-60 of ε_sec, on either side, costs more bits than it brings
  double best = 1;
  double longest = division.length(best);
  for (int exponent = -kReach; exponent <= kReach; ++exponent) {
    const double w = std::ldexp(1.0, exponent);
    const double length = division.length(w);
    if (length > longest) {
      longest = length;
      best = w;
    }
  }
  constexpr int kSteps = 60;
  double low = best / 2;
  double high = best * 2;
  for (int step = 0; step < kSteps; ++step) {
    const double third = (high - low) / 3;
    if (division.length(low + third) < division.length(high - third)) {
      low += third;
    } else {
      high -= third;
    }
  }
  return (low + high) / 2;
}

}  // namespace

KeyLength key_length(const Block& block) noexcept {
  if (!possible(block)) return {};
  const Division division(block);
  const double w = best_division(division);
  const double length = std::floor(division.length(w));
  if (!(length >= 1)) return {};
  return {static_cast<std::uint64_t>(length), division.deviation(w)};
}

}  // namespace qsp::e91::keyrate

#include "e91/keyrate/rate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "e91/keyrate/entropy.hpp"

namespace qsp::e91::keyrate {

double asymptotic_rate(double phase_error, double bit_error, double efficiency) noexcept {
  return 1 - binary_entropy(phase_error) - efficiency * binary_entropy(bit_error);
}

double device_independent_rate(double bit_error, double s) noexcept {
  const double excess = std::max(0.0, s * s / 4 - 1);
  return 1 - binary_entropy(bit_error) - binary_entropy((1 + std::sqrt(excess)) / 2);
}

std::uint64_t asymptotic_length(const ClassicBlock& block) noexcept {
  const std::array counts{block.key_bits, block.disclosed, block.verification};
  const bool possible = block.secrecy > 0 && block.secrecy < 1 && block.bit_error >= 0 && block.sigmas >= 0;
  if (!possible || std::ranges::max(counts) > kMaxBlock) return 0;
  // Not a number, wherever it comes from, ends as no key.
  const double certain = std::max(0.0, std::abs(block.chsh.value) - block.sigmas * block.chsh.deviation);
  const double told = static_cast<double>(block.disclosed) + static_cast<double>(block.verification);
  const double secret = 1 - binary_entropy(phase_error(certain, block.bit_error));
  const double length =
      std::floor(static_cast<double>(block.key_bits) * secret - told + 2 * (1 + log2_of(block.secrecy)));
  return length >= 1 ? static_cast<std::uint64_t>(length) : 0;
}

}  // namespace qsp::e91::keyrate

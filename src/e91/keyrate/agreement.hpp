#pragma once

#include <cstdint>

#include "e91/keyrate/statistics.hpp"

/// Whether counts are what a theory says, judged so that chance alone hardly ever says no.
namespace qsp::e91::keyrate {

/// Where the true mean lies, as far as a theory knows. Precondition of its users: 0 <= least <= most.
struct Range {
  double least = 0;
  double most = 0;
};

/// Theory's rate where it may be off by a share `slack` of itself, and its QBER, a ratio of two such rates.
[[nodiscard]] Range rate_range(double rate, double slack) noexcept;
[[nodiscard]] Range share_range(double share, double slack) noexcept;

/// Chernoff's bound of the chance that a Poisson count comes out as far from its mean on this side, or further:
/// exp(n − m − n ln(n/m)), with the end of the range next to n as m; 1 within the range. It holds for every count of
/// independent events, whose tails are not above Poisson's, and for those that dead time thins out.
[[nodiscard]] double chance_of_count(std::uint64_t count, Range mean) noexcept;

/// The same for the errors in a sample of independent bits: exp(−n D(q‖p)), D the relative entropy of the rates seen
/// and assumed (Hoeffding 1963). 1 for an empty sample. Precondition: errors <= bits.
[[nodiscard]] double chance_of_errors(const Sample& sample, Range rate) noexcept;

}  // namespace qsp::e91::keyrate

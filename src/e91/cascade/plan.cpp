#include "e91/cascade/plan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "e91/cascade/messages.hpp"
#include "e91/cascade/parity.hpp"

namespace qsp::e91::cascade {

namespace {

/// Beyond these an estimate changes nothing: blocks are as long, or as short, as they get.
constexpr double kLowestRate = 1e-4;
constexpr double kHighestRate = 0.25;
/// Errors per block that were found best: shorter blocks disclose more, longer ones take more rounds.
constexpr double kFirstLoad = 0.8;
constexpr double kSecondLoad = 1.3;
/// Errors at most, on average, in a leaf that is finished by its syndrome.
constexpr double kFirstSyndromeLoad = 0.15;
constexpr double kSecondSyndromeLoad = 0.21;
/// The last shuffled pass finds what few errors the first two left in the same places.
constexpr unsigned kLastLevel = 14;
/// Each sees any error left with probability 1/2.
constexpr std::size_t kSubsets = 12;

std::uint8_t level_for(double load, double rate) {
  return static_cast<std::uint8_t>(
      std::clamp(std::lround(std::log2(load / rate)), long{kMinBlockLevel}, long{kLastLevel}));
}

std::uint8_t syndrome_for(double load, double rate) {
  return static_cast<std::uint8_t>(
      std::clamp(std::floor(std::log2(load / rate)), double{kMinSyndromeLevel}, double{kMaxSyndromeLevel}));
}

}  // namespace

Plan make_plan(std::size_t key_size, double qber) {
  const double rate = std::clamp(std::isnan(qber) ? kHighestRate : qber, kLowestRate, kHighestRate);
  const auto whole = static_cast<std::uint8_t>(std::bit_width(key_size - 1));
  const std::uint8_t first = level_for(kFirstLoad, rate);
  // A block of Poisson load m keeps m − P(odd) errors, where P(odd) = (1 − e^−2m) / 2.
  const double load = rate * std::exp2(first);
  const double left = rate * (1 - (1 - std::exp(-2 * load)) / (2 * load));
  // Where the key is short, most places of a shuffled pass are empty.
  const double filled = static_cast<double>(key_size) / static_cast<double>(places_of(Layout::Shuffled, key_size));
  const std::uint8_t second = level_for(kSecondLoad, left * filled);
  const auto last = static_cast<std::uint8_t>(std::max(kLastLevel, second + 1U));
  const auto share = [&](std::size_t part) { return static_cast<std::uint32_t>(key_size / part); };

  std::vector<PlannedPass> passes{
      {Layout::Natural, first, syndrome_for(kFirstSyndromeLoad, rate), 0},
      {Layout::Shuffled, second, syndrome_for(kSecondSyndromeLoad, left), share(200)},
      {Layout::Shuffled, last, kMaxSyndromeLevel, share(30000)},
  };
  passes.insert(passes.end(), kSubsets, {Layout::Subset, whole, kMaxSyndromeLevel, 0});
  return {std::move(passes), static_cast<std::size_t>(rate * static_cast<double>(key_size))};
}

}  // namespace qsp::e91::cascade

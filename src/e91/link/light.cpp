#include "e91/link/light.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>
#include <vector>

namespace qsp::e91::link {

namespace {

constexpr std::size_t kAllDetectors = kPatterns - 1;

/// One pair with probability p: each photon reaches one detector of its side and is seen with the arm's efficiency.
Patterns of_single_pair(const State& state, double p, double a, double b, const Stations& stations) {
  const double seen_a = stations.alice.efficiency;
  const double seen_b = stations.bob.efficiency;
  Patterns patterns{};
  patterns[0] = 1 - p;
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 2; ++j) {
      const double joint = p * state.probability(a, i == 1, b, j == 1);
      const std::size_t alice = i + 1;
      const std::size_t bob = 4 * (j + 1);
      patterns[alice + bob] += joint * seen_a * seen_b;
      patterns[alice] += joint * seen_a * (1 - seen_b);
      patterns[bob] += joint * (1 - seen_a) * seen_b;
      patterns[0] += joint * (1 - seen_a) * (1 - seen_b);
    }
  }
  return patterns;
}

/// The probability that any detector of `group` sees a photon of a pulse of down-conversion, if analysers that are
/// turned like the arms make the scalar product `cosine`.
///
/// A detector of efficiency η stays silent with probability (1−η)^k on k photons. So no detector of a group clicks with
/// probability <Γ(A)⊗Γ(B)>, where A and B are the one-photon matrices with eigenvalues x = 1−η for a detector of the
/// group and 1 for another, and Γ(A) is their power on the modes' photons. The pulse is (1−t) exp(√t ε)|0>, with ε the
/// creator of a singlet and t = λ/(1+λ), so <Γ(A)⊗Γ(B)> = (1−t)²/det(1 − t·A·B'), B' being B with its two
/// polarisations exchanged. The determinant is 1 − t·tr + t²·det. The difference to 1 is worked out on paper, for what
/// is left of it in a lossy link is far below the precision of numbers near 1.
double any_click(std::size_t group, double t, double cosine, const Stations& stations) {
  const auto loss = [group](std::size_t detector, double efficiency) {
    return ((group >> detector) & 1) != 0 ? efficiency : 0.0;
  };
  const std::array<double, 2> a{loss(0, stations.alice.efficiency), loss(1, stations.alice.efficiency)};
  const std::array<double, 2> b{loss(2, stations.bob.efficiency), loss(3, stations.bob.efficiency)};
  const double trace_gap =
      a[0] + a[1] + b[0] + b[1] - ((a[0] + a[1]) * (b[0] + b[1]) - (a[0] - a[1]) * (b[0] - b[1]) * cosine) / 2;
  // 1 − Π(1−η), term by term.
  double determinant_gap = 0;
  for (const double eta : {a[0], a[1], b[0], b[1]}) determinant_gap += eta * (1 - determinant_gap);
  const double gap = t * trace_gap - t * t * determinant_gap;
  return gap / ((1 - t) * (1 - t) + gap);
}

/// From "any of a group" to "exactly these": inclusion and exclusion.
Patterns exactly(const Patterns& any) noexcept {
  Patterns patterns{};
  patterns[0] = 1 - any[kAllDetectors];
  for (std::size_t pattern = 1; pattern < kPatterns; ++pattern) {
    double probability = 0;
    for (std::size_t subset = pattern;; subset = (subset - 1) & pattern) {
      const double term = any[(kAllDetectors & ~pattern) | subset];
      probability += std::popcount(subset) % 2 == 0 ? -term : term;
      if (subset == 0) break;
    }
    patterns[pattern] = std::max(probability, 0.0);
  }
  return patterns;
}

/// The Bloch sphere's turns of a channel, and their weights.
std::vector<std::pair<double, Eigen::Matrix3d>> rotations(const Channel& channel) {
  std::vector<std::pair<double, Eigen::Matrix3d>> result;
  for (const Turn& turn : channel.turns()) result.emplace_back(turn.weight, bloch_rotation(turn.unitary));
  return result;
}

}  // namespace

ClickTables measure(const Light& light, const Stations& stations) {
  ClickTables tables{.alice = stations.alice.angles.size(), .bob = stations.bob.angles.size()};
  const Channel to_bob = light.source.then(light.bob);
  const State state = light.pair.after(light.alice, Side::Alice).after(to_bob, Side::Bob);
  const auto turns_a = rotations(light.alice);
  const auto turns_b = rotations(to_bob);
  const double lambda = light.mean_pairs / 2;
  const double t = lambda / (1 + lambda);
  for (std::size_t i = 0; i < tables.alice; ++i) {
    for (std::size_t j = 0; j < tables.bob; ++j) {
      const double a = stations.alice.angles[i];
      const double b = stations.bob.angles[j];
      Patterns& patterns = tables.patterns.at(i).at(j);
      if (light.statistics == PairStatistics::Single) {
        patterns = of_single_pair(state, light.mean_pairs, a, b, stations);
      } else {
        Patterns any{};
        for (const auto& [weight_a, turn_a] : turns_a) {
          const Axis seen_a = turn_a.transpose() * in_plane(a);
          for (const auto& [weight_b, turn_b] : turns_b) {
            const double cosine = seen_a.dot(turn_b.transpose() * in_plane(b));
            for (std::size_t group = 1; group < kPatterns; ++group) {
              any[group] += weight_a * weight_b * any_click(group, t, cosine, stations);
            }
          }
        }
        patterns = exactly(any);
      }
      add_dark_counts(patterns, stations);
    }
  }
  return tables;
}

}  // namespace qsp::e91::link

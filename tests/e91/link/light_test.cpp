#include "e91/link/light.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace qsp::e91::link {
namespace {

constexpr std::array<double, 4> kAngles{0, 0.4, std::numbers::pi / 2, 2.1};

Stations stations_with(double alice, double bob, double dark = 0) {
  return {.alice = {.angles = kAngles, .efficiency = alice, .dark_probability = dark},
          .bob = {.angles = kAngles, .efficiency = bob, .dark_probability = dark}};
}

double factorial(int n) { return std::tgamma(n + 1.0); }

/// |d^{n/2}(θ)|²: how likely n photons, `from` of them along an axis and the others across it, are counted as `to`
/// along an axis turned by θ. Wigner's sum.
double turned(int n, int from, int to, double theta) {
  double sum = 0;
  for (int s = std::max(0, from - to); s <= std::min(from, n - to); ++s) {
    const double term = std::sqrt(factorial(from) * factorial(n - from) * factorial(to) * factorial(n - to)) /
                        (factorial(from - s) * factorial(s) * factorial(to - from + s) * factorial(n - to - s));
    sum += ((to - from + s) % 2 == 0 ? 1 : -1) * term * std::pow(std::cos(theta / 2), n + from - to - 2 * s) *
           std::pow(std::sin(theta / 2), to - from + 2 * s);
  }
  return sum * sum;
}

/// The other route to the patterns: photons counted one by one, P(n) = (n+1)λⁿ/(1+λ)^{n+2}, Alice's split even, Bob's
/// as the spins turn. With `eve`, Bob's photons are counted at her angle and sent again.
Patterns counted(double mean_pairs, double a, double b, double seen_a, double seen_b, const double* eve = nullptr) {
  const double lambda = mean_pairs / 2;
  Patterns patterns{};
  for (int n = 0;; ++n) {
    const double p_n = (n + 1) * std::pow(lambda, n) / std::pow(1 + lambda, n + 2);
    if (p_n < 1e-14) return patterns;
    for (int k = 0; k <= n; ++k) {
      for (int j = 0; j <= n; ++j) {
        double split = turned(n, n - k, j, b - a);
        if (eve != nullptr) {
          split = 0;
          for (int m = 0; m <= n; ++m) split += turned(n, n - k, m, *eve - a) * turned(n, m, j, b - *eve);
        }
        const std::array<double, 4> dark{std::pow(1 - seen_a, k), std::pow(1 - seen_a, n - k), std::pow(1 - seen_b, j),
                                         std::pow(1 - seen_b, n - j)};
        for (std::size_t pattern = 0; pattern < kPatterns; ++pattern) {
          double p = p_n / (n + 1) * split;
          for (std::size_t d = 0; d < 4; ++d) p *= ((pattern >> d) & 1) != 0 ? 1 - dark.at(d) : dark.at(d);
          patterns.at(pattern) += p;
        }
      }
    }
  }
}

void expect_near(const Patterns& seen, const Patterns& right, double tolerance) {
  for (std::size_t k = 0; k < kPatterns; ++k) EXPECT_NEAR(seen.at(k), right.at(k), tolerance) << "pattern " << k;
}

Light pulses(double mean_pairs) {
  Light light;
  light.statistics = PairStatistics::Spdc;
  light.mean_pairs = mean_pairs;
  return light;
}

TEST(Light, of_many_pairs_is_a_singlet_of_two_spins) {
  for (const double mean : {0.05, 0.4}) {
    const ClickTables tables = measure(pulses(mean), stations_with(0.8, 0.35));
    for (std::size_t i = 0; i < kAngles.size(); ++i) {
      for (std::size_t j = 0; j < kAngles.size(); ++j) {
        expect_near(tables.patterns.at(i).at(j), counted(mean, kAngles.at(i), kAngles.at(j), 0.8, 0.35), 1e-12);
      }
    }
  }
}

TEST(Light, of_many_pairs_that_was_measured_on_the_way_is_counted_twice) {
  const double eve = 1.2;
  Light light = pulses(0.2);
  light.bob = Channel::measured(in_plane(eve));
  const ClickTables tables = measure(light, stations_with(0.8, 0.35));
  for (const std::size_t i : {0U, 1U}) {
    for (const std::size_t j : {1U, 3U}) {
      expect_near(tables.patterns.at(i).at(j), counted(0.2, kAngles.at(i), kAngles.at(j), 0.8, 0.35, &eve), 1e-12);
    }
  }
}

/// Ma, Fung, Lo 2007: the gain and the errors of equal angles, with error e_d and with Y0 dark clicks of each side.
TEST(Light, of_many_pairs_has_the_gain_and_error_of_ma_fung_and_lo) {
  for (const double mean : {1e-4, 0.02, 0.3, 0.9}) {
    for (const double eta_a : {1e-3, 0.1, 1.0}) {
      for (const double eta_b : {1e-2, 0.5}) {
        for (const double dark : {0.0, 1e-5, 0.02}) {
          for (const double e_d : {0.0, 0.015, 0.3}) {
            const double l = mean / 2;
            const double y0 = 1 - (1 - dark) * (1 - dark);
            const double joint = 1 + eta_a * l + eta_b * l - eta_a * eta_b * l;
            const double gain = 1 - (1 - y0) / std::pow(1 + eta_a * l, 2) - (1 - y0) / std::pow(1 + eta_b * l, 2) +
                                (1 - y0) * (1 - y0) / (joint * joint);
            // That a photon's bit stands only if its station's other detector stays dark is left out there, as small.
            const double errors = gain / 2 - 2 * (0.5 - e_d) * (1 - dark) * (1 - dark) * eta_a * eta_b * l * (1 + l) /
                                                 ((1 + eta_a * l) * (1 + eta_b * l) * joint);
            Light light = pulses(mean);
            light.source = Channel::rotation(Axis::UnitY(), std::numbers::pi).for_fraction(e_d);
            const Patterns patterns = measure(light, stations_with(eta_a, eta_b, dark)).patterns[1][1];
            double seen_gain = 0;
            double seen_errors = 0;
            for (const std::size_t alice : {1U, 2U, 3U}) {
              for (const std::size_t bob : {1U, 2U, 3U}) {
                const double p = patterns.at(alice + 4 * bob);
                seen_gain += p;
                seen_errors += alice == 3 || bob == 3 ? p / 2 : alice == bob ? p : 0;
              }
            }
            EXPECT_NEAR(seen_gain, gain, 1e-14 + 1e-12 * gain);
            EXPECT_NEAR(seen_errors, errors, 1e-14 + 1e-12 * gain) << mean << ' ' << eta_a << ' ' << dark << ' ' << e_d;
          }
        }
      }
    }
  }
}

TEST(Light, of_few_pairs_is_that_of_the_density_matrix) {
  constexpr double kMean = 1e-7;
  for (const Channel& noise :
       {Channel(), Channel::depolarising(0.8), Channel::rotation(Axis(0.6, 0, 0.8), 0.9),
        Channel::measured(in_plane(0.3)).for_fraction(0.7), Channel::dephasing(in_plane(2), 0.4)}) {
    Light many = pulses(kMean);
    many.alice = Channel::rotation(Axis::UnitY(), 0.2);
    many.bob = noise;
    Light single = many;
    single.statistics = PairStatistics::Single;
    const ClickTables of_many = measure(many, stations_with(0.3, 0.6));
    const ClickTables of_single = measure(single, stations_with(0.3, 0.6));
    for (std::size_t i = 0; i < kAngles.size(); ++i) {
      for (std::size_t j = 0; j < kAngles.size(); ++j) {
        for (std::size_t k = 1; k < kPatterns; ++k) {
          EXPECT_NEAR(of_many.patterns.at(i).at(j).at(k) / kMean, of_single.patterns.at(i).at(j).at(k) / kMean, 1e-6);
        }
      }
    }
  }
}

TEST(Light, keeps_its_precision_where_almost_all_is_lost) {
  const double mean = 0.01;
  const double eta = 1e-5;
  const Patterns patterns = measure(pulses(mean), stations_with(eta, eta)).patterns[0][0];
  // Two detectors that a perfect pair makes click together: half of all pairs, to the first order in η.
  const double l = mean / 2;
  EXPECT_NEAR(patterns[1 + 8] / (eta * eta * l * (1 + 2 * l)), 1, 1e-4);
  EXPECT_NEAR(patterns[1 + 4] / (eta * eta * l * l), 1, 1e-3);
}

TEST(Light, of_every_pair_of_settings_has_probabilities_that_add_up_to_one) {
  for (const PairStatistics statistics : {PairStatistics::Single, PairStatistics::Spdc}) {
    Light light = pulses(0.6);
    light.statistics = statistics;
    light.bob = Channel::depolarising(0.9);
    const ClickTables tables = measure(light, stations_with(0.9, 0.2, 0.01));
    for (const auto& row : tables.patterns) {
      for (const Patterns& patterns : row) {
        double sum = 0;
        for (const double p : patterns) {
          EXPECT_GE(p, 0);
          sum += p;
        }
        EXPECT_NEAR(sum, 1, 1e-12);
      }
    }
  }
}

}  // namespace
}  // namespace qsp::e91::link

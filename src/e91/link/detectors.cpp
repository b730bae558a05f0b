#include "e91/link/detectors.hpp"

namespace qsp::e91::link {

void add_dark_counts(Patterns& patterns, const Stations& stations) noexcept {
  const std::array<double, 4> dark{stations.alice.dark_probability, stations.alice.dark_probability,
                                   stations.bob.dark_probability, stations.bob.dark_probability};
  for (std::size_t detector = 0; detector < dark.size(); ++detector) {
    const std::size_t bit = std::size_t{1} << detector;
    for (std::size_t pattern = 0; pattern < kPatterns; ++pattern) {
      if ((pattern & bit) != 0) continue;
      patterns[pattern | bit] += dark[detector] * patterns[pattern];
      patterns[pattern] *= 1 - dark[detector];
    }
  }
}

}  // namespace qsp::e91::link

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "e91/keyrate/statistics.hpp"
#include "e91/link/link_file.hpp"
#include "e91/local/experiment.hpp"
#include "files/file.hpp"
#include "qsp/crypto.hpp"

/// Links of published experiments: what was published, what theory expects of the link, and what a simulation counts.
namespace qsp::e91::study {

inline constexpr double kMostQberApart = 0.005;  ///< half a percentage point
inline constexpr double kMostRateApart = 0.2;    ///< of the published rate
/// How often chance alone makes a run say that its counts are not what theory expects.
inline constexpr double kFalseAlarm = 1e-9;

/// One published figure beside the link that was made after it. Theory is held against what was published, which no
/// chance enters; counts are held against theory, where chance is all that may part them.
struct Comparison {
  std::string_view what;
  bool is_rate = true;  ///< else a share
  double published = 0;
  double theory = 0;
  /// Nothing for what is not counted but follows from theory alone.
  std::optional<keyrate::Estimate> simulated;
  double chance = 1;  ///< a bound of that of counts so far from theory on their side, or further

  /// Of shares the difference, of rates the difference over the published one.
  [[nodiscard]] double apart() const noexcept {
    const double difference = theory - published;
    return is_rate ? difference / published : difference;
  }
  [[nodiscard]] bool is_published() const noexcept {
    return std::abs(apart()) <= (is_rate ? kMostRateApart : kMostQberApart);
  }
};

struct Compared {
  link::LinkFile link;
  local::Observation seen;
  std::vector<Comparison> figures;
};

/// All links of a run.
struct Comparisons {
  std::vector<Compared> links;

  /// Each of so many counts may stray to either side, and all together no more often than `kFalseAlarm`.
  [[nodiscard]] double least_chance() const noexcept {
    std::ptrdiff_t counted = 0;
    for (const Compared& link : links) {
      counted += std::ranges::count_if(link.figures, [](const Comparison& one) { return one.simulated.has_value(); });
    }
    return kFalseAlarm / (2 * static_cast<double>(std::max<std::ptrdiff_t>(counted, 1)));
  }
  [[nodiscard]] bool is_simulated(const Comparison& figure) const noexcept { return figure.chance >= least_chance(); }
  [[nodiscard]] bool fits(const Comparison& figure) const noexcept {
    return !figure.simulated || (figure.is_published() && is_simulated(figure));
  }
  [[nodiscard]] bool fit() const noexcept {
    return std::ranges::all_of(links, [this](const Compared& link) {
      return std::ranges::all_of(link.figures, [this](const Comparison& figure) { return fits(figure); });
    });
  }
};

/// Told before each piece of work: the link and the coincidences that it brought so far. False asks to stop.
using CompareProgress = std::function<bool(std::string_view title, std::uint64_t coincidences)>;

/// Each link of `files` played until so many coincidences are to be expected of it. Errors: text, "stopped" among them.
files::OrText<Comparisons> compare(crypto::Provider& provider, const std::vector<std::string>& files,
                                   double coincidences, const CompareProgress& progress);

}  // namespace qsp::e91::study

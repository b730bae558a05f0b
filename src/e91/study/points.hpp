#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "e91/local/experiment.hpp"
#include "e91/study/setup.hpp"

/// A link at one value of one of its parameters after the other: what theory expects and what a simulation counts.
namespace qsp::e91::study {

struct Parameter {
  std::string_view name;                                 ///< as its option, such as "mean-pairs"
  std::string_view axis;                                 ///< with the unit
  double from, to;                                       ///< a range worth looking at
  double least, most;                                    ///< what it may be
  std::optional<double> LinkOptions::* field = nullptr;  ///< nullptr: "eve" or "block-bits"
};

std::span<const Parameter> parameters() noexcept;
/// Precondition: `name` is one of theirs.
const Parameter& parameter_named(std::string_view name) noexcept;

/// How much to sample at each point.
struct Sampling {
  double coincidences = 50'000;  ///< pairs that both stations see, fewer where they would take too many clicks
  std::size_t blocks = 1;        ///< whole blocks with their post-processing; 0: none
};

/// What a whole block came to.
struct PointBlock {
  std::uint64_t length = 0;
  double seconds = 0;
  std::string verdict;
};

struct Point {
  double x = 0;
  link::LinkConfig link{};
  std::uint64_t block_bits = 0;
  link::Expected theory{};
  Forecast forecast{};
  /// Nothing where no pair came, or none was sampled.
  std::optional<keyrate::Estimate> s{}, qber{}, phase_error{}, correlation_z{}, correlation_x{};
  std::vector<PointBlock> blocks{};

  [[nodiscard]] double theory_phase_error() const noexcept;
  /// Secret bits a second of all sampled blocks; nothing where there are none.
  [[nodiscard]] std::optional<double> rate_per_s() const noexcept;
};

/// Slots that are expected to bring so many coincidences, or as many clicks as tenths of a second can simulate. 0 where
/// the link brings none.
std::uint64_t slots_to_sample(const link::LinkConfig& link, const link::Expected& expected, double coincidences);

/// Errors: text; a value out of its parameter's range among them.
files::OrText<Point> point_at(crypto::Provider& provider, LinkOptions options, const Parameter& parameter, double x,
                              const Sampling& sampling);

/// Values from one end to the other, both among them.
struct Places {
  double from = 0, to = 0;
  std::size_t steps = 1;
};

/// A point at each place. `progress` is told the number of the next one, from 1 on, and returns false to end there.
/// Errors: as point_at.
files::OrText<std::vector<Point>> sample_points(crypto::Provider& provider, const LinkOptions& options,
                                                const Parameter& parameter, const Places& places,
                                                const Sampling& sampling,
                                                const std::function<bool(std::size_t point)>& progress);

/// The name of an attack with another fraction, strength or visibility, which may be a letter for people. The error
/// says which attacks have none.
files::OrText<std::string> with_amount(const link::Eve& eve, std::string_view amount);

/// The attack whose fraction a sweep over "eve" varies, where the options name none: on the Bloch sphere midway between
/// Z and X, in Classic midway between the two bases of the key.
std::unique_ptr<link::Eve> default_attack(Mode mode);

}  // namespace qsp::e91::study

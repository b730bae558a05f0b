#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/e91_setup.hpp"
#include "e91/local/experiment.hpp"

/// A link at one value of one of its parameters after the other: what theory expects and what a simulation counts.
namespace qsp::cli {

struct E91Parameter {
  std::string_view name;                                    ///< as its option, such as "mean-pairs"
  std::string_view axis;                                    ///< with the unit
  double from, to;                                          ///< a range worth looking at
  double least, most;                                       ///< what it may be
  std::optional<double> E91LinkOptions::* field = nullptr;  ///< nullptr: "eve" or "block-bits"
};

std::span<const E91Parameter> e91_parameters() noexcept;
/// Precondition: `name` is one of theirs.
const E91Parameter& e91_parameter(std::string_view name) noexcept;

/// How much to sample at each point.
struct E91Sampling {
  double coincidences = 50'000;  ///< pairs that both stations see, fewer where they would take too many clicks
  std::size_t blocks = 1;        ///< whole blocks with their post-processing; 0: none
};

/// What a whole block came to.
struct E91PointBlock {
  std::uint64_t length = 0;
  double seconds = 0;
  std::string verdict;
};

struct E91Point {
  double x = 0;
  e91::LinkConfig link{};
  std::uint64_t block_bits = 0;
  e91::Expected theory{};
  E91Forecast forecast{};
  /// Nothing where no pair came, or none was sampled.
  std::optional<e91::keyrate::Estimate> s{}, qber{}, phase_error{}, correlation_z{}, correlation_x{};
  std::vector<E91PointBlock> blocks{};

  [[nodiscard]] double theory_phase_error() const noexcept;
  /// Secret bits a second of all sampled blocks; nothing where there are none.
  [[nodiscard]] std::optional<double> rate_per_s() const noexcept;
};

/// Slots that are expected to bring so many coincidences, or as many clicks as tenths of a second can simulate. 0 where
/// the link brings none.
std::uint64_t slots_to_sample(const e91::LinkConfig& link, const e91::Expected& expected, double coincidences);

/// Errors: text; a value out of its parameter's range among them.
files::OrText<E91Point> e91_point(crypto::Provider& provider, E91LinkOptions options, const E91Parameter& parameter,
                                  double x, const E91Sampling& sampling);

/// An attack in the words of `parse_eve` with another fraction, strength or visibility, which may be a letter for
/// people. The error says which attacks have none.
files::OrText<std::string> with_amount(const std::string& attack, std::string_view amount);

/// The attack whose fraction a sweep over "eve" varies, where the options name none: on the Bloch sphere midway between
/// Z and X, in Classic midway between the two bases of the key.
std::string_view default_attack(e91::Mode mode) noexcept;

}  // namespace qsp::cli

#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "qsp/error.hpp"

namespace qsp::bench {

/// What a measurement yields, or one line for a person that says what failed.
template <class T>
using Outcome = std::expected<T, std::string>;

/// One line for a failure inside a measured session or of the provider.
std::string describe(const Error& error);

/// Passes a Result on as an Outcome.
template <class T>
Outcome<T> outcome(Result<T>&& result) {
  if (!result) return std::unexpected(describe(result.error()));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return std::move(*result);
  }
}

/// What one operation takes of this thread's processor time.
struct Pace {
  double seconds;  ///< the median of the rounds
  double error;    ///< of that median: its standard deviation, as the rounds' spread tells it
};

/// How often bulk data is transferred; the median counts.
inline constexpr std::uint64_t kTransfers = 3;

/// Something to be measured: does its operation `times` times.
using Contender = std::function<Outcome<void>(std::uint64_t times)>;

/// Many, so that a turn is short: a machine that others use changes its pace within seconds.
inline constexpr std::uint64_t kRounds = 45;

/// Runs each contender for `loops` operations in all, in at most kRounds rounds in which they take turns, so that what
/// else the machine does meets all of them alike. Precondition: loops > 0. Error: the first that a contender reports.
Outcome<std::vector<Pace>> take_turns(std::span<const Contender> contenders, std::uint64_t loops);

}  // namespace qsp::bench

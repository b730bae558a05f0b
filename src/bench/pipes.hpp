#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/rounds.hpp"

namespace qsp::bench {

/// What two daemons do with bulk data that programs write into one and read from the other.
struct PipePace {
  double bytes_per_second;
  double cpu_per_gigabyte;  ///< seconds of both daemons, without the programs at their ends
};

/// One way of going through them: a direction, and what the server's end is connected to.
struct PipesRow {
  std::string name;
  /// Nothing where a transfer took no longer than a start, or there is no stunnel.
  std::optional<PipePace> qsp, stunnel;
};

struct PipesResult {
  std::uint64_t bytes;   ///< of each transfer
  std::uint64_t rounds;  ///< the median counts
  std::vector<PipesRow> rows;
  std::string stunnel;         ///< its version and that of its OpenSSL
  std::string why_no_stunnel;  ///< one line, where there are no figures
};

/// Zeros through `qsp connect` and `qsp serve`, up and down, with --forward and --exec, beside stunnel with the same
/// OpenSSL and cipher, in turns. The time of a start without data is taken off both. `program`: the file of qsp.
/// Precondition: this process has one thread. Error: one line.
Outcome<PipesResult> bench_pipes(const std::string& program, std::uint64_t bytes);

}  // namespace qsp::bench

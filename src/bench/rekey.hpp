#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/rounds.hpp"

namespace qsp::bench {

/// Seconds of one rekey of QSP 1.0: INIT, ACK and DONE, both ends' work on one thread.
struct RekeyResult {
  std::string_view form;  ///< "light", "kem" or "kem+qkd" (the QKD keys come from memory)
  std::uint64_t loops;
  double qsp;
  double primitives;          ///< the same cryptographic operations on the bare provider
  std::string provider;       ///< what both run on
  std::uint32_t final_epoch;  ///< at both ends: 1 + loops
};

inline constexpr std::uint64_t kMostRekeys = std::uint64_t{1} << 30;  ///< epochs are counted in 32 bits

/// Measures the three forms. Precondition: loops > 0. Error: one line, also for more than kMostRekeys.
Outcome<std::vector<RekeyResult>> bench_rekey(std::uint64_t loops);

}  // namespace qsp::bench

#pragma once

#include <cstdint>

#include "qsp/crypto.hpp"

namespace qsp::bench {

/// What SPEC_155 §10.3's bench takes.
struct RekeyBenchParameters {
  std::uint64_t loops = 2000;
  std::uint64_t warmup = 50;
};

struct RekeyBenchResult {
  std::uint64_t loops, warmup;
  double elapsed_sec, ops_per_sec;  ///< of the measured loops; one op is one rekey, both ends' work in one thread
  std::uint32_t final_epoch;        ///< 1 + warmup + loops
  /// The same cryptographic operations, as often, on the bare provider: what no protocol code could go below.
  double primitives_ns_per_rekey, total_ns_per_rekey;
};

/// Rekeys an rc155 session in memory: request, INIT frame, ACK frame, commit at both ends, every frame sealed and
/// opened. Precondition: loops > 0, and warmup + loops < 2^32 - 1. Errors: ApiMisuse beyond that; what a session failed
/// with.
Result<RekeyBenchResult> bench_rc155_rekey(crypto::Provider& provider, const RekeyBenchParameters& parameters);

}  // namespace qsp::bench

#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "qsp/crypto.hpp"

namespace qsp::rc155::attack {

/// What SPEC_155 §10.3's fuzz run takes.
struct RekeyFuzzParameters {
  std::uint64_t cases = 300;
  std::uint64_t steps = 2000;  ///< per case
  double mutate_prob = 0.15;   ///< that a step damages one frame in flight
  std::uint64_t seed = 1;
};

struct RekeyFuzzResult {
  std::uint64_t cases, steps;  ///< finished cases; steps per case
  double mutate_prob;
  std::uint64_t seed;
  bool ok;
  std::string failure;                                    ///< case, step, and what differed from the model; empty if ok
  std::uint64_t mutations, rekeys, frames, closed_cases;  ///< done; completed; handled; sessions that ended
  std::uint64_t digest;                                   ///< of every state observed: equal for equal parameters
};

/// Drives pairs of rc155 sessions through random valid actions and damaged frames, and compares each, after every
/// frame, with an independent model: state, epochs, counters, events, plaintext, and the exact reason of every close. A
/// session that closed is replaced until its case has used its steps. Same parameters and provider: same run.
///
/// `progress` is called after each case with the number done; it returns false to stop early (which is not a failure).
RekeyFuzzResult fuzz_rekey(crypto::Provider& provider, const RekeyFuzzParameters& parameters,
                           const std::function<bool(std::uint64_t done_cases)>& progress);

}  // namespace qsp::rc155::attack

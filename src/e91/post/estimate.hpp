#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "e91/bits.hpp"
#include "e91/keyrate/statistics.hpp"
#include "e91/post/messages.hpp"
#include "e91/post/transcript.hpp"
#include "e91/setting.hpp"

/// What the disclosed rounds of a block say of it. Both ends and an auditor work it out from the same numbers and must
/// agree to the bit, so all of it is counts and the reproducible formulas of the room keyrate.
namespace qsp::e91::post {

/// How the outcomes of the test rounds agree, for each pair of settings: [4 · Alice's + Bob's].
using Outcomes = std::array<keyrate::Coincidences, kMaxSettings * kMaxSettings>;

/// Precondition: all three have one length.
Outcomes count_outcomes(const Bits& alice, const Bits& bob, const std::vector<std::uint8_t>& pairs);

struct TestResult {
  keyrate::Sample phase;                  ///< Biased: rounds with X at both ends, and errors among them
  std::optional<keyrate::Estimate> chsh;  ///< S; nothing where a pair of settings never occurred

  [[nodiscard]] double phase_error_rate() const noexcept {
    return phase.bits == 0 ? 0 : static_cast<double>(phase.errors) / static_cast<double>(phase.bits);
  }
};

TestResult evaluate(Mode mode, const Outcomes& outcomes);

/// What only reconciliation tells.
struct Reconciled {
  std::uint64_t key_bits = 0;
  std::uint64_t errors = 0;     ///< that were corrected
  std::uint64_t disclosed = 0;  ///< bits of the key, the verification hash's among them
};

/// The error rate to begin reconciliation with, in millionths: of the phase test, or in Classic what |S| leads to
/// expect.
std::uint32_t expected_error_ppm(Mode mode, const TestResult& tests) noexcept;

/// Why a block must not go on after its tests, if so.
std::optional<Abort> object_to_tests(const PostConfig& config, const TestResult& tests, std::uint64_t key_bits);

/// ℓ in bits, and why there is none where it is 0. In Biased the length is that of Tomamichel and Leverrier; in Classic
/// it follows from |S| and is asymptotic only. A block whose key would not pay for its own two tags yields none.
struct Certified {
  std::uint64_t length = 0;
  Abort reason = Abort::NoKey;
};
Certified certify(const PostConfig& config, const TestResult& tests, const Reconciled& reconciled);

}  // namespace qsp::e91::post

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "e91/post/estimate.hpp"
#include "e91/post/transcript.hpp"

namespace qsp::e91::post {

/// What a transcript alone tells of one block.
struct AuditedBlock {
  std::uint64_t block = 0;
  std::uint64_t clicks = 0;     ///< Bob's
  std::uint64_t shared = 0;     ///< rounds in which both saw something
  std::uint64_t key_bits = 0;   ///< n, from the settings of the rounds that both saw
  TestResult tests;             ///< from the disclosed outcomes
  std::uint64_t errors = 0;     ///< that Bob says he corrected
  std::uint64_t disclosed = 0;  ///< parities counted one by one, and the verification hash
  std::uint64_t announced = 0;  ///< ℓ as Alice said it
  std::uint64_t certified = 0;  ///< ℓ as it follows from the numbers above
  std::optional<Abort> aborted;
  bool complete = false;  ///< both tags were sent, and Alice has accepted
  std::string problem;    ///< the first thing that must not be; empty while all is well

  /// A key came of it.
  [[nodiscard]] bool has_key() const noexcept { return complete && !aborted && problem.empty(); }
};

/// Follows every block of a transcript with nothing but what was said in public.
std::vector<AuditedBlock> audit(const Transcript& transcript);

/// What audit() checks, and what no transcript can show: a byte that is about the latter only changes nothing of what
/// audit() finds.
std::span<const std::string_view> audited() noexcept;
std::span<const std::string_view> beyond_audit() noexcept;

}  // namespace qsp::e91::post

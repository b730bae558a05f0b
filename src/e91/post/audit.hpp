#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "e91/post/estimate.hpp"
#include "e91/post/transcript.hpp"

namespace qsp::e91 {

/// What a transcript alone tells of one block.
struct AuditedBlock {
  std::uint64_t block = 0;
  std::uint64_t key_bits = 0;   ///< n, from the settings of the rounds that both saw
  TestResult tests;             ///< from the disclosed outcomes
  std::uint64_t errors = 0;     ///< that Bob says he corrected
  std::uint64_t disclosed = 0;  ///< parities counted one by one, and the verification hash
  std::uint64_t announced = 0;  ///< ℓ as Alice said it
  std::uint64_t certified = 0;  ///< ℓ as it follows from the numbers above
  std::optional<Abort> aborted;
  bool complete = false;  ///< both tags were sent
  std::string problem;    ///< the first thing that must not be; empty while all is well

  /// A key came of it.
  [[nodiscard]] bool has_key() const noexcept { return complete && !aborted && problem.empty(); }
};

/// Follows every block of a transcript with nothing but what was said in public: the order and the senders of the
/// messages, the sizes that follow from one another, every disclosed bit, and the length of the key. It cannot check
/// the tags, which take the pad, nor that Bob's count of errors is true.
std::vector<AuditedBlock> audit(const Transcript& transcript);

}  // namespace qsp::e91

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kme/check/check.hpp"

namespace qsp::kme::check {

struct LoadOptions {
  CheckedSide master, slave;
  std::uint64_t pairs = 10'000;  ///< keys to give and to redeem
  std::size_t concurrency = 16;  ///< pairs under way at once
  std::uint32_t keys_per_call = 1;
};

struct LoadResult {
  std::uint64_t pairs = 0;    ///< given at one end, redeemed at the other, and equal
  std::uint64_t refused = 0;  ///< calls answered 503, which were made again
  std::uint64_t lost = 0;     ///< keys whose answer did not come
  double elapsed_sec = 0;
  double enc_median_ms = 0, enc_p99_ms = 0, dec_median_ms = 0, dec_p99_ms = 0;
};

/// Gives keys at one end of a link and redeems them at the other, as fast as the two KMEs let it, and compares every
/// pair. The error is one line: an answer that no KME should give, or a KME that cannot be reached.
files::OrText<LoadResult> load(const LoadOptions& options);

}  // namespace qsp::kme::check

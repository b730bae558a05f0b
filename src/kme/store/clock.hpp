#pragma once

#include <chrono>

#include "kme/store/faults.hpp"
#include "kme/store/store.hpp"

namespace qsp::kme {

/// The KME's wall clock, which a rehearsal may set wrong.
inline UnixTime now(const Faults& faults) noexcept {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch() + faults.clock_offset();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
}

}  // namespace qsp::kme

#pragma once

#include <cstdint>

namespace qsp {

/// Gives `value` back, which from here on anybody may know although it was computed from a secret: whether a tag is the
/// right one, say. Nothing else that depends on a secret decides a branch or an address; tests/constant_time sees to it
/// under valgrind, which is told here, and here alone, that a value is public. So this is a call that no optimiser sees
/// through, and who writes it says why the value gives nothing away.
[[nodiscard]] std::uint32_t declassified(std::uint32_t value) noexcept;

}  // namespace qsp

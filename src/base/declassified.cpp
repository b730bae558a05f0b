#include "base/declassified.hpp"

namespace qsp {

std::uint32_t declassified(std::uint32_t value) noexcept { return value; }

}  // namespace qsp

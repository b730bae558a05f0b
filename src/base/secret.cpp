#include "qsp/secret.hpp"

#include <cstring>

#include "base/declassified.hpp"

namespace qsp {

void wipe(MutableBytes bytes) noexcept {
  if (bytes.empty()) return;
  std::memset(bytes.data(), 0, bytes.size());
  // The compiler must assume that this reads the memory, so it keeps the memset.
  __asm__ __volatile__("" : : "r"(bytes.data()) : "memory");
}

namespace {

bool equal(Bytes a, Bytes b) noexcept {
  if (a.size() != b.size()) return false;
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
    // Keeps the compiler from leaving the loop early once the outcome is known.
    __asm__ __volatile__("" : "+r"(difference));
  }
  return difference == 0;
}

}  // namespace

// Public: that the two are equal or not, which is why anybody compares.
bool constant_time_equal(Bytes a, Bytes b) noexcept { return declassified(equal(a, b) ? 1 : 0) != 0; }

}  // namespace qsp

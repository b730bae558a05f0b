#pragma once

#include <cstdio>
#include <cstdlib>

namespace qsp::fuzz {

/// A property that no input may break. Breaking it ends the fuzzer, which keeps the input.
inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

}  // namespace qsp::fuzz

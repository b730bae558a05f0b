#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/wiping_allocator.hpp"
#include "qsp/crypto.hpp"

namespace qsp::https {

/// Text as it travels, which may hold keys.
using WipedText = std::vector<char, WipingAllocator<char>>;

inline void append(WipedText& to, std::string_view text) { to.insert(to.end(), text.begin(), text.end()); }

/// A copy that is wiped in its turn. Longer than any inline buffer of std::string, so that moving it leaves nothing.
inline crypto::SecretText secret_copy(std::string_view text) {
  constexpr std::size_t kBeyondInline = 64;
  std::string copy;
  copy.reserve(std::max(text.size(), kBeyondInline));
  copy.assign(text);
  return crypto::SecretText(std::move(copy));
}

}  // namespace qsp::https

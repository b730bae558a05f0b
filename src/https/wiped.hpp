#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qsp/crypto.hpp"
#include "qsp/secret.hpp"

namespace qsp::https {

/// Memory that is wiped when it is given back; so also what a container leaves behind as it grows.
template <class T>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor): allocators convert

  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) noexcept {
    wipe({reinterpret_cast<std::uint8_t*>(memory), count * sizeof(T)});
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator&) const = default;
};

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

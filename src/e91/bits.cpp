#include "e91/bits.hpp"

#include <algorithm>
#include <cstring>

namespace qsp::e91 {

static_assert(std::endian::native == std::endian::little, "words are read from bytes as they lie");

Bits Bits::from_bytes(Bytes bytes, std::size_t size) {
  Bits bits(size);
  if (size == 0) return bits;
  std::memcpy(bits.words_.data(), bytes.data(), (size + 7) / 8);
  if (size % 64 != 0) bits.words_.back() &= (std::uint64_t{1} << (size % 64)) - 1;
  return bits;
}

Bits Bits::copy() const {
  Bits bits(size_);
  std::copy(words_.begin(), words_.end(), bits.words_.begin());
  return bits;
}

std::vector<std::uint8_t> Bits::to_bytes() const {
  std::vector<std::uint8_t> bytes((size_ + 7) / 8);
  if (!bytes.empty()) std::memcpy(bytes.data(), words_.data(), bytes.size());
  return bytes;
}

std::size_t Bits::count() const noexcept {
  std::size_t ones = 0;
  for (const std::uint64_t word : words_) ones += static_cast<std::size_t>(std::popcount(word));
  return ones;
}

void Bits::truncate(std::size_t size) noexcept {
  const std::size_t kept = words_of(size);
  std::fill(words_.begin() + static_cast<std::ptrdiff_t>(kept), words_.end(), 0);
  words_.resize(kept);
  if (size % 64 != 0) words_.back() &= (std::uint64_t{1} << (size % 64)) - 1;
  size_ = size;
}

std::size_t distance(const Bits& a, const Bits& b) noexcept {
  std::size_t differences = 0;
  for (std::size_t i = 0; i < a.words().size(); ++i) {
    differences += static_cast<std::size_t>(std::popcount(a.words()[i] ^ b.words()[i]));
  }
  return differences;
}

}  // namespace qsp::e91

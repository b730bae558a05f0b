#include "e91/post/rounds.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace qsp::e91::post {

static_assert(std::endian::native == std::endian::little, "words are bytes as they lie on the wire");

std::optional<SlotList> SlotList::parse(Bytes gaps, std::size_t count, std::uint64_t slots) {
  Bytes rest = gaps;
  std::uint64_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto gap = take_varint(rest);
    if (!gap || next >= slots || *gap >= slots - next) return std::nullopt;
    next += *gap + 1;
  }
  if (!rest.empty()) return std::nullopt;
  SlotList list;
  list.gaps_.assign(gaps.begin(), gaps.end());
  list.size_ = count;
  list.next_ = next;
  return list;
}

std::optional<SettingList> SettingList::parse(Bytes packed, std::size_t count) {
  if (packed.size() != bytes_of(count)) return std::nullopt;
  if (count % 4 != 0 && packed.back() >> (2 * (count % 4)) != 0) return std::nullopt;
  SettingList list(count);
  if (count > 0) std::memcpy(list.words_.data(), packed.data(), packed.size());
  list.size_ = count;
  return list;
}

bool SettingList::all_below(std::size_t count) const noexcept {
  constexpr std::uint64_t kLow = 0x5555555555555555;
  // Per pair of bits: whether it is 3, or 2 and 3.
  if (count >= kMaxSettings) return true;
  return std::ranges::none_of(words_, [count](std::uint64_t word) {
    const std::uint64_t high = (word >> 1) & kLow;
    return (count == 3 ? high & word : high) != 0;
  });
}

std::vector<std::uint8_t> SettingList::bytes() const {
  std::vector<std::uint8_t> packed(bytes_of(size_));
  if (!packed.empty()) std::memcpy(packed.data(), words_.data(), packed.size());
  return packed;
}

}  // namespace qsp::e91::post

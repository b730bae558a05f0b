#include "e91/cascade/order.hpp"

#include <algorithm>

namespace qsp::e91::cascade {

std::size_t places_of(Layout layout, std::size_t key_size) noexcept {
  constexpr std::size_t kGroupBits = Shuffle::kGroupWords * 64;
  return layout == Layout::Shuffled ? (key_size + kGroupBits - 1) / kGroupBits * kGroupBits : key_size;
}

Order::Order(Layout layout, std::size_t key_size, RandomStream& stream)
    : key_size_(key_size), size_(places_of(layout, key_size)) {
  if (layout == Layout::Shuffled) {
    shuffle_ = std::make_unique<Shuffle>(stream, size_ / 64);
  } else if (layout == Layout::Subset) {
    mask_ = Bits(key_size);
    stream.fill(mask_.writable_words());
    mask_.truncate(key_size);
  }
}

Bits Order::apply(const Bits& key) const {
  if (shuffle_) {
    Bits padded(size_);
    std::ranges::copy(key.words(), padded.writable_words().begin());
    Bits laid_out(size_);
    shuffle_->apply(padded.words(), laid_out.writable_words());
    return laid_out;
  }
  Bits laid_out = key.copy();
  for (std::size_t i = 0; i < mask_.words().size(); ++i) laid_out.writable_words()[i] &= mask_.words()[i];
  return laid_out;
}

}  // namespace qsp::e91::cascade

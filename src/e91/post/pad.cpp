#include "e91/post/pad.hpp"

#include <algorithm>

namespace qsp::e91::post {

Pad::Pad(Bytes bytes) {
  // Room for all there will ever be: a vector that grows leaves its old bytes behind.
  bytes_.reserve(kCapacity);
  refill(bytes);
}

std::optional<TagKeys> Pad::take() {
  if (bytes_.size() < kBlockCost) return std::nullopt;
  const auto piece = [&](std::size_t i) { return Bytes(bytes_).subspan(16 * i, 16); };
  TagKeys taken{.position = position_,
                .keys = {hashing::TagKey::copy_of(piece(0)), hashing::TagKey::copy_of(piece(1))},
                .pads = {hashing::TagPad::copy_of(piece(2)), hashing::TagPad::copy_of(piece(3))},
                .word = {}};
  std::ranges::copy(piece(4), taken.word.begin());
  drop(kBlockCost);
  return taken;
}

bool Pad::skip_to(std::uint64_t position) {
  if (position < position_ || position - position_ > bytes_.size()) return false;
  drop(static_cast<std::size_t>(position - position_));
  return true;
}

std::size_t Pad::refill(Bytes bytes) {
  const std::size_t taken = std::min(bytes.size(), kCapacity - bytes_.size());
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
  return taken;
}

void Pad::drop(std::size_t size) noexcept {
  const auto kept = std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(size), bytes_.end(), bytes_.begin());
  const auto rest = static_cast<std::size_t>(kept - bytes_.begin());
  qsp::wipe(MutableBytes(bytes_).subspan(rest));
  bytes_.resize(rest);
  position_ += size;
}

}  // namespace qsp::e91::post

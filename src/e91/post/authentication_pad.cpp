#include "e91/post/authentication_pad.hpp"

#include <algorithm>

namespace qsp::e91::post {

AuthenticationPad::AuthenticationPad(Bytes bytes) {
  bytes_.reserve(kCapacity);
  refill(bytes);
}

std::optional<TagKeys> AuthenticationPad::take() {
  if (bytes_.size() < kBlockCost) return std::nullopt;
  const auto piece = [&](std::size_t i) { return bytes_.reveal().subspan(16 * i, 16); };
  TagKeys taken{.position = position_,
                .keys = {hashing::TagKey::copy_of(piece(0)), hashing::TagKey::copy_of(piece(1))},
                .pads = {hashing::TagPad::copy_of(piece(2)), hashing::TagPad::copy_of(piece(3))},
                .word = {}};
  std::ranges::copy(piece(4), taken.word.begin());
  drop(kBlockCost);
  return taken;
}

bool AuthenticationPad::skip_to(std::uint64_t position) {
  if (position < position_ || position - position_ > bytes_.size()) return false;
  drop(static_cast<std::size_t>(position - position_));
  return true;
}

std::size_t AuthenticationPad::refill(Bytes bytes) {
  const std::size_t taken = std::min(bytes.size(), kCapacity - bytes_.size());
  bytes_.append(bytes.first(taken));
  return taken;
}

void AuthenticationPad::drop(std::size_t size) noexcept {
  const MutableBytes all = bytes_.writable();
  std::ranges::copy(all.subspan(size), all.begin());
  bytes_.resize(all.size() - size);
  position_ += size;
}

}  // namespace qsp::e91::post

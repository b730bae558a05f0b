#include "record/key.hpp"

#include <algorithm>
#include <utility>

#include "base/big_endian.hpp"

namespace qsp::record {

crypto::Nonce nonce_of(std::uint32_t epoch, std::uint64_t n) noexcept {
  crypto::Nonce nonce;
  store_big_endian(epoch, MutableBytes(nonce).first(4));
  store_big_endian(n, MutableBytes(nonce).subspan(4));
  return nonce;
}

Aad::Aad(std::string_view label, Bytes header) noexcept {
  // libstdc++ 12's ranges::copy goes byte by byte where its source is const.
  auto* const end = std::copy(header.begin(), header.end(), std::copy(label.begin(), label.end(), bytes_.begin()));
  size_ = static_cast<std::size_t>(end - bytes_.begin());
}

void Key::set_aead(std::unique_ptr<crypto::Aead> aead, const crypto::AeadInfo& info) noexcept {
  aead_ = std::move(aead);
  limits_ = {.frames = info.max_frames, .bytes = info.max_bytes};
}

Result<void> Key::set(std::uint32_t epoch, TrafficKey&& key) {
  ready_ = false;
  if (const auto taken = aead_->set_key(std::move(key)); !taken) return taken;
  epoch_ = epoch;
  usage_ = {};
  ready_ = true;
  return {};
}

Result<void> Key::forget() {
  ready_ = false;
  return aead_->set_key(TrafficKey());
}

Result<void> Key::seal(std::uint64_t n, Bytes aad, MutableBytes data, std::span<std::uint8_t, crypto::kTagSize> tag,
                       std::uint64_t counted) {
  count(counted);
  return aead_->seal(nonce_of(epoch_, n), aad, data, tag);
}

Result<void> Key::open(std::uint64_t n, Bytes aad, MutableBytes data,
                       std::span<const std::uint8_t, crypto::kTagSize> tag, std::uint64_t counted) {
  if (const auto opened = aead_->open(nonce_of(epoch_, n), aad, data, tag); !opened) return opened;
  count(counted);
  return {};
}

void Key::count(std::uint64_t bytes) noexcept {
  ++usage_.frames;
  usage_.bytes += bytes;
}

}  // namespace qsp::record

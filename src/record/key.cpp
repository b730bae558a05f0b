#include "record/key.hpp"

#include <utility>

namespace qsp::record {

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

}  // namespace qsp::record

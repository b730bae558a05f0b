#include "crypto/routed/sized_aead.hpp"

#include <array>
#include <utility>

namespace qsp::crypto {
namespace {

class SizedAead final : public Aead {
 public:
  SizedAead(std::unique_ptr<Aead> small, std::unique_ptr<Aead> large, std::size_t size) noexcept
      : small_(std::move(small)), large_(std::move(large)), size_(size) {}

  Result<void> set_key(TrafficKey&& key) override;
  Result<void> seal(const Nonce& nonce, Bytes aad, MutableBytes data, std::span<std::uint8_t, kTagSize> tag) override {
    return for_size(data.size()).seal(nonce, aad, data, tag);
  }
  Result<void> open(const Nonce& nonce, Bytes aad, MutableBytes data,
                    std::span<const std::uint8_t, kTagSize> tag) override {
    return for_size(data.size()).open(nonce, aad, data, tag);
  }

 private:
  [[nodiscard]] Aead& for_size(std::size_t size) const noexcept { return size <= size_ ? *small_ : *large_; }

  std::unique_ptr<Aead> small_, large_;
  std::size_t size_;
};

Result<void> SizedAead::set_key(TrafficKey&& key) {
  const TrafficKey taken = std::move(key);
  Result<void> set = small_->set_key(TrafficKey::copy_of(taken.reveal()));
  if (set) set = large_->set_key(TrafficKey::copy_of(taken.reveal()));
  if (set) return set;
  // One of them may have a key, the new or the old one. A key of no length is refused, and what was there forgotten.
  for (Aead* const aead : {small_.get(), large_.get()}) static_cast<void>(aead->set_key(TrafficKey(0)));
  return set;
}

}  // namespace

std::unique_ptr<Aead> make_sized_aead(std::unique_ptr<Aead> small, std::unique_ptr<Aead> large, std::size_t size) {
  return std::make_unique<SizedAead>(std::move(small), std::move(large), size);
}

}  // namespace qsp::crypto

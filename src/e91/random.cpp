#include "e91/random.hpp"

#include <algorithm>
#include <cstring>

#include "base/try.hpp"

namespace qsp::e91 {

namespace {

/// The same bytes from a provider that has no faster way to them.
class SealedZeros final : public crypto::Keystream {
 public:
  explicit SealedZeros(std::unique_ptr<crypto::Aead> cipher) noexcept : cipher_(std::move(cipher)) {}

  Result<void> read(const crypto::Nonce& nonce, MutableBytes out) override {
    std::ranges::fill(out, std::uint8_t{0});
    std::array<std::uint8_t, crypto::kTagSize> unused{};
    return cipher_->seal(nonce, {}, out, unused);
  }

 private:
  std::unique_ptr<crypto::Aead> cipher_;
};

}  // namespace

Result<std::unique_ptr<crypto::Keystream>> make_keystream(crypto::Provider& provider, TrafficKey&& key) {
  if (provider.capabilities().keystream) return provider.keystream(std::move(key));
  QSP_TRY(auto cipher, provider.aead(crypto::AeadId::Aes256Gcm));
  QSP_TRY(cipher->set_key(std::move(key)));
  return std::make_unique<SealedZeros>(std::move(cipher));
}

Result<RandomStream> RandomStream::create(crypto::Provider& provider, Seed&& seed) {
  TrafficKey key = TrafficKey::copy_of(seed.reveal());
  seed.wipe();
  QSP_TRY(auto stream, make_keystream(provider, std::move(key)));
  return RandomStream(std::move(stream));
}

Result<RandomStream> RandomStream::create(crypto::Provider& provider, crypto::Rng& rng) {
  Seed seed;
  QSP_TRY(rng.fill(seed.writable()));
  return create(provider, std::move(seed));
}

void RandomStream::fill(std::span<std::uint64_t> words) noexcept {
  while (!words.empty()) {
    if (used_ == kChunkWords) refill();
    const std::size_t count = std::min(words.size(), kChunkWords - used_);
    std::copy_n(chunk_.begin() + static_cast<std::ptrdiff_t>(used_), count, words.begin());
    used_ += count;
    words = words.subspan(count);
  }
}

void RandomStream::read_chunk(std::uint64_t index, Chunk& out) noexcept {
  crypto::Nonce nonce{};
  std::memcpy(nonce.data(), &index, sizeof index);
  if (!stream_->read(nonce, {reinterpret_cast<std::uint8_t*>(out.data()), sizeof out})) healthy_ = false;
}

void RandomStream::refill() noexcept {
  read_chunk(next_chunk_++, chunk_);
  used_ = 0;
}

}  // namespace qsp::e91

#include "e91/random.hpp"

#include <algorithm>
#include <cstring>

namespace qsp::e91 {

Result<RandomStream> RandomStream::create(crypto::Provider& provider, Seed&& seed) {
  auto cipher = provider.aead(crypto::AeadId::Aes256Gcm);
  if (!cipher) return std::unexpected(cipher.error());
  TrafficKey key = TrafficKey::copy_of(seed.reveal());
  seed.wipe();
  if (auto set = (*cipher)->set_key(std::move(key)); !set) return std::unexpected(set.error());
  return RandomStream(std::move(*cipher));
}

Result<RandomStream> RandomStream::create(crypto::Provider& provider, crypto::Rng& rng) {
  Seed seed;
  if (auto drawn = rng.fill(seed.writable()); !drawn) return std::unexpected(drawn.error());
  return create(provider, std::move(seed));
}

void RandomStream::fill(std::span<std::uint64_t> words) noexcept {
  for (std::uint64_t& word : words) word = next();
}

void RandomStream::read_chunk(std::uint64_t index, Chunk& out) noexcept {
  crypto::Nonce nonce{};
  std::memcpy(nonce.data(), &index, sizeof index);
  std::array<std::uint8_t, crypto::kTagSize> tag{};
  out.fill(0);
  const MutableBytes bytes(reinterpret_cast<std::uint8_t*>(out.data()), sizeof out);
  if (!cipher_->seal(nonce, {}, bytes, tag)) healthy_ = false;
}

void RandomStream::refill() noexcept {
  read_chunk(next_chunk_++, chunk_);
  used_ = 0;
}

}  // namespace qsp::e91

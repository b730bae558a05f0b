#include "bench/primitives.hpp"

#include <utility>

#include "wire/cursor.hpp"
#include "wire/frame.hpp"

namespace qsp::bench {

Outcome<Primitives> Primitives::make(crypto::Provider& provider) {
  auto aead = outcome(provider.aead(crypto::AeadId::Aes256Gcm));
  if (!aead) return std::unexpected(aead.error());
  const auto kem = outcome(provider.kem(crypto::KemId::X25519MlKem768));
  if (!kem) return std::unexpected(kem.error());
  Primitives made(provider, **kem, std::move(*aead));
  if (auto keyed = outcome(made.aead_->set_key(TrafficKey())); !keyed) return std::unexpected(keyed.error());
  return made;
}

Result<void> Primitives::kem() {
  const auto key = kem_->generate(provider_->rng());
  if (!key) return std::unexpected(key.error());
  const auto encapsulation = kem_->encapsulate((*key)->public_key(), provider_->rng());
  if (!encapsulation) return std::unexpected(encapsulation.error());
  const auto secret = (*key)->decapsulate(encapsulation->ciphertext);
  if (!secret) return std::unexpected(secret.error());
  return {};
}

Result<void> Primitives::schedule(const Counts& counts) {
  crypto::Hkdf& hkdf = provider_->hkdf();
  // What an Expand of SPEC §3 takes: length, label, and a context of one digest.
  const auto info = Bytes(data_).first(48);
  for (std::size_t i = 0; i < counts.hashes; ++i) {
    if (const auto done = hkdf.hash({Bytes(data_).first(counts.hashed / counts.hashes)}); !done) {
      return std::unexpected(done.error());
    }
  }
  for (std::size_t i = 0; i < counts.extracts; ++i) {
    if (const auto done = hkdf.extract(key_, {Bytes(data_).first(64)}); !done) return std::unexpected(done.error());
  }
  for (std::size_t i = 0; i < counts.expands; ++i) {
    if (auto done = hkdf.expand(key_, {info}, key_); !done) return done;
  }
  for (std::size_t i = 0; i < counts.hmacs; ++i) {
    if (const auto done = hkdf.hmac(key_, {Bytes(data_).first(32)}); !done) return std::unexpected(done.error());
  }
  for (std::size_t i = 0; i < counts.keys; ++i) {
    if (auto done = aead_->set_key(TrafficKey::copy_of(key_)); !done) return done;
  }
  return {};
}

Result<void> Primitives::frame(std::size_t size) {
  crypto::Nonce nonce{};
  wire::Writer(nonce).u64(++count_);
  constexpr std::array<std::uint8_t, wire::kFrameHeaderSize + 5> kAad{};
  std::array<std::uint8_t, crypto::kTagSize> tag;
  const MutableBytes data = MutableBytes(data_).first(size);
  if (auto sealed = aead_->seal(nonce, kAad, data, tag); !sealed) return sealed;
  return aead_->open(nonce, kAad, data, tag);
}

Result<void> Primitives::draw(std::size_t size) { return provider_->rng().fill(MutableBytes(data_).first(size)); }

}  // namespace qsp::bench

#include "bench/primitives.hpp"

#include <utility>

#include "base/try.hpp"
#include "wire/cursor.hpp"
#include "wire/frame.hpp"

namespace qsp::bench {

Outcome<Primitives> Primitives::make(crypto::Provider& provider) {
  QSP_TRY(auto aead, outcome(provider.aead(crypto::AeadId::Aes256Gcm)));
  QSP_TRY(const auto kem, outcome(provider.kem(crypto::KemId::X25519MlKem768)));
  Primitives made(provider, *kem, std::move(aead));
  QSP_TRY(outcome(made.aead_->set_key(TrafficKey())));
  return made;
}

Result<void> Primitives::kem() {
  QSP_TRY(const auto key, kem_->generate(provider_->rng()));
  QSP_TRY(const auto encapsulation, kem_->encapsulate(key->public_key(), provider_->rng()));
  QSP_TRY(key->decapsulate(encapsulation.ciphertext));
  return {};
}

Result<void> Primitives::schedule(const Counts& counts) {
  crypto::Hkdf& hkdf = provider_->hkdf();
  // What an Expand of SPEC §3 takes: length, label, and a context of one digest.
  const auto info = Bytes(data_).first(48);
  for (std::size_t i = 0; i < counts.hashes; ++i) {
    QSP_TRY(hkdf.hash({Bytes(data_).first(counts.hashed / counts.hashes)}));
  }
  for (std::size_t i = 0; i < counts.extracts; ++i) {
    QSP_TRY(hkdf.extract(key_, {Bytes(data_).first(64)}));
  }
  for (std::size_t i = 0; i < counts.expands; ++i) {
    QSP_TRY(hkdf.expand(key_, {info}, key_));
  }
  for (std::size_t i = 0; i < counts.hmacs; ++i) {
    QSP_TRY(hkdf.hmac(key_, {Bytes(data_).first(32)}));
  }
  for (std::size_t i = 0; i < counts.keys; ++i) {
    QSP_TRY(aead_->set_key(TrafficKey::copy_of(key_)));
  }
  return {};
}

Result<void> Primitives::frame(std::size_t size) {
  crypto::Nonce nonce{};
  wire::Writer(nonce).u64(++count_);
  constexpr std::array<std::uint8_t, wire::kFrameHeaderSize + 5> kAad{};
  std::array<std::uint8_t, crypto::kTagSize> tag;
  const MutableBytes data = MutableBytes(data_).first(size);
  QSP_TRY(aead_->seal(nonce, kAad, data, tag));
  return aead_->open(nonce, kAad, data, tag);
}

Result<void> Primitives::draw(std::size_t size) { return provider_->rng().fill(MutableBytes(data_).first(size)); }

}  // namespace qsp::bench

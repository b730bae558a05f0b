#pragma once

#include <array>
#include <memory>
#include <vector>

#include "bench/rounds.hpp"
#include "qsp/crypto.hpp"

namespace qsp::bench {

/// How often a protocol step needs each symmetric operation, both ends together.
struct Counts {
  std::size_t hashed;    ///< bytes hashed, each message once
  std::size_t hashes;    ///< in so many pieces
  std::size_t extracts;  ///< HKDF-Extract
  std::size_t expands;   ///< HKDF-Expand to 32 bytes
  std::size_t hmacs;
  std::size_t keys;  ///< AEAD keys set
};

/// The cryptographic operations of QSP 1.0 on the bare provider, without a protocol: what no protocol code could go
/// below. Their inputs have the sizes that they have in the protocol; AEADs, signers and verifiers are made once.
class Primitives {
 public:
  static Outcome<Primitives> make(crypto::Provider& provider);

  /// One ephemeral key, one encapsulation to it and one decapsulation.
  Result<void> kem();
  /// The hashes and derivations, and setting keys.
  Result<void> schedule(const Counts& counts);
  /// Seals and opens one frame of `size` bytes of plaintext, at most kMaxFrame.
  Result<void> frame(std::size_t size);
  /// What one end draws for a message.
  Result<void> draw(std::size_t size);

  static constexpr std::size_t kMaxFrame = 16'384;

 private:
  Primitives(crypto::Provider& provider, const crypto::Kem& kem, std::unique_ptr<crypto::Aead> aead)
      : provider_(&provider), kem_(&kem), aead_(std::move(aead)), data_(kMaxFrame) {}

  crypto::Provider* provider_;
  const crypto::Kem* kem_;
  std::unique_ptr<crypto::Aead> aead_;
  std::vector<std::uint8_t> data_;
  std::array<std::uint8_t, 32> key_{};
  std::uint64_t count_ = 0;
};

}  // namespace qsp::bench

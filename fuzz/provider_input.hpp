#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qsp/crypto.hpp"

/// What fuzz_providers feeds two providers with: good shares, signatures, frames and key files, edited as the input
/// says. So the fuzzer begins one edit away from what is good, and no random bytes are needed to find a valid
/// signature.
namespace qsp::fuzz {

using Buffer = std::vector<std::uint8_t>;

/// The fuzzer's bytes; zeros behind their end.
class Input {
 public:
  explicit Input(Bytes bytes) noexcept : rest_(bytes) {}
  std::uint8_t byte() noexcept;
  std::size_t number() noexcept { return byte() + std::size_t{256} * byte(); }
  Bytes bytes(std::size_t most) noexcept;
  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

 private:
  Bytes rest_;
};

/// Random bytes that are the same for the same seed.
class Stream final : public crypto::Rng {
 public:
  explicit Stream(std::uint64_t seed) noexcept : state_(seed | 1U) {}
  Result<void> fill(MutableBytes out) override;
  [[nodiscard]] std::size_t drawn() const noexcept { return drawn_; }

 private:
  std::uint64_t state_;
  std::size_t drawn_ = 0;
};

/// Up to 16 edits: bytes set, altered, cut off, added, or replaced by an odd point or number of a curve.
Buffer edited(Buffer base, Input& input);

/// A private key's file, of PKCS#8 DER that may be edited. Not SLH-DSA's, which costs a second.
Buffer private_key_der(crypto::SignatureId id);
std::string pem(std::string_view label, Bytes der);

}  // namespace qsp::fuzz

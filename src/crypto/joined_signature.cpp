#include "crypto/joined_signature.hpp"

#include <algorithm>

namespace qsp::crypto {

std::vector<SignatureId> parts_of(SignatureId id) {
  if (id == SignatureId::Ed25519MlDsa65) return {SignatureId::Ed25519, SignatureId::MlDsa65};
  return {id};
}

std::optional<PublicKey> join(const std::vector<PublicKey>& parts) {
  if (parts.empty()) return std::nullopt;
  PublicKey whole{parts.size() == 1 ? parts.front().algorithm : SignatureId::Ed25519MlDsa65, {}};
  if (!std::ranges::equal(parts, parts_of(whole.algorithm), {}, &PublicKey::algorithm)) return std::nullopt;
  for (const PublicKey& part : parts) whole.bytes.insert(whole.bytes.end(), part.bytes.begin(), part.bytes.end());
  return whole;
}

bool is_canonical_ed25519(Bytes key) noexcept {
  constexpr std::uint8_t kSign = 0x80;
  const bool sign = (key.back() & kSign) != 0;
  const std::uint8_t high = key.back() & static_cast<std::uint8_t>(~kSign);
  const Bytes middle = key.subspan(1, key.size() - 2);
  // p is 2^255 - 19, 0xed and then ones: y is not below it, or -1, which is the larger one whose x is zero.
  if (high == 0x7f && key.front() >= 0xec && std::ranges::all_of(middle, [](std::uint8_t b) { return b == 0xff; })) {
    return key.front() == 0xec && !sign;
  }
  const bool one = high == 0 && key.front() == 1 && std::ranges::all_of(middle, [](std::uint8_t b) { return b == 0; });
  return !one || !sign;
}

}  // namespace qsp::crypto

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

}  // namespace qsp::crypto

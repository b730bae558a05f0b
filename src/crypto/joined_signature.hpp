#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "qsp/crypto.hpp"
#include "qsp/suites.hpp"

/// Signatures of the suite table from those of a library: one, or several joined, all of which must verify.
namespace qsp::crypto {

/// The algorithms whose keys and signatures, joined in this order, are `id`'s.
std::vector<SignatureId> parts_of(SignatureId id);

/// The key that these, in this order, are the parts of; nothing where they are those of no algorithm.
std::optional<PublicKey> join(const std::vector<PublicKey>& parts);

/// Whether an Ed25519 public key is written as RFC 8032 §5.1.2 writes a point: y below the prime, and no sign where x
/// is zero. Libraries differ in what they make of others, and no two ends may differ.
bool is_canonical_ed25519(Bytes key) noexcept;

/// How every verifier refuses.
inline std::unexpected<Error> fail_signature() noexcept {
  return fail(ErrorKind::PeerMisbehaved, Reason::HandshakeFailed, "the signature does not verify");
}

/// `Part` is a private key of one algorithm: signature_size() and sign(message, Rng&, out) const, which any thread may
/// call; `out` has signature_size() bytes.
template <class Part>
class JoinedSigner final : public Signer {
 public:
  /// `key` is the join of the parts' public keys.
  JoinedSigner(PublicKey key, std::vector<Part> parts) noexcept
      : public_key_(std::move(key)), parts_(std::move(parts)) {}

  [[nodiscard]] const PublicKey& public_key() const noexcept override { return public_key_; }

  Result<std::vector<std::uint8_t>> sign(Bytes message, Rng& rng) const override {
    std::vector<std::uint8_t> signature(info(public_key_.algorithm).signature_size);
    MutableBytes rest(signature);
    for (const Part& part : parts_) {
      QSP_TRY(part.sign(message, rng, rest.first(part.signature_size())));
      rest = rest.subspan(part.signature_size());
    }
    return signature;
  }

 private:
  PublicKey public_key_;
  std::vector<Part> parts_;
};

/// `Part` is a public key of one algorithm: signature_size() and verify(message, signature) const, which fails by
/// fail_signature(); `signature` has signature_size() bytes.
template <class Part>
class JoinedVerifier final : public Verifier {
 public:
  JoinedVerifier(SignatureId id, std::vector<Part> parts) noexcept : id_(id), parts_(std::move(parts)) {}

  Result<void> verify(Bytes message, Bytes signature) const override {
    if (signature.size() != info(id_).signature_size) return fail_signature();
    for (const Part& part : parts_) {
      QSP_TRY(part.verify(message, signature.first(part.signature_size())));
      signature = signature.subspan(part.signature_size());
    }
    return {};
  }

 private:
  SignatureId id_;
  std::vector<Part> parts_;
};

}  // namespace qsp::crypto

#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "qsp/crypto.hpp"
#include "qsp/suites.hpp"

/// The KEMs of the suite table, made of a library's ML-KEM and its elliptic-curve Diffie-Hellman
/// (draft-ietf-tls-ecdhe-mlkem §3).
namespace qsp::crypto {

/// The curves of the hybrids, for ECDH with ephemeral keys.
enum class Curve : std::uint8_t { X25519, P256, P384 };

struct CurveInfo {
  Curve curve;
  std::size_t seed_size;    ///< what a private key is drawn from, bytes
  std::size_t share_size;   ///< of a public share: X25519's 32 bytes, or an uncompressed point
  std::size_t secret_size;  ///< of the shared X coordinate
};

constexpr CurveInfo info(Curve curve) noexcept {
  switch (curve) {
    case Curve::X25519:
      return {curve, 32, 32, 32};
    case Curve::P256:
      return {curve, 32, 65, 32};
    case Curve::P384:
      return {curve, 48, 97, 48};
  }
  return {};
}

/// What a KEM of the suite table is made of.
struct Composition {
  KemId ml_kem;
  std::optional<Curve> curve;
  bool ecdh_first;
};

constexpr Composition composition(KemId id) noexcept {
  switch (id) {
    case KemId::MlKem512:
    case KemId::MlKem768:
    case KemId::MlKem1024:
      return {id, std::nullopt, false};
    case KemId::X25519MlKem768:
      return {KemId::MlKem768, Curve::X25519, false};
    case KemId::SecP256r1MlKem768:
      return {KemId::MlKem768, Curve::P256, true};
    case KemId::SecP384r1MlKem1024:
      return {KemId::MlKem1024, Curve::P384, true};
  }
  return {};
}

/// A share, ciphertext or secret of a hybrid, cut into its parts. `ecdh` is empty in a pure ML-KEM.
template <class View>
struct Halves {
  View ml_kem;
  View ecdh;
};

/// ML-KEM, alone or joined with ECDH. Both ends of the agreement, ECDH included, are ephemeral: the encapsulator's
/// share travels in the ciphertext.
///
/// A library brings two copyable types, which write into views of the right sizes and fail as Kem says:
///
///     MlKem::PrivateKey, generate(Rng&, public_key), encapsulate(public_key, Rng&, ciphertext, secret),
///     decapsulate(key, ciphertext, secret)
///     Ecdh::PrivateKey, generate(Rng&, share), agree(key, peer_share, secret)
///
/// Both private keys can be made without a value, and wipe themselves.
template <class MlKem, class Ecdh>
class HybridKem final : public Kem {
 public:
  /// `ecdh` is there where composition(id) names a curve.
  HybridKem(KemId id, MlKem ml_kem, std::optional<Ecdh> ecdh) noexcept
      : id_(id), parts_(info(composition(id).ml_kem)), ml_kem_(std::move(ml_kem)), ecdh_(std::move(ecdh)) {}

  [[nodiscard]] KemId id() const noexcept override { return id_; }

  Result<std::unique_ptr<KemPrivateKey>> generate(Rng& rng) const override {
    auto made = std::make_unique<PrivateKey>(*this);
    const auto [ml_kem_share, ecdh_share] = cut(MutableBytes(made->share), parts_.public_key_size);
    QSP_TRY(made->ml_kem, ml_kem_.generate(rng, ml_kem_share));
    if (!ecdh_) return made;
    QSP_TRY(made->ecdh, ecdh_->generate(rng, ecdh_share));
    return made;
  }

  Result<Encapsulation> encapsulate(Bytes public_key, Rng& rng) const override {
    const KemInfo& sizes = info(id_);
    if (public_key.size() != sizes.public_key_size) return fail_length("KEM: a public key of the wrong length");
    Encapsulation made{std::vector<std::uint8_t>(sizes.ciphertext_size), SharedSecret(sizes.secret_size)};
    const auto [peer_ml_kem, peer_ecdh] = cut(public_key, parts_.public_key_size);
    const auto [ml_kem_ciphertext, ecdh_share] = cut(MutableBytes(made.ciphertext), parts_.ciphertext_size);
    const auto [ml_kem_secret, ecdh_secret] = cut(made.secret.writable(), parts_.secret_size);
    QSP_TRY(ml_kem_.encapsulate(peer_ml_kem, rng, ml_kem_ciphertext, ml_kem_secret));
    if (!ecdh_) return made;
    QSP_TRY(const typename Ecdh::PrivateKey own, ecdh_->generate(rng, ecdh_share));
    QSP_TRY(ecdh_->agree(own, peer_ecdh, ecdh_secret));
    return made;
  }

 private:
  struct PrivateKey final : KemPrivateKey {
    explicit PrivateKey(const HybridKem& its_kem) : kem(&its_kem), share(info(its_kem.id_).public_key_size) {}
    [[nodiscard]] Bytes public_key() const noexcept override { return share; }
    Result<SharedSecret> decapsulate(Bytes ciphertext) override { return kem->decapsulate(*this, ciphertext); }

    const HybridKem* kem;
    std::vector<std::uint8_t> share;
    typename MlKem::PrivateKey ml_kem;
    typename Ecdh::PrivateKey ecdh;
  };

  static std::unexpected<Error> fail_length(std::string_view where) noexcept {
    return fail(ErrorKind::InvalidMessage, Reason::HandshakeFailed, where);
  }

  Result<SharedSecret> decapsulate(const PrivateKey& key, Bytes ciphertext) const {
    const KemInfo& sizes = info(id_);
    if (ciphertext.size() != sizes.ciphertext_size) return fail_length("KEM: a ciphertext of the wrong length");
    SharedSecret secret(sizes.secret_size);
    const auto [ml_kem_ciphertext, peer_ecdh] = cut(ciphertext, parts_.ciphertext_size);
    const auto [ml_kem_secret, ecdh_secret] = cut(secret.writable(), parts_.secret_size);
    QSP_TRY(ml_kem_.decapsulate(key.ml_kem, ml_kem_ciphertext, ml_kem_secret));
    if (!ecdh_) return secret;
    QSP_TRY(ecdh_->agree(key.ecdh, peer_ecdh, ecdh_secret));
    return secret;
  }

  /// Cuts `whole`, which has one part of `ml_kem_size` bytes and, behind or before it, ECDH's.
  template <class View>
  [[nodiscard]] Halves<View> cut(View whole, std::size_t ml_kem_size) const noexcept {
    const std::size_t ecdh_size = whole.size() - ml_kem_size;
    if (composition(id_).ecdh_first) return {whole.subspan(ecdh_size), whole.first(ecdh_size)};
    return {whole.first(ml_kem_size), whole.subspan(ml_kem_size)};
  }

  KemId id_;
  const KemInfo& parts_;  ///< of ML-KEM alone
  MlKem ml_kem_;
  std::optional<Ecdh> ecdh_;
};

}  // namespace qsp::crypto

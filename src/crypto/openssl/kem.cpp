#include "crypto/openssl/kem.hpp"

#include <optional>
#include <utility>

#include "base/try.hpp"
#include "crypto/openssl/ecdh.hpp"
#include "crypto/openssl/ml_kem.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto::openssl {
namespace {

std::unexpected<Error> fail_length(std::string_view where) noexcept {
  return fail(ErrorKind::InvalidMessage, Reason::HandshakeFailed, where);
}

/// A share, ciphertext or secret of a hybrid, cut into its parts. `ecdh` is empty in a pure ML-KEM.
template <class View>
struct Halves {
  View ml_kem;
  View ecdh;
};

/// ML-KEM, alone or joined with ECDH: draft-ietf-tls-ecdhe-mlkem §3. Both ends of the agreement, ECDH included, are
/// ephemeral: the encapsulator's share travels in the ciphertext.
class Hybrid final : public Kem {
 public:
  Hybrid(KemId id, MlKem ml_kem, std::optional<Ecdh> ecdh, bool ecdh_first) noexcept
      : id_(id), ml_kem_(ml_kem), ecdh_(ecdh), ecdh_first_(ecdh_first) {}

  [[nodiscard]] KemId id() const noexcept override { return id_; }
  Result<std::unique_ptr<KemPrivateKey>> generate(Rng& rng) const override;
  Result<Encapsulation> encapsulate(Bytes public_key, Rng& rng) const override;

  Result<SharedSecret> decapsulate(EVP_PKEY* ml_kem_key, EVP_PKEY* ecdh_key, Bytes ciphertext) const;

 private:
  /// Cuts `whole`, which has one part of `ml_kem_size` bytes and, behind or before it, ECDH's.
  template <class View>
  Halves<View> cut(View whole, std::size_t ml_kem_size) const noexcept {
    const std::size_t ecdh_size = whole.size() - ml_kem_size;
    if (ecdh_first_) return {whole.subspan(ecdh_size), whole.first(ecdh_size)};
    return {whole.first(ml_kem_size), whole.subspan(ml_kem_size)};
  }

  KemId id_;
  MlKem ml_kem_;
  std::optional<Ecdh> ecdh_;
  bool ecdh_first_;
};

class HybridPrivateKey final : public KemPrivateKey {
 public:
  HybridPrivateKey(const Hybrid& kem, std::vector<std::uint8_t> share, Pkey ml_kem_key, Pkey ecdh_key) noexcept
      : kem_(&kem), share_(std::move(share)), ml_kem_key_(std::move(ml_kem_key)), ecdh_key_(std::move(ecdh_key)) {}

  [[nodiscard]] Bytes public_key() const noexcept override { return share_; }
  Result<SharedSecret> decapsulate(Bytes ciphertext) override {
    return kem_->decapsulate(ml_kem_key_.get(), ecdh_key_.get(), ciphertext);
  }

 private:
  const Hybrid* kem_;
  std::vector<std::uint8_t> share_;
  Pkey ml_kem_key_;
  Pkey ecdh_key_;
};

Result<std::unique_ptr<KemPrivateKey>> Hybrid::generate(Rng& rng) const {
  std::vector<std::uint8_t> share(info(id_).public_key_size);
  const auto [ml_kem_share, ecdh_share] = cut(MutableBytes(share), ml_kem_.sizes().public_key);
  QSP_TRY(Pkey ml_kem_key, ml_kem_.generate(rng, ml_kem_share));
  Result<Pkey> ecdh_key;
  if (ecdh_) ecdh_key = ecdh_->generate(rng, ecdh_share);
  if (!ecdh_key) return std::unexpected(ecdh_key.error());
  return std::make_unique<HybridPrivateKey>(*this, std::move(share), std::move(ml_kem_key), *std::move(ecdh_key));
}

Result<Encapsulation> Hybrid::encapsulate(Bytes public_key, Rng& rng) const {
  const KemInfo& sizes = info(id_);
  if (public_key.size() != sizes.public_key_size) return fail_length("KEM: a public key of the wrong length");
  Encapsulation made{std::vector<std::uint8_t>(sizes.ciphertext_size), SharedSecret(sizes.secret_size)};
  const auto [peer_ml_kem, peer_ecdh] = cut(public_key, ml_kem_.sizes().public_key);
  const auto [ml_kem_ciphertext, ecdh_share] = cut(MutableBytes(made.ciphertext), ml_kem_.sizes().ciphertext);
  const auto [ml_kem_secret, ecdh_secret] = cut(made.secret.writable(), MlKem::kSecretSize);
  QSP_TRY(ml_kem_.encapsulate(peer_ml_kem, rng, ml_kem_ciphertext, ml_kem_secret));
  if (!ecdh_) return made;
  QSP_TRY(const Pkey own, ecdh_->generate(rng, ecdh_share));
  QSP_TRY(ecdh_->agree(own.get(), peer_ecdh, ecdh_secret));
  return made;
}

Result<SharedSecret> Hybrid::decapsulate(EVP_PKEY* ml_kem_key, EVP_PKEY* ecdh_key, Bytes ciphertext) const {
  const KemInfo& sizes = info(id_);
  if (ciphertext.size() != sizes.ciphertext_size) return fail_length("KEM: a ciphertext of the wrong length");
  SharedSecret secret(sizes.secret_size);
  const auto [ml_kem_ciphertext, peer_ecdh] = cut(ciphertext, ml_kem_.sizes().ciphertext);
  const auto [ml_kem_secret, ecdh_secret] = cut(secret.writable(), MlKem::kSecretSize);
  QSP_TRY(ml_kem_.decapsulate(ml_kem_key, ml_kem_ciphertext, ml_kem_secret));
  if (!ecdh_) return secret;
  QSP_TRY(ecdh_->agree(ecdh_key, peer_ecdh, ecdh_secret));
  return secret;
}

struct Composition {
  KemId id;
  const char* ml_kem;
  MlKem::Sizes sizes;
  std::optional<Ecdh::Curve> curve;
  bool ecdh_first;
};

constexpr MlKem::Sizes kMlKem512{800, 768};
constexpr MlKem::Sizes kMlKem768{1184, 1088};
constexpr MlKem::Sizes kMlKem1024{1568, 1568};

constexpr Composition composition(KemId id) noexcept {
  switch (id) {
    case KemId::MlKem512:
      return {id, "ML-KEM-512", kMlKem512, std::nullopt, false};
    case KemId::MlKem768:
      return {id, "ML-KEM-768", kMlKem768, std::nullopt, false};
    case KemId::MlKem1024:
      return {id, "ML-KEM-1024", kMlKem1024, std::nullopt, false};
    case KemId::X25519MlKem768:
      return {id, "ML-KEM-768", kMlKem768, Ecdh::Curve::X25519, false};
    case KemId::SecP256r1MlKem768:
      return {id, "ML-KEM-768", kMlKem768, Ecdh::Curve::P256, true};
    case KemId::SecP384r1MlKem1024:
      return {id, "ML-KEM-1024", kMlKem1024, Ecdh::Curve::P384, true};
  }
  return {};
}

}  // namespace

Fetched<std::unique_ptr<Kem>> make_kem(const Library& library, KemId id) {
  const Composition made_of = composition(id);
  const Fetched<MlKem> ml_kem = MlKem::make(library, made_of.ml_kem, made_of.sizes);
  if (!ml_kem) return std::unexpected(ml_kem.error());
  std::optional<Ecdh> ecdh;
  if (made_of.curve) {
    const Fetched<Ecdh> fetched = Ecdh::make(library, *made_of.curve);
    if (!fetched) return std::unexpected(fetched.error());
    ecdh = *fetched;
  }
  return std::make_unique<Hybrid>(id, *ml_kem, ecdh, made_of.ecdh_first);
}

}  // namespace qsp::crypto::openssl

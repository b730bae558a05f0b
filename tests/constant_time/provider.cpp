#include "constant_time/provider.hpp"

#include <utility>

#include "base/try.hpp"
#include "constant_time/watch.hpp"
#include "crypto/other_rng.hpp"
#include "support/fake_provider.hpp"

namespace qsp::test {
namespace {

using namespace crypto;

class SecretRng final : public Rng {
 public:
  explicit SecretRng(Rng& inner) noexcept : inner_(&inner) {}
  Result<void> fill(MutableBytes out) override {
    QSP_TRY(inner_->fill(out));
    // Public: of eight bytes is the ID of a session, which every frame carries in the clear, and nothing else.
    if (out.size() != 8) mark_secret(out);
    return {};
  }

 private:
  Rng* inner_;
};

class SecretKemPrivateKey final : public KemPrivateKey {
 public:
  explicit SecretKemPrivateKey(std::unique_ptr<KemPrivateKey> inner) noexcept : inner_(std::move(inner)) {
    declare_public(inner_->public_key());  // a public key
  }
  [[nodiscard]] Bytes public_key() const noexcept override { return inner_->public_key(); }
  Result<SharedSecret> decapsulate(Bytes ciphertext) override {
    QSP_TRY(auto secret, inner_->decapsulate(ciphertext));
    mark_secret(secret.reveal());
    return secret;
  }

 private:
  std::unique_ptr<KemPrivateKey> inner_;
};

class SecretKem final : public Kem {
 public:
  explicit SecretKem(const Kem& inner) noexcept : inner_(&inner) {}
  [[nodiscard]] KemId id() const noexcept override { return inner_->id(); }
  Result<std::unique_ptr<KemPrivateKey>> generate(Rng& rng) const override {
    QSP_TRY(auto key, inner_->generate(rng));
    return std::make_unique<SecretKemPrivateKey>(std::move(key));
  }
  Result<Encapsulation> encapsulate(Bytes public_key, Rng& rng) const override {
    QSP_TRY(auto made, inner_->encapsulate(public_key, rng));
    declare_public(Bytes(made.ciphertext));  // a ciphertext
    mark_secret(made.secret.reveal());
    return made;
  }

 private:
  const Kem* inner_;
};

class SecretAead final : public Aead {
 public:
  explicit SecretAead(std::unique_ptr<Aead> inner) noexcept : inner_(std::move(inner)) {}
  Result<void> set_key(TrafficKey&& key) override { return inner_->set_key(std::move(key)); }
  Result<void> seal(const Nonce& nonce, Bytes aad, MutableBytes data, std::span<std::uint8_t, kTagSize> tag) override {
    QSP_TRY(inner_->seal(nonce, aad, data, tag));
    declare_public(Bytes(data));  // a ciphertext
    declare_public(Bytes(tag));
    return {};
  }
  Result<void> open(const Nonce& nonce, Bytes aad, MutableBytes data,
                    std::span<const std::uint8_t, kTagSize> tag) override {
    QSP_TRY(inner_->open(nonce, aad, data, tag));
    // Public: the fields of the protocol's own messages, which a parser has to branch on. What is secret among them,
    // a confirmation or a rekey's material, was so at the end that sent it, where the same code computes with it.
    if (!as_text(aad).starts_with("app")) declare_public(Bytes(data));
    return {};
  }

 private:
  std::unique_ptr<Aead> inner_;
};

class SecretProvider final : public OtherRngProvider {
 public:
  explicit SecretProvider(std::unique_ptr<Provider> inner)
      : OtherRngProvider(*inner), inner_(std::move(inner)), rng_(inner_->rng()) {
    for (const KemId id : inner_->capabilities().kems) kems_.emplace_back(**inner_->kem(id));
  }
  [[nodiscard]] Rng& rng() noexcept override { return rng_; }
  Result<const Kem*> kem(KemId id) override {
    for (const SecretKem& kem : kems_) {
      if (kem.id() == id) return &kem;
    }
    return inner_->kem(id);
  }
  Result<std::unique_ptr<Aead>> aead(AeadId id) override {
    QSP_TRY(auto made, inner_->aead(id));
    return std::make_unique<SecretAead>(std::move(made));
  }

 private:
  std::unique_ptr<Provider> inner_;
  SecretRng rng_;
  std::vector<SecretKem> kems_;
};

}  // namespace

std::unique_ptr<Provider> make_secret_provider(std::uint64_t seed) {
  return std::make_unique<SecretProvider>(make_fake_provider(seed));
}

}  // namespace qsp::test

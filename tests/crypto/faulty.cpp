#include "crypto/faulty.hpp"

#include <map>
#include <utility>

namespace qsp::crypto::test {
namespace {

class FaultyKey final : public KemPrivateKey {
 public:
  FaultyKey(const Faults& faults, KemId id, std::unique_ptr<KemPrivateKey> inner)
      : faults_(&faults),
        id_(id),
        inner_(std::move(inner)),
        share_(faults.share ? faults.share(id, inner_->public_key()) : copy(inner_->public_key())) {}

  [[nodiscard]] Bytes public_key() const noexcept override { return share_; }
  Result<SharedSecret> decapsulate(Bytes ciphertext) override {
    return faults_->decapsulate ? faults_->decapsulate(*inner_, id_, ciphertext) : inner_->decapsulate(ciphertext);
  }

 private:
  const Faults* faults_;
  KemId id_;
  std::unique_ptr<KemPrivateKey> inner_;
  Buffer share_;
};

class FaultyKem final : public Kem {
 public:
  FaultyKem(const Faults& faults, const Kem& inner) noexcept : faults_(&faults), inner_(&inner) {}

  [[nodiscard]] KemId id() const noexcept override {
    return faults_->kem_id ? faults_->kem_id(inner_->id()) : inner_->id();
  }
  Result<std::unique_ptr<KemPrivateKey>> generate(Rng& rng) const override {
    auto made = faults_->generate ? faults_->generate(*inner_, rng) : inner_->generate(rng);
    if (!made) return made;
    return std::make_unique<FaultyKey>(*faults_, inner_->id(), *std::move(made));
  }
  Result<Encapsulation> encapsulate(Bytes public_key, Rng& rng) const override {
    return faults_->encapsulate ? faults_->encapsulate(*inner_, public_key, rng) : inner_->encapsulate(public_key, rng);
  }

 private:
  const Faults* faults_;
  const Kem* inner_;
};

class FaultyAead final : public Aead {
 public:
  FaultyAead(const Faults& faults, std::unique_ptr<Aead> inner) : faults_(&faults), inner_(std::move(inner)) {}

  Result<void> set_key(TrafficKey&& key) override {
    return faults_->set_key ? faults_->set_key(*inner_, std::move(key)) : inner_->set_key(std::move(key));
  }
  Result<void> seal(const Nonce& nonce, Bytes aad, MutableBytes data, Faults::Tag tag) override {
    return faults_->seal ? faults_->seal(*inner_, nonce, aad, data, tag) : inner_->seal(nonce, aad, data, tag);
  }
  Result<void> open(const Nonce& nonce, Bytes aad, MutableBytes data, Faults::ConstTag tag) override {
    return faults_->open ? faults_->open(*inner_, nonce, aad, data, tag) : inner_->open(nonce, aad, data, tag);
  }

 private:
  const Faults* faults_;
  std::unique_ptr<Aead> inner_;
};

class FaultyHkdf final : public Hkdf {
 public:
  FaultyHkdf(const Faults& faults, Hkdf& inner) noexcept : faults_(&faults), inner_(&inner) {}

  Result<Digest> hash(Parts parts) override {
    return faults_->hash ? faults_->hash(*inner_, parts) : inner_->hash(parts);
  }
  Result<Digest> hmac(Bytes key, Parts parts) override {
    return faults_->hmac ? faults_->hmac(*inner_, key, parts) : inner_->hmac(key, parts);
  }
  Result<ScheduleSecret> extract(Bytes salt, Parts ikm) override {
    return faults_->extract ? faults_->extract(*inner_, salt, ikm) : inner_->extract(salt, ikm);
  }
  Result<void> expand(Bytes prk, Parts info, MutableBytes out) override {
    return faults_->expand ? faults_->expand(*inner_, prk, info, out) : inner_->expand(prk, info, out);
  }

 private:
  const Faults* faults_;
  Hkdf* inner_;
};

class FaultySigner final : public Signer {
 public:
  FaultySigner(const Faults& faults, std::unique_ptr<Signer> inner) : faults_(&faults), inner_(std::move(inner)) {}
  [[nodiscard]] const PublicKey& public_key() const noexcept override { return inner_->public_key(); }
  Result<std::vector<std::uint8_t>> sign(Bytes message, Rng& rng) const override {
    return faults_->sign ? faults_->sign(*inner_, message, rng) : inner_->sign(message, rng);
  }

 private:
  const Faults* faults_;
  std::unique_ptr<Signer> inner_;
};

class FaultyVerifier final : public Verifier {
 public:
  FaultyVerifier(const Faults& faults, Provider& provider, PublicKey key, std::unique_ptr<Verifier> inner)
      : faults_(&faults), provider_(&provider), key_(std::move(key)), inner_(std::move(inner)) {}
  Result<void> verify(Bytes message, Bytes signature) const override {
    return faults_->verify ? faults_->verify(*provider_, key_, *inner_, message, signature)
                           : inner_->verify(message, signature);
  }

 private:
  const Faults* faults_;
  Provider* provider_;
  PublicKey key_;
  std::unique_ptr<Verifier> inner_;
};

class FaultyRng final : public Rng {
 public:
  FaultyRng(const Faults& faults, Rng& inner) noexcept : faults_(&faults), inner_(&inner) {}
  Result<void> fill(MutableBytes out) override {
    return faults_->fill ? faults_->fill(*inner_, out) : inner_->fill(out);
  }

 private:
  const Faults* faults_;
  Rng* inner_;
};

class FaultyKeystream final : public Keystream {
 public:
  FaultyKeystream(const Faults& faults, std::unique_ptr<Keystream> inner)
      : faults_(&faults), inner_(std::move(inner)) {}
  Result<void> read(const Nonce& nonce, MutableBytes out) override {
    return faults_->read ? faults_->read(*inner_, nonce, out) : inner_->read(nonce, out);
  }

 private:
  const Faults* faults_;
  std::unique_ptr<Keystream> inner_;
};

class FaultyProvider final : public OtherRngProvider {
 public:
  FaultyProvider(Provider& inner, const Faults& faults)
      : OtherRngProvider(inner),
        faults_(&faults),
        rng_(faults, inner.rng()),
        hkdf_(faults, inner.hkdf()),
        capabilities_(inner.capabilities()) {
    if (faults.capabilities) faults.capabilities(capabilities_);
    for (const KemInfo& row : kKems) {
      if (const auto kem = inner.kem(row.id)) kems_.emplace(row.id, FaultyKem(faults, **kem));
    }
  }

  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return capabilities_; }
  [[nodiscard]] Rng& rng() noexcept override { return rng_; }
  [[nodiscard]] Hkdf& hkdf() noexcept override { return hkdf_; }

  Result<std::unique_ptr<Aead>> aead(AeadId id) override {
    auto made = original().aead(id);
    if (!made) return made;
    return std::make_unique<FaultyAead>(*faults_, *std::move(made));
  }
  Result<const Kem*> kem(KemId id) override {
    if (faults_->kem) return faults_->kem(original(), id);
    const auto found = kems_.find(id);
    if (found == kems_.end()) return lacks(id);
    return &found->second;
  }
  Result<std::unique_ptr<Verifier>> verifier(const PublicKey& key) override {
    auto made = faults_->verifier ? faults_->verifier(original(), key) : original().verifier(key);
    if (!made) return made;
    return std::make_unique<FaultyVerifier>(*faults_, original(), key, *std::move(made));
  }
  Result<std::unique_ptr<Signer>> load_signer(std::string_view pem, const AskPassphrase& ask) override {
    auto made = faults_->load_signer ? faults_->load_signer(original(), pem, ask) : original().load_signer(pem, ask);
    if (!made) return made;
    return std::make_unique<FaultySigner>(*faults_, *std::move(made));
  }
  Result<PublicKey> load_public_key(std::string_view pem) override {
    return faults_->load_public_key ? faults_->load_public_key(original(), pem) : original().load_public_key(pem);
  }
  Result<SecretBytes> generate_private_key(SignatureId id, const std::optional<SecretBytes>& passphrase) override {
    return faults_->generate_private_key ? faults_->generate_private_key(original(), id, passphrase)
                                         : original().generate_private_key(id, passphrase);
  }
  Result<std::string> public_key_pem(const PublicKey& key) override {
    return faults_->public_key_pem ? faults_->public_key_pem(original(), key) : original().public_key_pem(key);
  }
  Result<std::unique_ptr<Keystream>> keystream(TrafficKey&& key) override {
    auto made = original().keystream(std::move(key));
    if (!made) return made;
    return std::make_unique<FaultyKeystream>(*faults_, *std::move(made));
  }

 private:
  const Faults* faults_;
  FaultyRng rng_;
  FaultyHkdf hkdf_;
  Capabilities capabilities_;
  std::map<KemId, FaultyKem> kems_;
};

}  // namespace

std::unique_ptr<Provider> make_faulty_provider(Provider& inner, const Faults& faults) {
  return std::make_unique<FaultyProvider>(inner, faults);
}

}  // namespace qsp::crypto::test

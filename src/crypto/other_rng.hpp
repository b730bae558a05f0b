#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "qsp/crypto.hpp"

namespace qsp::crypto {

/// A provider that is another one in all but its randomness, which a derived class supplies: so that a run repeats.
class OtherRngProvider : public Provider {
 public:
  [[nodiscard]] std::string_view description() const noexcept override { return inner_->description(); }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return inner_->capabilities(); }
  [[nodiscard]] Hkdf& hkdf() noexcept override { return inner_->hkdf(); }
  Result<std::unique_ptr<Aead>> aead(AeadId id) override { return inner_->aead(id); }
  Result<const Kem*> kem(KemId id) override { return inner_->kem(id); }
  Result<std::unique_ptr<Verifier>> verifier(const PublicKey& key) override { return inner_->verifier(key); }
  Result<std::unique_ptr<Signer>> load_signer(std::string_view pem, const AskPassphrase& ask) override {
    return inner_->load_signer(pem, ask);
  }
  Result<PublicKey> load_public_key(std::string_view pem) override { return inner_->load_public_key(pem); }
  Result<SecretBytes> generate_private_key(SignatureId id, const std::optional<SecretBytes>& passphrase) override {
    return inner_->generate_private_key(id, passphrase);
  }
  Result<std::string> public_key_pem(const PublicKey& key) override { return inner_->public_key_pem(key); }
  Result<std::unique_ptr<Keystream>> keystream(TrafficKey&& key) override { return inner_->keystream(std::move(key)); }
  [[nodiscard]] std::string_view library_of(const Algorithm& algorithm) const noexcept override {
    return inner_->library_of(algorithm);
  }

 protected:
  /// `inner` outlives it.
  explicit OtherRngProvider(Provider& inner) noexcept : inner_(&inner) {}
  [[nodiscard]] Provider& original() const noexcept { return *inner_; }

 private:
  Provider* inner_;
};

}  // namespace qsp::crypto

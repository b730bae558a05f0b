#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "qsp/crypto.hpp"

namespace qsp::test {

/// Random bytes written down beforehand. Fails with Provider/INTERNAL_ERROR once they are used up.
class ScriptedRng final : public crypto::Rng {
 public:
  explicit ScriptedRng(std::vector<std::uint8_t> script) noexcept : script_(std::move(script)) {}
  Result<void> fill(MutableBytes out) override;
  [[nodiscard]] std::size_t left() const noexcept { return script_.size() - used_; }

 private:
  std::vector<std::uint8_t> script_;
  std::size_t used_ = 0;
};

/// Another provider, with its randomness replaced or its failures dictated. `inner` outlives it and its objects, and it
/// outlives the objects that it makes.
class ScriptedProvider final : public crypto::Provider {
 public:
  explicit ScriptedProvider(crypto::Provider& inner) noexcept;
  ~ScriptedProvider() override;

  /// Random bytes come from here, and no longer from `inner`.
  void use_rng(crypto::Rng& rng) noexcept { rng_ = &rng; }

  /// The operation after `count` more fails with Provider/INTERNAL_ERROR, and so does every later one. Operations are
  /// those of Rng, Hkdf and Aead, and the making of an Aead.
  void fail_after(std::uint64_t count) noexcept { left_ = count, once_ = false; }
  /// That operation fails, and later ones do not.
  void fail_once_after(std::uint64_t count) noexcept { left_ = count, once_ = true; }
  void never_fail() noexcept { left_ = std::numeric_limits<std::uint64_t>::max(); }
  /// Operations since the last call of this.
  std::uint64_t take_count() noexcept { return std::exchange(count_, 0); }

  [[nodiscard]] std::string_view description() const noexcept override { return inner_->description(); }
  [[nodiscard]] crypto::Rng& rng() noexcept override;
  [[nodiscard]] crypto::Hkdf& hkdf() noexcept override;
  Result<std::unique_ptr<crypto::Aead>> aead(crypto::AeadId id) override;
  Result<const crypto::Kem*> kem(crypto::KemId id) override { return inner_->kem(id); }
  Result<std::unique_ptr<crypto::Verifier>> verifier(const crypto::PublicKey& key) override {
    return inner_->verifier(key);
  }
  Result<std::unique_ptr<crypto::Signer>> load_signer(std::string_view pem, const crypto::AskPassphrase& ask) override {
    return inner_->load_signer(pem, ask);
  }
  Result<crypto::PublicKey> load_public_key(std::string_view pem) override { return inner_->load_public_key(pem); }
  Result<crypto::SecretText> generate_private_key(crypto::SignatureId id,
                                                  const std::optional<crypto::SecretText>& passphrase) override {
    return inner_->generate_private_key(id, passphrase);
  }
  Result<std::string> public_key_pem(const crypto::PublicKey& key) override { return inner_->public_key_pem(key); }

 private:
  class CountedRng;
  class CountedHkdf;
  class CountedAead;

  /// Counts one operation. False: it has to fail.
  bool admit() noexcept;

  crypto::Provider* inner_;
  crypto::Rng* rng_;
  std::unique_ptr<CountedRng> counted_rng_;
  std::unique_ptr<CountedHkdf> counted_hkdf_;
  std::uint64_t left_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t count_ = 0;
  bool once_ = false;
};

}  // namespace qsp::test

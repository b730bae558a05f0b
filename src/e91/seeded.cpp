#include "e91/seeded.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace qsp::e91 {
namespace {

class SeededRng final : public crypto::Rng {
 public:
  explicit SeededRng(RandomStream&& stream) noexcept : stream_(std::move(stream)) {}

  Result<void> fill(MutableBytes out) override {
    while (!out.empty()) {
      std::uint64_t word = stream_.next();
      const std::size_t size = std::min<std::size_t>(8, out.size());
      for (std::uint8_t& byte : out.first(size)) {
        byte = static_cast<std::uint8_t>(word);
        word >>= 8;
      }
      out = out.subspan(size);
    }
    if (!stream_.healthy()) return fail_stream();
    return {};
  }

 private:
  static std::unexpected<Error> fail_stream() noexcept {
    return qsp::fail(ErrorKind::Provider, Reason::InternalError, "the stream of random numbers has failed");
  }
  RandomStream stream_;
};

class SeededProvider final : public crypto::Provider, public crypto::KeystreamSource {
 public:
  SeededProvider(crypto::Provider& inner, RandomStream&& stream) noexcept : inner_(inner), rng_(std::move(stream)) {}

  [[nodiscard]] std::string_view description() const noexcept override { return inner_.description(); }
  [[nodiscard]] crypto::Rng& rng() noexcept override { return rng_; }
  [[nodiscard]] crypto::Hkdf& hkdf() noexcept override { return inner_.hkdf(); }
  Result<std::unique_ptr<crypto::Aead>> aead(crypto::AeadId id) override { return inner_.aead(id); }
  Result<const crypto::Kem*> kem(crypto::KemId id) override { return inner_.kem(id); }
  Result<std::unique_ptr<crypto::Verifier>> verifier(const crypto::PublicKey& key) override {
    return inner_.verifier(key);
  }
  Result<std::unique_ptr<crypto::Signer>> load_signer(std::string_view pem, const crypto::AskPassphrase& ask) override {
    return inner_.load_signer(pem, ask);
  }
  Result<crypto::PublicKey> load_public_key(std::string_view pem) override { return inner_.load_public_key(pem); }
  Result<crypto::SecretText> generate_private_key(crypto::SignatureId id,
                                                  const std::optional<crypto::SecretText>& passphrase) override {
    return inner_.generate_private_key(id, passphrase);
  }
  Result<std::string> public_key_pem(const crypto::PublicKey& key) override { return inner_.public_key_pem(key); }

  /// Error: Provider where `inner` cannot.
  Result<std::unique_ptr<crypto::Keystream>> keystream(TrafficKey&& key) override {
    return make_keystream(inner_, std::move(key));
  }

 private:
  crypto::Provider& inner_;
  SeededRng rng_;
};

}  // namespace

Result<std::unique_ptr<crypto::Provider>> make_seeded_provider(crypto::Provider& inner, Seed&& seed) {
  auto stream = RandomStream::create(inner, std::move(seed));
  if (!stream) return std::unexpected(stream.error());
  return std::make_unique<SeededProvider>(inner, std::move(*stream));
}

}  // namespace qsp::e91

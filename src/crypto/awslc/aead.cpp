#include "crypto/awslc/aead.hpp"

#include <openssl/aead.h>

#include <utility>

#include "crypto/awslc/library.hpp"

namespace qsp::crypto::awslc {
namespace {

class AwsLcAead final : public Aead {
 public:
  explicit AwsLcAead(const EVP_AEAD* algorithm) noexcept : algorithm_(algorithm) { EVP_AEAD_CTX_zero(&context_); }
  ~AwsLcAead() override { forget(); }
  AwsLcAead(const AwsLcAead&) = delete;
  AwsLcAead& operator=(const AwsLcAead&) = delete;

  Result<void> set_key(TrafficKey&& key) override {
    const TrafficKey taken = std::move(key);
    forget();
    const Bytes bytes = taken.reveal();
    keyed_ = EVP_AEAD_CTX_init(&context_, algorithm_, bytes.data(), bytes.size(), kTagSize, nullptr) == 1;
    if (keyed_) return {};
    forget();
    return fail_provider("AEAD: the key was refused");
  }

  Result<void> seal(const Nonce& nonce, Bytes aad, MutableBytes data, std::span<std::uint8_t, kTagSize> tag) override {
    if (const Result<void> usable = check(aad, data); !usable) {
      wipe(data);
      return usable;
    }
    std::size_t tag_size = 0;
    if (EVP_AEAD_CTX_seal_scatter(&context_, data.data(), tag.data(), &tag_size, tag.size(), nonce.data(), nonce.size(),
                                  data.data(), data.size(), nullptr, 0, aad.data(), aad.size()) == 1 &&
        tag_size == tag.size()) {
      return {};
    }
    wipe(data);
    return fail_provider("AEAD: sealing failed");
  }

  Result<void> open(const Nonce& nonce, Bytes aad, MutableBytes data,
                    std::span<const std::uint8_t, kTagSize> tag) override {
    if (const Result<void> usable = check(aad, data); !usable) {
      wipe(data);
      return usable;
    }
    if (EVP_AEAD_CTX_open_gather(&context_, data.data(), nonce.data(), nonce.size(), data.data(), data.size(),
                                 tag.data(), tag.size(), aad.data(), aad.size()) == 1) {
      return {};
    }
    wipe(data);
    return fail_clean(ErrorKind::DecryptFailed, Reason::AeadDecryptFailed, "AEAD: the tag does not match");
  }

 private:
  /// Why `data` cannot be processed at all, if so. The bound is OpenSSL's, so that both refuse alike.
  [[nodiscard]] Result<void> check(Bytes aad, Bytes data) const noexcept {
    if (!keyed_) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "AEAD: no key is set");
    if (!std::in_range<int>(aad.size()) || !std::in_range<int>(data.size())) {
      return fail(ErrorKind::ApiMisuse, Reason::InternalError, "AEAD: more than 2^31 - 1 bytes");
    }
    return {};
  }

  /// The key's schedule stands in the context, which its own cleaning does not overwrite.
  void forget() noexcept {
    keyed_ = false;
    EVP_AEAD_CTX_cleanup(&context_);
    wipe({reinterpret_cast<std::uint8_t*>(&context_), sizeof context_});
  }

  const EVP_AEAD* algorithm_;
  EVP_AEAD_CTX context_;
  bool keyed_ = false;
};

}  // namespace

std::unique_ptr<Aead> make_aead(AeadId id) {
  return std::make_unique<AwsLcAead>(id == AeadId::Aes256Gcm ? EVP_aead_aes_256_gcm() : EVP_aead_chacha20_poly1305());
}

}  // namespace qsp::crypto::awslc

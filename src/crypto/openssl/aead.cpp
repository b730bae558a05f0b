#include "crypto/openssl/aead.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>
#include <utility>

namespace qsp::crypto::openssl {
namespace {

enum class Direction : int { Open = 0, Seal = 1 };

/// A tag that is read or written as a parameter. EVP_CIPHER_CTX_ctrl would build the same from its arguments, in a
/// tenth of the time that a frame of 64 bytes takes.
class TagParameter {
 public:
  explicit TagParameter(std::span<std::uint8_t, kTagSize> tag) noexcept
      : list_{OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), tag.size()),
              OSSL_PARAM_construct_end()} {}

  [[nodiscard]] OSSL_PARAM* list() noexcept { return list_.data(); }

 private:
  std::array<OSSL_PARAM, 2> list_;
};

class OpenSslAead final : public Aead {
 public:
  explicit OpenSslAead(CipherContext context) noexcept : context_(std::move(context)) {}

  Result<void> set_key(TrafficKey&& key) override;
  Result<void> seal(const Nonce& nonce, Bytes aad, MutableBytes data, std::span<std::uint8_t, kTagSize> tag) override;
  Result<void> open(const Nonce& nonce, Bytes aad, MutableBytes data,
                    std::span<const std::uint8_t, kTagSize> tag) override;

 private:
  /// Why `data` cannot be processed at all, if so.
  [[nodiscard]] Result<void> check(Bytes aad, Bytes data) const noexcept;
  bool start(Direction direction, const Nonce& nonce, const OSSL_PARAM* parameters) noexcept;
  bool update(Bytes aad, MutableBytes data) noexcept;

  /// One context for both directions: both ciphers run their key schedule forwards, so the direction is set with the
  /// nonce and the key stays.
  CipherContext context_;
  bool keyed_ = false;
};

Result<void> OpenSslAead::set_key(TrafficKey&& key) {
  const TrafficKey taken = std::move(key);
  const Bytes bytes = taken.reveal();
  keyed_ = std::cmp_equal(bytes.size(), EVP_CIPHER_CTX_get_key_length(context_.get())) &&
           EVP_CipherInit_ex2(context_.get(), nullptr, bytes.data(), nullptr, std::to_underlying(Direction::Seal),
                              nullptr) == 1;
  if (keyed_) return {};
  // Overwrites the old key's schedule: what cannot be used must not stay in memory.
  constexpr std::array<std::uint8_t, TrafficKey::kCapacity> kNoKey{};
  EVP_CipherInit_ex2(context_.get(), nullptr, kNoKey.data(), nullptr, std::to_underlying(Direction::Seal), nullptr);
  return fail_provider("AEAD: the key was refused");
}

Result<void> OpenSslAead::check(Bytes aad, Bytes data) const noexcept {
  if (!keyed_) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "AEAD: no key is set");
  if (!std::in_range<int>(aad.size()) || !std::in_range<int>(data.size())) {
    return fail(ErrorKind::ApiMisuse, Reason::InternalError, "AEAD: more than 2^31 - 1 bytes");
  }
  return {};
}

bool OpenSslAead::start(Direction direction, const Nonce& nonce, const OSSL_PARAM* parameters) noexcept {
  return EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, nonce.data(), std::to_underlying(direction),
                            parameters) == 1;
}

bool OpenSslAead::update(Bytes aad, MutableBytes data) noexcept {
  int written = 0;
  if (!aad.empty() &&
      EVP_CipherUpdate(context_.get(), nullptr, &written, aad.data(), static_cast<int>(aad.size())) != 1) {
    return false;
  }
  if (!data.empty() &&
      EVP_CipherUpdate(context_.get(), data.data(), &written, data.data(), static_cast<int>(data.size())) != 1) {
    return false;
  }
  // Both are stream modes: the last call checks or makes the tag and writes nothing.
  std::array<std::uint8_t, kTagSize> unused;
  return EVP_CipherFinal_ex(context_.get(), unused.data(), &written) == 1;
}

Result<void> OpenSslAead::seal(const Nonce& nonce, Bytes aad, MutableBytes data,
                               std::span<std::uint8_t, kTagSize> tag) {
  if (const Result<void> usable = check(aad, data); !usable) {
    wipe(data);
    return usable;
  }
  TagParameter parameter(tag);
  if (start(Direction::Seal, nonce, nullptr) && update(aad, data) &&
      EVP_CIPHER_CTX_get_params(context_.get(), parameter.list()) == 1) {
    return {};
  }
  wipe(data);
  return fail_provider("AEAD: sealing failed");
}

Result<void> OpenSslAead::open(const Nonce& nonce, Bytes aad, MutableBytes data,
                               std::span<const std::uint8_t, kTagSize> tag) {
  if (const Result<void> usable = check(aad, data); !usable) {
    wipe(data);
    return usable;
  }
  // A parameter is mutable, although this one is only read.
  std::array<std::uint8_t, kTagSize> expected;
  std::ranges::copy(tag, expected.begin());
  if (!start(Direction::Open, nonce, TagParameter(expected).list())) {
    wipe(data);
    return fail_provider("AEAD: opening failed");
  }
  if (update(aad, data)) return {};
  wipe(data);
  return fail_clean(ErrorKind::DecryptFailed, Reason::AeadDecryptFailed, "AEAD: the tag does not match");
}

}  // namespace

const char* cipher_name(AeadId id) noexcept {
  switch (id) {
    case AeadId::Aes256Gcm:
      return "AES-256-GCM";
    case AeadId::ChaCha20Poly1305:
      return "ChaCha20-Poly1305";
  }
  return "";
}

Result<std::unique_ptr<Aead>> make_aead(EVP_CIPHER* cipher) {
  CipherContext context(EVP_CIPHER_CTX_new());
  if (!context || EVP_CipherInit_ex2(context.get(), cipher, nullptr, nullptr, 1, nullptr) != 1) {
    return fail_provider("AEAD: no context");
  }
  return std::make_unique<OpenSslAead>(std::move(context));
}

}  // namespace qsp::crypto::openssl

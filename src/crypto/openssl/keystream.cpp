#include "crypto/openssl/keystream.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace qsp::crypto::openssl {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

class CounterKeystream final : public Keystream {
 public:
  explicit CounterKeystream(CipherContext context) noexcept : context_(std::move(context)) {}

  Result<void> read(const Nonce& nonce, MutableBytes out) override {
    if (out.size() > kMostBytes) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "keystream: more than 1 MiB");
    // NIST SP 800-38D §7.1: the counter that encrypts the first block is nonce ‖ 2.
    std::array<std::uint8_t, 16> counter{};
    std::ranges::copy(nonce, counter.begin());
    counter.back() = 2;
    std::ranges::fill(out, std::uint8_t{0});
    int written = 0;
    if (EVP_EncryptInit_ex2(context_.get(), nullptr, nullptr, counter.data(), nullptr) == 1 &&
        EVP_EncryptUpdate(context_.get(), out.data(), &written, out.data(), static_cast<int>(out.size())) == 1) {
      return {};
    }
    return fail_provider("keystream: the cipher failed");
  }

 private:
  CipherContext context_;
};

}  // namespace

Result<std::unique_ptr<Keystream>> make_keystream(const Library& library, TrafficKey&& key) {
  const TrafficKey taken = std::move(key);
  const Cipher cipher(EVP_CIPHER_fetch(Library::context(), "AES-256-CTR", library.query()));
  CipherContext context(EVP_CIPHER_CTX_new());
  if (!cipher || !context || std::cmp_not_equal(taken.size(), EVP_CIPHER_get_key_length(cipher.get())) ||
      EVP_EncryptInit_ex2(context.get(), cipher.get(), taken.reveal().data(), nullptr, nullptr) != 1) {
    return fail_provider("keystream: no AES-256-CTR");
  }
  return std::make_unique<CounterKeystream>(std::move(context));
}

}  // namespace qsp::crypto::openssl

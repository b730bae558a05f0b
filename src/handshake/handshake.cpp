#include "handshake/handshake.hpp"

#include <algorithm>
#include <array>

#include "base/try.hpp"

namespace qsp::handshake {
namespace {

/// What a signature covers: a context that no other protocol signs under, a zero byte, and a transcript hash.
class SignedBytes {
 public:
  SignedBytes(std::string_view context, const schedule::Digest& transcript) noexcept {
    auto end = std::ranges::copy(context, bytes_.begin()).out;
    *end++ = 0;
    end = std::ranges::copy(transcript, end).out;
    size_ = static_cast<std::size_t>(end - bytes_.begin());
  }
  [[nodiscard]] Bytes view() const noexcept { return Bytes(bytes_).first(size_); }

 private:
  std::array<std::uint8_t, kServerAuthContext.size() + 1 + crypto::kHashSize> bytes_{};
  std::size_t size_;
};
static_assert(kServerAuthContext.size() == kClientAuthContext.size());

}  // namespace

Result<PeerVerified> PeerVerified::check(crypto::Provider& provider, const crypto::PublicKey& key,
                                         std::string_view context, const schedule::Digest& transcript,
                                         Bytes signature) {
  QSP_TRY(const auto verifier, provider.verifier(key));
  QSP_TRY(verifier->verify(SignedBytes(context, transcript).view(), signature));
  return PeerVerified();
}

Result<std::vector<std::uint8_t>> sign(crypto::Provider& provider, const crypto::Signer& signer,
                                       std::string_view context, const schedule::Digest& transcript) {
  return signer.sign(SignedBytes(context, transcript).view(), provider.rng());
}

}  // namespace qsp::handshake

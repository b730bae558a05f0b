#include "crypto/awslc/dhkem.hpp"

#include <openssl/digest.h>
#include <openssl/hkdf.h>

#include <array>
#include <string_view>

namespace qsp::crypto::awslc {
namespace {

/// What RFC 9180 §7.1, tables 2 and 3, says of a curve's DHKEM.
struct Dhkem {
  std::uint8_t id;
  const EVP_MD* hash;
  std::size_t key_size;  ///< Nsk, and Nh
};

using Prk = Secret<48, struct DhkemTag>;

/// The labels and values of LabeledExtract and LabeledExpand (RFC 9180 §4), joined.
class Labeled {
 public:
  ~Labeled() { wipe(MutableBytes(bytes_).first(size_)); }
  Labeled(const Labeled&) = delete;
  Labeled& operator=(const Labeled&) = delete;

  Labeled() = default;
  Labeled& add(Bytes bytes) noexcept {
    for (const std::uint8_t byte : bytes) bytes_[size_++] = byte;
    return *this;
  }
  Labeled& add(std::string_view text) noexcept { return add(as_bytes(text)); }
  Labeled& add(std::uint8_t byte) noexcept { return add(Bytes(&byte, 1)); }
  /// "HPKE-v1" ‖ suite_id ‖ label; the suite's is "KEM" ‖ its number.
  Labeled& begin(const Dhkem& kem, std::string_view label) noexcept {
    return add("HPKE-v1").add("KEM").add(std::uint8_t{0}).add(kem.id).add(label);
  }
  [[nodiscard]] Bytes view() const noexcept { return Bytes(bytes_).first(size_); }

 private:
  std::array<std::uint8_t, 96> bytes_{};  // the longest is 7 + 5 + 7 + 48
  std::size_t size_ = 0;
};

}  // namespace

SecretNumber derive_private_key(Curve curve, Bytes ikm, const BIGNUM* order) {
  const Dhkem kem = curve == Curve::P256 ? Dhkem{0x10, EVP_sha256(), 32} : Dhkem{0x11, EVP_sha384(), 48};
  Labeled material;
  material.begin(kem, "dkp_prk").add(ikm);
  Prk prk(kem.key_size);
  std::size_t size = 0;
  if (HKDF_extract(prk.writable().data(), &size, kem.hash, material.view().data(), material.view().size(), nullptr,
                   0) != 1) {
    return nullptr;
  }
  Prk candidate(kem.key_size);
  for (unsigned counter = 0; counter < 256; ++counter) {
    Labeled info;
    info.add(std::uint8_t{0}).add(static_cast<std::uint8_t>(kem.key_size));
    info.begin(kem, "candidate").add(static_cast<std::uint8_t>(counter));
    if (HKDF_expand(candidate.writable().data(), candidate.size(), kem.hash, prk.reveal().data(), prk.size(),
                    info.view().data(), info.view().size()) != 1) {
      return nullptr;
    }
    SecretNumber number(BN_bin2bn(candidate.reveal().data(), candidate.size(), nullptr));
    if (!number) return nullptr;
    if (!BN_is_zero(number.get()) && BN_cmp(number.get(), order) < 0) return number;
  }
  return nullptr;
}

}  // namespace qsp::crypto::awslc

#pragma once

#include <array>

#include "qsp/crypto.hpp"

namespace qsp::crypto::test {

constexpr std::size_t kKemSeedSize = 64;     // d ‖ z
constexpr std::size_t kKemMessageSize = 32;  // m

/// What a KEM is made of, as draft-ietf-tls-ecdhe-mlkem says it.
struct Layout {
  KemId id;
  KemId ml_kem;
  std::size_t ecdh_share;  ///< bytes; 0 in a pure ML-KEM
  std::size_t ecdh_seed;   ///< bytes that the classical private key draws
  bool ecdh_first;

  /// Where the parts of a share or ciphertext begin.
  [[nodiscard]] constexpr std::size_t ecdh_at(std::size_t whole) const { return ecdh_first ? 0 : whole - ecdh_share; }
  [[nodiscard]] constexpr std::size_t ml_kem_at() const { return ecdh_first ? ecdh_share : 0; }
  [[nodiscard]] constexpr Bytes ml_kem_part(Bytes whole) const {
    return whole.subspan(ml_kem_at(), whole.size() - ecdh_share);
  }
  [[nodiscard]] constexpr bool is_p_curve() const { return ecdh_share > 32; }
};

constexpr std::array<Layout, 6> kLayouts{{
    {KemId::X25519MlKem768, KemId::MlKem768, 32, 32, false},
    {KemId::SecP256r1MlKem768, KemId::MlKem768, 65, 32, true},
    {KemId::SecP384r1MlKem1024, KemId::MlKem1024, 97, 48, true},
    {KemId::MlKem768, KemId::MlKem768, 0, 0, false},
    {KemId::MlKem1024, KemId::MlKem1024, 0, 0, false},
    {KemId::MlKem512, KemId::MlKem512, 0, 0, false},
}};

}  // namespace qsp::crypto::test

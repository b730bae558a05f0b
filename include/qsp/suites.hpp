#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "qsp/crypto.hpp"
#include "qsp/error.hpp"
#include "qsp/export.hpp"

/// The suite table: every algorithm of SPEC §3 with its code point, name, sizes (bytes) and limits. Order is
/// preference.
namespace qsp::crypto {

struct KemInfo {
  KemId id;
  std::string_view name;
  std::size_t public_key_size;
  std::size_t ciphertext_size;
  std::size_t secret_size;
};

inline constexpr std::array<KemInfo, 6> kKems{{
    {KemId::X25519MlKem768, "X25519MLKEM768", 1184 + 32, 1088 + 32, 32 + 32},
    {KemId::SecP256r1MlKem768, "SecP256r1MLKEM768", 65 + 1184, 65 + 1088, 32 + 32},
    {KemId::SecP384r1MlKem1024, "SecP384r1MLKEM1024", 97 + 1568, 97 + 1568, 48 + 32},
    {KemId::MlKem768, "ML-KEM-768", 1184, 1088, 32},
    {KemId::MlKem1024, "ML-KEM-1024", 1568, 1568, 32},
    {KemId::MlKem512, "ML-KEM-512", 800, 768, 32},
}};

struct SignatureInfo {
  SignatureId id;
  std::string_view name;
  std::size_t public_key_size;
  std::size_t signature_size;
  bool quantum_safe;  ///< false: offered only where a configuration names it
};

inline constexpr std::array<SignatureInfo, 6> kSignatures{{
    {SignatureId::MlDsa65, "ML-DSA-65", 1952, 3309, true},
    {SignatureId::Ed25519MlDsa65, "Ed25519+ML-DSA-65", 32 + 1952, 64 + 3309, true},
    {SignatureId::MlDsa87, "ML-DSA-87", 2592, 4627, true},
    {SignatureId::MlDsa44, "ML-DSA-44", 1312, 2420, true},
    {SignatureId::SlhDsaSha2_128s, "SLH-DSA-SHA2-128s", 32, 7856, true},
    {SignatureId::Ed25519, "Ed25519", 32, 64, false},
}};

struct AeadInfo {
  AeadId id;
  std::string_view name;
  std::size_t key_size;
  std::uint64_t max_frames;  ///< per direction and epoch, whatever the configuration (SPEC §7)
  std::uint64_t max_bytes;   ///< of plaintext, likewise
};

inline constexpr std::array<AeadInfo, 2> kAeads{{
    {AeadId::Aes256Gcm, "AES-256-GCM", 32, 0xffff'ffff, std::uint64_t{1} << 38},
    {AeadId::ChaCha20Poly1305, "ChaCha20-Poly1305", 32, 0xffff'ffff, std::uint64_t{1} << 38},
}};

/// Everything in the suite table, and no keystream.
QSP_EXPORT Capabilities whole_suite();

/// How a provider refuses an algorithm that it lacks: Provider/INTERNAL_ERROR, with text that names it.
QSP_EXPORT std::unexpected<Error> lacks(KemId id) noexcept;
QSP_EXPORT std::unexpected<Error> lacks(SignatureId id) noexcept;
QSP_EXPORT std::unexpected<Error> lacks(AeadId id) noexcept;

/// The row of an algorithm that this code names. Total: every enumerator has a row.
QSP_EXPORT const KemInfo& info(KemId id) noexcept;
QSP_EXPORT const SignatureInfo& info(SignatureId id) noexcept;
QSP_EXPORT const AeadInfo& info(AeadId id) noexcept;

/// The algorithm behind a code point from the wire, or nothing where QSP does not know it.
QSP_EXPORT std::optional<KemId> kem_from_wire(std::uint16_t code) noexcept;
QSP_EXPORT std::optional<SignatureId> signature_from_wire(std::uint16_t code) noexcept;
QSP_EXPORT std::optional<AeadId> aead_from_wire(std::uint16_t code) noexcept;

/// The algorithm of a name as a person types it (case does not matter), or nothing.
QSP_EXPORT std::optional<KemId> kem_by_name(std::string_view name) noexcept;
QSP_EXPORT std::optional<SignatureId> signature_by_name(std::string_view name) noexcept;
QSP_EXPORT std::optional<AeadId> aead_by_name(std::string_view name) noexcept;

}  // namespace qsp::crypto

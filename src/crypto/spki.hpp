#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "qsp/crypto.hpp"

namespace qsp::crypto {

/// The SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) of a raw public key in DER, which SPEC §4 hashes into an identity; the
/// composite's is SPKI_Ed25519 ‖ SPKI_ML-DSA-65. Empty where `raw` has not the algorithm's public key size.
std::vector<std::uint8_t> spki_der(SignatureId id, Bytes raw);

/// The public key of one SubjectPublicKeyInfo that fills `der` exactly, or nothing where it is not a QSP algorithm's.
/// Never a composite, which has two.
std::optional<PublicKey> public_key_from_spki(Bytes der);

/// The content of an algorithm's OBJECT IDENTIFIER in DER; empty for the composite, which has two.
Bytes oid_of(SignatureId id) noexcept;
/// The other way round.
std::optional<SignatureId> algorithm_of_oid(Bytes oid) noexcept;

}  // namespace qsp::crypto

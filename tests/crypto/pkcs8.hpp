#pragma once

#include "crypto/support.hpp"

/// Key files written byte by byte from their standards, so that what the provider reads is not what it wrote.
namespace qsp::crypto::test {

/// One DER value (X.690 §8.1) around the joined content.
Buffer der(std::uint8_t tag, std::initializer_list<Bytes> content);
/// A PEM block (RFC 7468 §2).
std::string pem(std::string_view label, Bytes content);

/// The OBJECT IDENTIFIER of a key's algorithm, with its tag and length; not the composite's, which has none.
Buffer oid(SignatureId id);

/// The three forms of an ML-DSA private key (RFC 9881 §6), and what other algorithms put in their place.
enum class KeyForm : std::uint8_t { Seed, Expanded, Both };
/// PKCS#8 (RFC 5958 §2) as PEM. ML-DSA: `seed` and `expanded` as the form needs them. Ed25519 (RFC 8410 §7) and SLH-DSA
/// (RFC 9909 §6): `expanded` is the raw private key.
std::string private_key_pem(SignatureId id, KeyForm form, Bytes seed, Bytes expanded);

}  // namespace qsp::crypto::test

#pragma once

#include "crypto/openssl/library.hpp"
#include "qsp/crypto.hpp"

/// Steps that every asymmetric algorithm takes.
namespace qsp::crypto::openssl {

/// A new key pair. `type` is OpenSSL's key type; `params` ends as OpenSSL's lists do, or is null.
Result<Pkey> generate_key(const Library& library, const char* type, const OSSL_PARAM* params);

/// A public key from its encoding, or null where OpenSSL refuses it (length, modulus check, point off its curve).
/// `group` names the curve of an "EC" key and is null for other types. The error queue may hold the reason.
Pkey import_public_key(const Library& library, const char* type, const char* group, Bytes encoded);

/// Writes the public key's encoding; false where its length is not `out`'s.
bool encoded_public_key(const EVP_PKEY* key, MutableBytes out);

}  // namespace qsp::crypto::openssl

#pragma once

#include "crypto/openssl/library.hpp"
#include "qsp/crypto.hpp"

namespace qsp::crypto::openssl {

/// The name by which OpenSSL fetches an AEAD.
const char* cipher_name(AeadId id) noexcept;

/// An AEAD without a key yet. `cipher` stays the caller's; the object keeps its own reference.
Result<std::unique_ptr<Aead>> make_aead(EVP_CIPHER* cipher);

}  // namespace qsp::crypto::openssl

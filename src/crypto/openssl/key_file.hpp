#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/openssl/library.hpp"
#include "qsp/crypto.hpp"

/// Keys as PEM text (RFC 7468), in the forms that `openssl genpkey` and `openssl pkey` write. A text holds one block
/// for each key and, outside the blocks, white space alone: so a composite cut short is an error and never its first
/// half.
namespace qsp::crypto::openssl {

/// No key of QSP comes near it: ML-DSA-87's, private and encrypted, takes 7 KiB.
inline constexpr std::size_t kMaxPemSize = std::size_t{64} * 1024;

/// PBKDF2-HMAC-SHA256's iterations for a passphrase. OWASP's floor for it is 600,000; a fifth of a second once per
/// start.
inline constexpr int kPbkdf2Iterations = 600'000;

/// The private keys of one or two PKCS#8 blocks, decrypted if need be; `ask` is asked at most once.
/// Errors: ApiMisuse/INTERNAL_ERROR, with a text for each case; lacks(id).
Result<std::vector<Pkey>> read_private_keys(const Library& library, std::string_view pem, const AskPassphrase& ask);
/// PKCS#8 blocks, encrypted with PBES2 (PBKDF2, AES-256-CBC) where there is a passphrase of 1 to 1,024 bytes.
Result<SecretBytes> write_private_keys(const Library& library, const std::vector<Pkey>& keys,
                                       const std::optional<SecretBytes>& passphrase);

/// Errors: ApiMisuse/INTERNAL_ERROR, with a text for each case.
Result<PublicKey> read_public_key(std::string_view pem);
/// Error: ApiMisuse/INTERNAL_ERROR for a key of the wrong length.
Result<std::string> write_public_key(const PublicKey& key);

}  // namespace qsp::crypto::openssl

#pragma once

#include <optional>
#include <vector>

#include "crypto/key_file.hpp"
#include "crypto/openssl/library.hpp"
#include "qsp/crypto.hpp"

namespace qsp::crypto::openssl {

/// What crypto::read_private_keys() asks of a library.
class PrivateKeys {
 public:
  using Key = Pkey;

  explicit PrivateKeys(const Library& library) noexcept : library_(&library) {}

  // Errors of both: ApiMisuse/INTERNAL_ERROR, with a text for each case; lacks(id).

  [[nodiscard]] Result<Pkey> plain(Bytes der) const;
  [[nodiscard]] Result<Pkey> decrypted(Bytes der, std::string_view passphrase) const;

 private:
  [[nodiscard]] Result<Pkey> imported(const PKCS8_PRIV_KEY_INFO* key) const;

  const Library* library_;
};

/// PKCS#8 blocks, encrypted with PBES2 (PBKDF2, AES-256-CBC) where there is a passphrase of 1 to 1,024 bytes.
Result<SecretBytes> write_private_keys(const Library& library, const std::vector<Pkey>& keys,
                                       const std::optional<SecretBytes>& passphrase);

}  // namespace qsp::crypto::openssl

#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "crypto/awslc/signature.hpp"
#include "crypto/key_file.hpp"

namespace qsp::crypto::awslc {

/// What crypto::read_private_keys() asks of a library.
class PrivateKeys {
 public:
  using Key = KeyPair;

  // Errors of both: ApiMisuse/INTERNAL_ERROR, with a text for each case; plain(): lacks(id).

  [[nodiscard]] Result<KeyPair> plain(Bytes der) const;
  [[nodiscard]] Result<KeyPair> decrypted(Bytes der, std::string_view passphrase) const;
};

/// PKCS#8 blocks, encrypted with PBES2 (PBKDF2, AES-256-CBC) where there is a passphrase of 1 to 1,024 bytes.
Result<SecretBytes> write_private_keys(const std::vector<KeyPair>& keys, const std::optional<SecretBytes>& passphrase);

}  // namespace qsp::crypto::awslc

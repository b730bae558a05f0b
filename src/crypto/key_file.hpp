#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/try.hpp"
#include "qsp/crypto.hpp"

/// Keys as PEM text (RFC 7468), in the forms that `openssl genpkey` and `openssl pkey` write: what all libraries have
/// in common. A text holds one block for each key: so a composite cut short is an error and never its first half.
namespace qsp::crypto {

/// No key of QSP comes near it: ML-DSA-87's, private and encrypted, takes 7 KiB.
inline constexpr std::size_t kMaxPemSize = std::size_t{64} * 1024;

/// PBKDF2-HMAC-SHA256's iterations for a passphrase. OWASP's floor for it is 600,000; a fifth of a second once per
/// start.
inline constexpr int kPbkdf2Iterations = 600'000;
inline constexpr std::size_t kPbkdf2SaltSize = 16;

/// How a key that cannot be used is refused: ApiMisuse/INTERNAL_ERROR.
inline std::unexpected<Error> fail_key(std::string_view where) noexcept {
  return fail(ErrorKind::ApiMisuse, Reason::InternalError, where);
}

/// One PKCS#8 block.
struct PrivateKeyBlock {
  bool encrypted;
  SecretBytes der;
};

/// The blocks of a private key, one or two. Errors: ApiMisuse/INTERNAL_ERROR, with a text for each case.
Result<std::vector<PrivateKeyBlock>> read_private_key_blocks(std::string_view pem);

/// The passphrase of an encrypted key. Error: ApiMisuse/INTERNAL_ERROR where there is none, or too long a one.
Result<SecretBytes> ask_passphrase(const AskPassphrase& ask);
/// Error: ApiMisuse/INTERNAL_ERROR for one that a key cannot be encrypted under: none, or more than 1,024 bytes.
Result<void> check_new_passphrase(const std::optional<SecretBytes>& passphrase);

/// The private keys of a text. `Library` has `Key`, and two functions that fail as read_private_key_blocks() does:
/// Result<Key> plain(Bytes der), Result<Key> decrypted(Bytes der, std::string_view passphrase). `ask` is asked at most
/// once.
template <class Library>
Result<std::vector<typename Library::Key>> read_private_keys(const Library& library, std::string_view pem,
                                                             const AskPassphrase& ask) {
  QSP_TRY(const std::vector<PrivateKeyBlock> blocks, read_private_key_blocks(pem));
  std::optional<SecretBytes> passphrase;
  std::vector<typename Library::Key> keys;
  for (const PrivateKeyBlock& block : blocks) {
    if (block.encrypted && !passphrase) {
      QSP_TRY(passphrase, ask_passphrase(ask));
    }
    QSP_TRY(auto key, block.encrypted ? library.decrypted(block.der.reveal(), passphrase->reveal_text())
                                      : library.plain(block.der.reveal()));
    keys.push_back(std::move(key));
  }
  return keys;
}

/// PEM of PKCS#8 blocks.
SecretBytes private_key_text(const std::vector<PrivateKeyBlock>& blocks);

/// Errors: ApiMisuse/INTERNAL_ERROR, with a text for each case.
Result<PublicKey> read_public_key(std::string_view pem);
/// Error: ApiMisuse/INTERNAL_ERROR for a key of the wrong length.
Result<std::string> write_public_key(const PublicKey& key);

}  // namespace qsp::crypto

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "files/file.hpp"
#include "qsp/crypto.hpp"

/// Key files (SPEC §4): PEM as `openssl genpkey` and `openssl pkey -pubout` write it, also with -text.
namespace qsp::identity {

/// Most that a key file may have, in bytes; a composite pair of private keys has some 6 KiB.
inline constexpr std::size_t kMaxKeyFileSize = 65'536;

/// What a text holds, judged by its PEM labels. Damaged: it begins like PEM, but none of its labels is whole. A peers
/// file may hold public keys too.
enum class KeyFileKind { Private, Public, Peers, Damaged, Empty, Neither };
KeyFileKind kind_of(std::string_view text) noexcept;

/// Why a text of one of the other kinds is not what was expected, such as "a peers file", and what to do about it;
/// behind the file's name and a colon. `remedy` is where the right file comes from.
std::string not_expected(KeyFileKind found, std::string_view expected, std::string_view remedy);

/// Where the public half of a private key file stands: FILE.pub.
std::string public_file_of(const std::string& private_file);

/// A private key from a private file (files::require_private). For an encrypted one the passphrase comes from
/// `passphrase_file`, or where that is empty from the terminal.
files::OrText<std::unique_ptr<crypto::Signer>> load_private_key(crypto::Provider& provider, const std::string& file,
                                                                const std::string& passphrase_file);

/// Where else a passphrase comes from. The error is one line for a person.
using PassphraseSource = std::function<files::OrText<SecretBytes>()>;

/// The same for a file that was read already. `source`, where there is one, is asked in the place of both;
/// `passphrase_file` then is but named where the passphrase does not fit.
files::OrText<std::unique_ptr<crypto::Signer>> parse_private_key(crypto::Provider& provider, const std::string& file,
                                                                 const files::Content& content,
                                                                 const std::string& passphrase_file,
                                                                 const PassphraseSource& source = {});

/// A public key to trust (files::require_trusted). A file that holds a private one is refused: it is in the wrong
/// place.
files::OrText<crypto::PublicKey> load_public_key(crypto::Provider& provider, const std::string& file);

/// The same for a text; `where` names it in errors.
files::OrText<crypto::PublicKey> parse_public_key(crypto::Provider& provider, const std::string& where,
                                                  std::string_view pem);

/// Makes a key pair: `file` for the owner alone, encrypted where there is a passphrase, and FILE.pub for everyone.
/// Neither may exist; both are on disk on return, or neither is.
files::OrText<crypto::PublicKey> write_new_key_pair(crypto::Provider& provider, crypto::SignatureId algorithm,
                                                    const std::string& file,
                                                    const std::optional<SecretBytes>& passphrase);

}  // namespace qsp::identity

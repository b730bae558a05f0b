#pragma once

#include <string>

#include "files/file.hpp"
#include "qsp/crypto.hpp"

/// Where the passphrase of an encrypted private key comes from.
namespace qsp::identity {

/// Most that a passphrase may have, in bytes.
inline constexpr std::size_t kMaxPassphraseSize = 1024;

/// The one line of a private file (files::require_private), without the LF or CRLF that may end it. Nothing else is
/// cut off or taken in: no line, a second one, a NUL or a byte order mark is an error.
files::OrText<SecretBytes> passphrase_from_file(const std::string& file);

/// Asks on the controlling terminal, whatever standard input is, without echo. Whatever ends the wait (a signal
/// included, which then takes its usual effect) gives the terminal back as it was. Call it before the process starts
/// threads. Errors: no terminal; nothing or too much typed; given up.
files::OrText<SecretBytes> passphrase_from_terminal(const std::string& prompt);

/// Asks twice, for a passphrase that is about to be set; different answers are an error.
files::OrText<SecretBytes> new_passphrase_from_terminal(const std::string& prompt);

}  // namespace qsp::identity

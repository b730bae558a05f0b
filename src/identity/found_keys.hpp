#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "files/file.hpp"
#include "identity/identity.hpp"
#include "qsp/crypto.hpp"

namespace qsp::identity {

/// A key that was found in a file.
struct FoundKey {
  std::string file;
  std::string_view kind;  ///< "private", "public" or "peer"
  std::string peer;       ///< its name, of a peers file
  PinnedKey key;
};

/// Every key in a private key's file, a public key's, or a peers file. `passphrase_file` as load_private_key has it.
files::OrText<std::vector<FoundKey>> find_keys(crypto::Provider& provider, const std::string& file,
                                               const std::string& passphrase_file);

}  // namespace qsp::identity

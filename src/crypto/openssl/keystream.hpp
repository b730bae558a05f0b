#pragma once

#include "crypto/openssl/library.hpp"
#include "qsp/crypto.hpp"

namespace qsp::crypto::openssl {

/// Fetches AES-256-CTR. Error: Provider.
Result<std::unique_ptr<Keystream>> make_keystream(const Library& library, TrafficKey&& key);

}  // namespace qsp::crypto::openssl

#pragma once

#include "crypto/openssl/library.hpp"
#include "qsp/crypto.hpp"

namespace qsp::crypto::openssl {

/// A KEM of the suite table. `library` must outlive it.
Fetched<std::unique_ptr<Kem>> make_kem(const Library& library, KemId id);

}  // namespace qsp::crypto::openssl

#pragma once

#include <expected>
#include <memory>
#include <string>

#include "qsp/crypto.hpp"

namespace qsp::crypto {

/// What to ask OpenSSL's fetch for.
struct OpenSslOptions {
  /// A property query that every fetch carries ("fips=yes", "provider=oqsprovider"); empty: any loaded provider.
  std::string properties;
};

/// The provider over OpenSSL >= 3.5, in OpenSSL's default library context: which of its providers are active,
/// openssl.cnf of the installation says. Every algorithm of the suite table is fetched here, so a missing one is one
/// clear error at start: one line that names the algorithm, the library and its version, and what to do. So is a
/// property query that cannot be read. KEMs and their private keys must not outlive the provider; signers, verifiers
/// and AEADs may.
std::expected<std::unique_ptr<Provider>, std::string> make_openssl_provider(const OpenSslOptions& options = {});

}  // namespace qsp::crypto

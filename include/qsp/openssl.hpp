#pragma once

#include <memory>
#include <string>

#include "qsp/crypto.hpp"
#include "qsp/export.hpp"

namespace qsp::crypto {

/// What to ask OpenSSL's fetch for.
struct OpenSslOptions {
  /// A property query that every fetch carries ("fips=yes", "provider=oqsprovider"); empty: any loaded provider.
  std::string properties;
};

/// The provider over OpenSSL >= 3.5, in OpenSSL's default library context: which of its providers are active,
/// openssl.cnf of the installation says. Every algorithm of the suite table is looked for here; capabilities() says
/// what was found. KEMs and their private keys must not outlive the provider; signers, verifiers and AEADs may. Errors,
/// each a line for a person that says what to do: ApiMisuse for a property query that cannot be read; Provider where
/// the library has no SHA-256, or no AEAD, KEM or signature at all.
QSP_EXPORT Result<std::unique_ptr<Provider>> make_openssl_provider(const OpenSslOptions& options = {});

}  // namespace qsp::crypto

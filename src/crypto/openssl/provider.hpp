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

/// The provider over OpenSSL >= 3.5. Every algorithm of the suite table is fetched here, once, so a missing one is one
/// clear error at start: the text names the algorithm, the library and its version, and what to do.
std::expected<std::unique_ptr<Provider>, std::string> make_openssl_provider(const OpenSslOptions& options = {});

}  // namespace qsp::crypto

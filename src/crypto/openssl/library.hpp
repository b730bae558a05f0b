#pragma once

#include <openssl/err.h>

#include <string>
#include <string_view>
#include <utility>

#include "crypto/openssl/owned.hpp"
#include "qsp/error.hpp"

/// What every part of the OpenSSL provider shares: owned objects, the fetch query, and the way to fail.
namespace qsp::crypto::openssl {

/// Where algorithms are fetched from: OpenSSL's default library context, so that the installation's openssl.cnf decides
/// which of its providers are active (FIPS, PKCS#11, oqs), narrowed by a property query.
class Library {
 public:
  explicit Library(std::string properties) : properties_(std::move(properties)) {}

  [[nodiscard]] static OSSL_LIB_CTX* context() noexcept { return nullptr; }
  /// The property query as OpenSSL wants it: null where there is none.
  [[nodiscard]] const char* query() const noexcept { return properties_.empty() ? nullptr : properties_.c_str(); }

 private:
  std::string properties_;
};

/// An object of the provider, or the name of the algorithm that the library lacks (static text).
template <class T>
using Fetched = Result<T, std::string_view>;

/// Fails and leaves nothing behind in OpenSSL's error queue, which belongs to the thread and would mislead its next
/// user.
inline std::unexpected<Error> fail_clean(ErrorKind kind, Reason reason, std::string_view where) noexcept {
  ERR_clear_error();
  return fail(kind, reason, where);
}

/// The library failed at something that does not depend on a peer.
inline std::unexpected<Error> fail_provider(std::string_view where) noexcept {
  return fail_clean(ErrorKind::Provider, Reason::InternalError, where);
}

}  // namespace qsp::crypto::openssl

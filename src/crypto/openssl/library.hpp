#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "qsp/error.hpp"

/// What every part of the OpenSSL provider shares: owned handles, the fetch query, and the way to fail.
namespace qsp::crypto::openssl {

template <auto Free>
struct Deleter {
  template <class Handle>
  void operator()(Handle* handle) const noexcept {
    Free(handle);
  }
};
template <class Handle, auto Free>
using Owned = std::unique_ptr<Handle, Deleter<Free>>;

using Bio = Owned<BIO, BIO_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Cipher = Owned<EVP_CIPHER, EVP_CIPHER_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using DigestMethod = Owned<EVP_MD, EVP_MD_free>;
using KemMethod = Owned<EVP_KEM, EVP_KEM_free>;
using KeyExchangeMethod = Owned<EVP_KEYEXCH, EVP_KEYEXCH_free>;
using KeyManagement = Owned<EVP_KEYMGMT, EVP_KEYMGMT_free>;
using Pkcs8 = Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using EncryptedPkcs8 = Owned<X509_SIG, X509_SIG_free>;
using Pkey = Owned<EVP_PKEY, EVP_PKEY_free>;
using PkeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using SignatureMethod = Owned<EVP_SIGNATURE, EVP_SIGNATURE_free>;

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

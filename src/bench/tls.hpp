#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "bench/rounds.hpp"
#include "qsp/bytes.hpp"

/// The yardstick: TLS 1.3 of the same OpenSSL with the same algorithms as QSP 1.0's default.
namespace qsp::bench::tls {

template <auto Free>
struct Deleter {
  template <class Handle>
  void operator()(Handle* handle) const noexcept {
    Free(handle);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using SslContext = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Deleter<SSL_free>>;

inline constexpr const char* kGroup = "X25519MLKEM768";
inline constexpr const char* kCipher = "TLS_AES_256_GCM_SHA384";

/// A failure, with the first reason that OpenSSL has queued.
std::string explain(const std::string& what);

/// An ML-DSA-65 key and its self-signed certificate.
struct Credential {
  Key key;
  Certificate certificate;

  static Outcome<Credential> make(const char* common_name);
};

/// What both ends set up once: TLS 1.3 alone, X25519MLKEM768, ML-DSA-65 certificates which each end verifies,
/// AES-256-GCM, no tickets and no sessions to resume.
struct Contexts {
  SslContext client, server;

  static Outcome<Contexts> make(const Credential& client, const Credential& server);
};

/// Both ends of one connection, joined by two memory BIOs.
class Pair {
 public:
  /// Runs a whole handshake.
  static Outcome<Pair> establish(const Contexts& contexts);

  /// Writes `data` at the client and reads it at the server, into the same place.
  Outcome<void> carry(MutableBytes data);

 private:
  Pair(Ssl client, Ssl server) noexcept : client_(std::move(client)), server_(std::move(server)) {}

  Ssl client_, server_;
};

}  // namespace qsp::bench::tls

#pragma once

#include <openssl/ssl.h>

#include <string>
#include <utility>

#include "bench/rounds.hpp"
#include "crypto/openssl/owned.hpp"
#include "qsp/bytes.hpp"

/// The yardstick: TLS 1.3 of the same OpenSSL with the same algorithms as QSP 1.0's default.
namespace qsp::bench::tls {

using SslContext = Owned<SSL_CTX, SSL_CTX_free>;
using Ssl = Owned<SSL, SSL_free>;

inline constexpr const char* kGroup = "X25519MLKEM768";
inline constexpr const char* kCipher = "TLS_AES_256_GCM_SHA384";

/// A failure, with the first reason that OpenSSL has queued.
std::string explain(const std::string& what);

/// An ML-DSA-65 key and its self-signed certificate.
struct Credential {
  crypto::openssl::Pkey key;
  crypto::openssl::Certificate certificate;

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

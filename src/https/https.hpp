#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qsp/crypto.hpp"

/// HTTP/1.1 over mutual TLS, as ETSI GS QKD 014 needs it: small JSON bodies, which may hold keys and are therefore
/// wiped.
namespace qsp::https {

/// The PEM files of one end of mutual TLS.
struct TlsFiles {
  std::string certificate;     ///< this end's chain, leaf first
  std::string key;             ///< its private key, a private file (0600)
  std::string authorities;     ///< the CAs that the peer's certificate must descend from
  std::string revoked;         ///< CRLs of those CAs; empty: revocation is not checked
  bool allow_tls_1_2 = false;  ///< else TLS 1.3 alone
};

/// The names in the peer's certificate. Verified against the authorities before anybody sees it.
struct PeerIdentity {
  std::string common_name;        ///< of the subject; empty where there is none
  std::vector<std::string> uris;  ///< subjectAltName URIs, in their order
  std::string fingerprint;        ///< SHA-256 of the certificate, 64 lower-case hex digits
};

enum class Method : std::uint8_t { Get, Post, Other };

inline constexpr std::size_t kMaxTargetSize = 4096;                    ///< bytes of a request's target, else 414
inline constexpr std::size_t kMaxHeaderSize = std::size_t{16} * 1024;  ///< bytes of all header fields, else 431

struct Response {
  unsigned status = 200;
  SecretBytes body;  ///< JSON, or whatever `content_type` says; may be empty
  std::string content_type = "application/json";
  std::optional<unsigned> retry_after;  ///< seconds, as the header field Retry-After; of an answer at most a day
};

/// The parts of a request's target, percent-decoded.
struct Target {
  std::vector<std::string> path;  ///< segments, without the slashes; a decoded segment may hold a slash
  std::vector<std::pair<std::string, std::string>> query;
};

/// Parses "/a/b?x=1&y". Nothing for a target that does not begin with a slash, or with a bad escape or a NUL.
std::optional<Target> parse_target(std::string_view target);

}  // namespace qsp::https

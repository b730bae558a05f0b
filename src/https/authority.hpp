#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "files/file.hpp"
#include "qsp/crypto.hpp"

namespace qsp::https {

/// A certificate and its private key, as PEM.
struct Credential {
  std::string certificate;
  SecretBytes key;  ///< PKCS#8, not encrypted
};

/// What a certificate says about its owner.
struct Subject {
  std::string common_name = {};  ///< may be empty
  std::vector<std::string> dns_names = {};
  std::vector<std::string> addresses = {};  ///< IP addresses, as text
  std::vector<std::string> uris = {};
  bool server = false;  ///< extended key usage serverAuth
  bool client = false;  ///< clientAuth
};

/// A certificate authority of one's own, for laboratories and tests: ECDSA over P-256, which every TLS library speaks.
/// Sites of production have their own.
class Authority {
 public:
  /// A new one, good from `from` for `life`. Errors: one line of text.
  static files::OrText<Authority> make(const std::string& name, std::chrono::system_clock::time_point from,
                                       std::chrono::seconds life);
  Authority(Authority&&) noexcept;
  Authority& operator=(Authority&&) noexcept;
  ~Authority();

  [[nodiscard]] const Credential& credential() const noexcept;
  /// A new key and a certificate for it.
  files::OrText<Credential> issue(const Subject& subject, std::chrono::system_clock::time_point from,
                                  std::chrono::seconds life);
  /// A CRL, as PEM, that names the certificates given (PEM), good for `life` from `from`.
  files::OrText<std::string> revoke(const std::vector<std::string>& certificates,
                                    std::chrono::system_clock::time_point from, std::chrono::seconds life);

 private:
  struct Parts;
  explicit Authority(std::unique_ptr<Parts> parts) noexcept;
  std::unique_ptr<Parts> parts_;
};

}  // namespace qsp::https

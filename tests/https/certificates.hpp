#pragma once

#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

/// Certificates made on the spot: ECDSA over P-256, as PEM.
namespace qsp::test {

/// What a certificate is to say. Names may hold any byte, for tests of names that must be refused.
struct CertificateOptions {
  std::string common_name;
  std::vector<std::string> hosts;                        ///< subjectAltName: DNS names
  std::vector<std::string> addresses;                    ///< likewise IP addresses
  std::vector<std::string> uris;                         ///< likewise URIs
  std::chrono::seconds begins = std::chrono::hours(-1);  ///< from now
  std::chrono::seconds ends = std::chrono::hours(24);    ///< likewise
};

struct IssuedCertificate {
  std::string certificate;  ///< PEM
  std::string key;          ///< PEM, PKCS#8, unencrypted
  long serial;
};

/// A CA with a key of its own.
class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& common_name);

  [[nodiscard]] const std::string& certificate() const noexcept { return pem_; }
  IssuedCertificate issue(const CertificateOptions& options);
  /// A revocation list of these serials, good from an hour ago to `ends` from now.
  [[nodiscard]] std::string revoke(const std::vector<long>& serials,
                                   std::chrono::seconds ends = std::chrono::hours(24)) const;

 private:
  struct KeyFree {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  };
  struct CertificateFree {
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  };

  std::unique_ptr<EVP_PKEY, KeyFree> key_;
  std::unique_ptr<X509, CertificateFree> certificate_;
  std::string pem_;
  long next_serial_ = 2;
};

/// The same private key, PEM, under a passphrase.
std::string protect_key(const std::string& key, const std::string& passphrase);

}  // namespace qsp::test

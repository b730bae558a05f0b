#include "https/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace qsp::test {
namespace {

template <auto Free>
struct Freed {
  template <class Handle>
  void operator()(Handle* handle) const noexcept {
    Free(handle);
  }
};
template <class Handle, auto Free>
using Owned = std::unique_ptr<Handle, Freed<Free>>;
using Bio = Owned<BIO, BIO_free>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Owned<X509, X509_free>;
using Extension = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using RevocationList = Owned<X509_CRL, X509_CRL_free>;

void free_names(GENERAL_NAMES* names) noexcept { GENERAL_NAMES_free(names); }

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "certificates for a test: %s\n", what);
  std::abort();
}

std::string written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

template <class Write>
std::string to_pem(Write write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  require(bio != nullptr && write(bio.get()) == 1, "writing PEM");
  return written(bio.get());
}

std::string key_pem(EVP_PKEY* key) {
  return to_pem(
      [key](BIO* bio) { return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

std::string certificate_pem(X509* certificate) {
  return to_pem([certificate](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, value);
}

void add_name(GENERAL_NAMES* names, int type, std::string_view text) {
  GENERAL_NAME* const name = GENERAL_NAME_new();
  ASN1_IA5STRING* const value = ASN1_IA5STRING_new();
  require(
      name != nullptr && value != nullptr && ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) == 1,
      "a name");
  GENERAL_NAME_set0_value(name, type, value);
  require(sk_GENERAL_NAME_push(names, name) > 0, "a list of names");
}

void add_names(X509* certificate, const CertificateOptions& options) {
  const Owned<GENERAL_NAMES, free_names> names(GENERAL_NAMES_new());
  for (const std::string& host : options.hosts) add_name(names.get(), GEN_DNS, host);
  for (const std::string& uri : options.uris) add_name(names.get(), GEN_URI, uri);
  for (const std::string& address : options.addresses) {
    GENERAL_NAME* const name = a2i_GENERAL_NAME(nullptr, nullptr, nullptr, GEN_IPADD, address.c_str(), 0);
    require(name != nullptr && sk_GENERAL_NAME_push(names.get(), name) > 0, "an IP address");
  }
  if (sk_GENERAL_NAME_num(names.get()) == 0) return;
  require(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1, "names");
}

/// All but the extensions and the signature.
Certificate make_certificate(EVP_PKEY* key, long serial, const CertificateOptions& options) {
  Certificate certificate(X509_new());
  require(certificate != nullptr, "a certificate");
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), static_cast<long>(options.begins.count()));
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(options.ends.count()));
  X509_set_pubkey(certificate.get(), key);
  const std::string& name = options.common_name;
  if (!name.empty()) {
    require(X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, V_ASN1_UTF8STRING,
                                       reinterpret_cast<const unsigned char*>(name.data()),
                                       static_cast<int>(name.size()), -1, 0) == 1,
            "a common name");
  }
  return certificate;
}

}  // namespace

CertificateAuthority::CertificateAuthority(const std::string& common_name) : key_(EVP_EC_gen("P-256")) {
  require(key_ != nullptr, "a key");
  CertificateOptions options;
  options.common_name = common_name;
  certificate_.reset(make_certificate(key_.get(), 1, options).release());
  X509* const self = certificate_.get();
  X509_set_issuer_name(self, X509_get_subject_name(self));
  add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(self, self, NID_subject_key_identifier, "hash");
  require(X509_sign(self, key_.get(), EVP_sha256()) > 0, "a signature");
  pem_ = certificate_pem(self);
}

IssuedCertificate CertificateAuthority::issue(const CertificateOptions& options) {
  const Key key(EVP_EC_gen("P-256"));
  require(key != nullptr, "a key");
  const long serial = next_serial_++;
  const Certificate issued = make_certificate(key.get(), serial, options);
  X509_set_issuer_name(issued.get(), X509_get_subject_name(certificate_.get()));
  add_extension(issued.get(), certificate_.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(issued.get(), certificate_.get(), NID_authority_key_identifier, "keyid:always");
  add_names(issued.get(), options);
  require(X509_sign(issued.get(), key_.get(), EVP_sha256()) > 0, "a signature");
  return {.certificate = certificate_pem(issued.get()), .key = key_pem(key.get()), .serial = serial};
}

std::string CertificateAuthority::revoke(const std::vector<long>& serials, std::chrono::seconds ends) const {
  const RevocationList list(X509_CRL_new());
  const Owned<ASN1_TIME, ASN1_TIME_free> from(X509_gmtime_adj(nullptr, -3600));
  const Owned<ASN1_TIME, ASN1_TIME_free> until(X509_gmtime_adj(nullptr, static_cast<long>(ends.count())));
  require(list != nullptr && from != nullptr && until != nullptr, "a revocation list");
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.get()));
  X509_CRL_set1_lastUpdate(list.get(), from.get());
  X509_CRL_set1_nextUpdate(list.get(), until.get());
  for (const long serial : serials) {
    X509_REVOKED* const entry = X509_REVOKED_new();
    const Owned<ASN1_INTEGER, ASN1_INTEGER_free> number(ASN1_INTEGER_new());
    ASN1_INTEGER_set(number.get(), serial);
    X509_REVOKED_set_serialNumber(entry, number.get());
    X509_REVOKED_set_revocationDate(entry, from.get());
    require(X509_CRL_add0_revoked(list.get(), entry) == 1, "an entry of a revocation list");
  }
  X509_CRL_sort(list.get());
  require(X509_CRL_sign(list.get(), key_.get(), EVP_sha256()) > 0, "a signature");
  return to_pem([&list](BIO* bio) { return PEM_write_bio_X509_CRL(bio, list.get()); });
}

std::string protect_key(const std::string& key, const std::string& passphrase) {
  const Bio bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  const Key read(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  require(read != nullptr, "a private key");
  return to_pem([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, read.get(), EVP_aes_256_cbc(), passphrase.data(),
                                         static_cast<int>(passphrase.size()), nullptr, nullptr);
  });
}

}  // namespace qsp::test

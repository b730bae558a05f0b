#include "https/authority.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>
#include <utility>

#include "base/try.hpp"
#include "crypto/openssl/owned.hpp"

namespace qsp::https {
namespace {

using crypto::openssl::Bio;
using crypto::openssl::Certificate;
using crypto::openssl::Pkey;
using files::OrText;
using Time = std::chrono::system_clock::time_point;

using Number = Owned<BIGNUM, BN_free>;
using Stamp = Owned<ASN1_TIME, ASN1_TIME_free>;

std::unexpected<std::string> failed(std::string_view what) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = "certificates: cannot ";
  text.append(what);
  if (reason != nullptr) text.append(": ").append(reason);
  return std::unexpected(std::move(text));
}

/// What was written into a memory BIO, which is wiped behind it.
std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  OPENSSL_cleanse(data, static_cast<std::size_t>(size));
  return text;
}

Bio memory() { return Bio(BIO_new(BIO_s_secmem())); }

bool set_times(X509* certificate, Time from, std::chrono::seconds life) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), std::chrono::system_clock::to_time_t(from)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), std::chrono::system_clock::to_time_t(from + life)) != nullptr;
}

bool set_name(X509_NAME* name, const std::string& common_name) {
  if (common_name.empty()) return true;
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

/// RFC 5280 §4.1.2.2: positive, at most 20 bytes; here 16 random ones.
bool set_serial(X509* certificate) {
  const Number number(BN_new());
  return number && BN_rand(number.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// Names go in as they are, not through OpenSSL's configuration syntax, in which a comma would begin another one.
bool add_names(X509* certificate, const Subject& subject) {
  const Owned<GENERAL_NAMES, GENERAL_NAMES_free> names(sk_GENERAL_NAME_new_null());
  if (!names) return false;
  const auto add = [&names](int kind, const std::string& text) {
    Owned<GENERAL_NAME, GENERAL_NAME_free> name(GENERAL_NAME_new());
    if (!name) return false;
    if (kind == GEN_IPADD) {
      ASN1_OCTET_STRING* const address = a2i_IPADDRESS(text.c_str());
      if (address == nullptr) return false;
      GENERAL_NAME_set0_value(name.get(), kind, address);
    } else {
      ASN1_IA5STRING* const value = ASN1_IA5STRING_new();
      if (value == nullptr) return false;
      GENERAL_NAME_set0_value(name.get(), kind, value);
      if (ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) != 1) return false;
    }
    if (sk_GENERAL_NAME_push(names.get(), name.get()) == 0) return false;
    static_cast<void>(name.release());
    return true;
  };
  for (const std::string& text : subject.dns_names) {
    if (!add(GEN_DNS, text)) return false;
  }
  for (const std::string& text : subject.addresses) {
    if (!add(GEN_IPADD, text)) return false;
  }
  for (const std::string& text : subject.uris) {
    if (!add(GEN_URI, text)) return false;
  }
  if (sk_GENERAL_NAME_num(names.get()) == 0) return true;
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

OrText<Credential> to_pem(X509* certificate, EVP_PKEY* key) {
  const Bio text = memory();
  const Bio secret = memory();
  if (!text || !secret || PEM_write_bio_X509(text.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(secret.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed("write a certificate");
  }
  return Credential{text_of(text.get()), SecretBytes(text_of(secret.get()))};
}

Pkey new_key() { return Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")); }

}  // namespace

struct Authority::Parts {
  Certificate certificate;
  Pkey key;
  Credential credential;
};

Authority::Authority(std::unique_ptr<Parts> parts) noexcept : parts_(std::move(parts)) {}
Authority::Authority(Authority&&) noexcept = default;
Authority& Authority::operator=(Authority&&) noexcept = default;
Authority::~Authority() = default;

const Credential& Authority::credential() const noexcept { return parts_->credential; }

OrText<Authority> Authority::make(const std::string& name, Time from, std::chrono::seconds life) {
  auto parts = std::make_unique<Parts>();
  parts->certificate.reset(X509_new());
  parts->key = new_key();
  X509* const made = parts->certificate.get();
  const bool complete =
      made != nullptr && parts->key && X509_set_version(made, X509_VERSION_3) == 1 && set_serial(made) &&
      set_times(made, from, life) && set_name(X509_get_subject_name(made), name) &&
      X509_set_issuer_name(made, X509_get_subject_name(made)) == 1 && X509_set_pubkey(made, parts->key.get()) == 1 &&
      add_extension(made, made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      add_extension(made, made, NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add_extension(made, made, NID_subject_key_identifier, "hash") &&
      X509_sign(made, parts->key.get(), EVP_sha256()) != 0;
  if (!complete) return failed("make an authority");
  QSP_TRY(auto credential, to_pem(made, parts->key.get()));
  parts->credential = std::move(credential);
  return Authority(std::move(parts));
}

OrText<Credential> Authority::issue(const Subject& subject, Time from, std::chrono::seconds life) {
  const Certificate certificate(X509_new());
  const Pkey key = new_key();
  X509* const made = certificate.get();
  std::string usage;
  if (subject.server) usage = "serverAuth";
  if (subject.client) usage += usage.empty() ? "clientAuth" : ",clientAuth";
  X509* const issuer = parts_->certificate.get();
  const bool complete = made != nullptr && key && X509_set_version(made, X509_VERSION_3) == 1 && set_serial(made) &&
                        set_times(made, from, life) && set_name(X509_get_subject_name(made), subject.common_name) &&
                        X509_set_issuer_name(made, X509_get_subject_name(issuer)) == 1 &&
                        X509_set_pubkey(made, key.get()) == 1 &&
                        add_extension(made, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                        add_extension(made, issuer, NID_key_usage, "critical,digitalSignature") &&
                        (usage.empty() || add_extension(made, issuer, NID_ext_key_usage, usage)) &&
                        add_extension(made, issuer, NID_subject_key_identifier, "hash") &&
                        add_extension(made, issuer, NID_authority_key_identifier, "keyid:always") &&
                        add_names(made, subject) && X509_sign(made, parts_->key.get(), EVP_sha256()) != 0;
  if (!complete) return failed("make the certificate of " + subject.common_name);
  return to_pem(made, key.get());
}

OrText<std::string> Authority::revoke(const std::vector<std::string>& certificates, Time from,
                                      std::chrono::seconds life) {
  const Owned<X509_CRL, X509_CRL_free> list(X509_CRL_new());
  const Stamp begins(ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(from)));
  const Stamp ends(ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(from + life)));
  if (!list || !begins || !ends || X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) != 1 ||
      X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(parts_->certificate.get())) != 1 ||
      X509_CRL_set1_lastUpdate(list.get(), begins.get()) != 1 ||
      X509_CRL_set1_nextUpdate(list.get(), ends.get()) != 1) {
    return failed("make a list of revoked certificates");
  }
  for (const std::string& pem : certificates) {
    const Bio text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const Certificate certificate(text ? PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr) : nullptr);
    Owned<X509_REVOKED, X509_REVOKED_free> entry(X509_REVOKED_new());
    if (!certificate || !entry ||
        X509_REVOKED_set_serialNumber(entry.get(), X509_get_serialNumber(certificate.get())) != 1 ||
        X509_REVOKED_set_revocationDate(entry.get(), begins.get()) != 1 ||
        X509_CRL_add0_revoked(list.get(), entry.get()) != 1) {
      return failed("revoke a certificate");
    }
    static_cast<void>(entry.release());
  }
  const Bio text(BIO_new(BIO_s_mem()));
  if (!text || X509_CRL_sort(list.get()) != 1 || X509_CRL_sign(list.get(), parts_->key.get(), EVP_sha256()) == 0 ||
      PEM_write_bio_X509_CRL(text.get(), list.get()) != 1) {
    return failed("make a list of revoked certificates");
  }
  return text_of(text.get());
}

}  // namespace qsp::https

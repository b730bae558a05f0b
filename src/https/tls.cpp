#include "https/tls.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hex.hpp"
#include "base/try.hpp"
#include "crypto/pem.hpp"
#include "files/trusted.hpp"

namespace qsp::https {
namespace {

using crypto::openssl::Bio;
using crypto::openssl::Certificate;
using files::OrText;

constexpr std::size_t kMaxCertificatesSize = std::size_t{4}
                                             << 20;  // bytes of one file; a system's CA bundle has 200 KiB
constexpr std::size_t kMaxRevokedSize = std::size_t{64} << 20;
constexpr std::size_t kMaxKeySize = std::size_t{64} * 1024;
constexpr const char* kGroups = "X25519MLKEM768:SecP256r1MLKEM768:X25519:P-256";
constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr int kSecurityLevel = 2;  // 112 bits: RSA of 2,048 bits and up, no SHA-1 in signatures

using RevocationList = Owned<X509_CRL, X509_CRL_free>;

void free_openssl(unsigned char* memory) noexcept { OPENSSL_free(memory); }

/// Nobody is asked for a passphrase: a server has no terminal.
int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::unexpected<std::string> key_beside(const std::string& file, std::string_view label, std::string_view what) {
  return std::unexpected(file + ": holds a " + std::string(label) + " where a " + std::string(what) +
                         " belongs; keep keys in a file of their own, and give one without them");
}

Bio bio_of(const crypto::PemBlock& block) {
  const std::string_view text = block.text.reveal_text();
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// What to read from a file of certificates or of revocation lists.
struct Wanted {
  std::string_view what;                 ///< one of them, for a person
  std::vector<std::string_view> labels;  ///< of their PEM blocks
  bool keys_are_ours = false;            ///< this is the key's file too, which is read with a key file's rules
};

/// Every object of the wanted kind, in the file's order; at least one. Text outside the blocks is skipped, as are
/// blocks that hold neither such an object nor a key.
template <class Handle>
OrText<std::vector<Handle>> read_all(const std::string& file, std::string_view pem, const Wanted& wanted, auto read) {
  const std::string what(wanted.what);
  std::vector<Handle> all;
  for (crypto::PemReader reader(pem);;) {
    const auto next = reader.next();
    if (!next) return std::unexpected(file + ": holds " + std::string(next.error()) + "; make or copy it again");
    if (!*next) break;
    const crypto::PemBlock& block = **next;
    if (crypto::is_key_label(block.label) && !wanted.keys_are_ours) return key_beside(file, block.label, what);
    if (std::ranges::find(wanted.labels, block.label) == wanted.labels.end()) continue;
    const Bio bio = bio_of(block);
    Handle object(bio ? read(bio.get(), nullptr, nullptr, nullptr) : nullptr);
    ERR_clear_error();
    if (!object) return std::unexpected(file + ": holds a damaged " + what + "; make or copy it again");
    all.push_back(std::move(object));
  }
  if (all.empty()) return std::unexpected(file + ": holds no " + what + "; give a PEM file (-----BEGIN ...)");
  return all;
}

Wanted certificates() {
  return {.what = "certificate", .labels = {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}};
}

OrText<void> use_certificate(SSL_CTX* context, const TlsFiles& tls) {
  const std::string& file = tls.certificate;
  QSP_TRY(const files::Content content, files::read_file(file, kMaxCertificatesSize));
  Wanted wanted = certificates();
  wanted.keys_are_ours = file == tls.key;
  QSP_TRY(const auto chain, read_all<Certificate>(file, content.text.reveal_text(), wanted, PEM_read_bio_X509));
  bool used = SSL_CTX_use_certificate(context, chain.front().get()) == 1;
  for (std::size_t i = 1; used && i < chain.size(); ++i) {
    used = SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1;
  }
  if (used) return {};
  ERR_clear_error();
  return std::unexpected(file +
                         ": TLS cannot use this certificate (too short a key, or an old signature); issue another");
}

/// The one private key of a key file. Certificates and parameters may stand beside it, another key may not.
OrText<crypto::openssl::Pkey> read_key(const std::string& file) {
  QSP_TRY(const SecretBytes pem, files::read_private_file(file, kMaxKeySize));
  crypto::openssl::Pkey key;
  for (crypto::PemReader reader(pem.reveal_text());;) {
    const auto next = reader.next();
    if (!next) return std::unexpected(file + ": holds " + std::string(next.error()) + "; make or copy it again");
    if (!*next) break;
    const crypto::PemBlock& block = **next;
    if (!crypto::is_key_label(block.label)) continue;
    if (!crypto::is_private_key_label(block.label)) return key_beside(file, block.label, "private key");
    if (key) return std::unexpected(file + ": holds more than one private key; give a file with one");
    const Bio bio = bio_of(block);
    bool asked = false;
    key.reset(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, &asked) : nullptr);
    ERR_clear_error();
    if (asked) {
      return std::unexpected(file + ": protected by a passphrase, and nobody is asked for it here; write it without: " +
                             "openssl pkey -in " + file + " -out NEW (in a folder of your own)");
    }
    if (!key) {
      return std::unexpected(file +
                             ": holds a damaged private key, or one of a type that TLS does not use here; make or " +
                             "copy it again");
    }
  }
  if (!key) return std::unexpected(file + ": holds no private key; give a PEM file (-----BEGIN PRIVATE KEY-----)");
  return key;
}

OrText<void> use_key(SSL_CTX* context, const TlsFiles& tls) {
  QSP_TRY(const auto key, read_key(tls.key));
  const bool used = SSL_CTX_use_PrivateKey(context, key.get()) == 1 && SSL_CTX_check_private_key(context) == 1;
  ERR_clear_error();
  if (!used) {
    return std::unexpected(tls.key + ": is not the key of the certificate " + tls.certificate + "; give the two that " +
                           "belong together");
  }
  return {};
}

OrText<void> use_authorities(SSL_CTX* context, const std::string& file) {
  QSP_TRY(const files::Content content, files::read_trusted_file(file, kMaxCertificatesSize));
  QSP_TRY(const auto authorities,
          read_all<Certificate>(file, content.text.reveal_text(), certificates(), PEM_read_bio_X509));
  for (const Certificate& authority : authorities) {
    // A client's question for a certificate names them, so that a browser can choose.
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context, authority.get()) != 1) {
      ERR_clear_error();
      return std::unexpected(file + ": holds a certificate that cannot be used; make or copy it again");
    }
  }
  return {};
}

OrText<std::vector<RevocationList>> read_revoked(const std::string& file) {
  QSP_TRY(const files::Content content, files::read_trusted_file(file, kMaxRevokedSize));
  return read_all<RevocationList>(file, content.text.reveal_text(), {.what = "revocation list", .labels = {"X509 CRL"}},
                                  PEM_read_bio_X509_CRL);
}

OrText<void> use_revoked(SSL_CTX* context, const std::string& file) {
  QSP_TRY(const auto lists, read_revoked(file));
  for (const RevocationList& list : lists) {
    if (X509_STORE_add_crl(SSL_CTX_get_cert_store(context), list.get()) != 1) {
      ERR_clear_error();
      return std::unexpected(file + ": holds a revocation list that cannot be used; make or copy it again");
    }
  }
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_CRL_CHECK);
  return {};
}

/// A peer that resumed a session would not be asked for its certificate again, so nothing is ever resumed.
bool set_policy(SSL_CTX* context, bool allow_tls_1_2) {
  SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_security_level(context, kSecurityLevel);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // An intermediate CA may be given alone: who lists it trusts it.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  return SSL_CTX_set_num_tickets(context, 0) == 1 &&
         SSL_CTX_set_min_proto_version(context, allow_tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
         SSL_CTX_set1_groups_list(context, kGroups) == 1 && SSL_CTX_set_cipher_list(context, kTls12Ciphers) == 1;
}

OrText<TlsContext> make_context(const SSL_METHOD* method, const TlsFiles& tls) {
  TlsContext context(SSL_CTX_new(method), [](SSL_CTX* held) { SSL_CTX_free(held); });
  if (!context || !set_policy(context.get(), tls.allow_tls_1_2)) {
    ERR_clear_error();
    return std::unexpected("OpenSSL lacks what TLS needs here (version 3.5 or newer, its default provider active)");
  }
  OrText<void> done = use_certificate(context.get(), tls);
  if (done) done = use_key(context.get(), tls);
  if (done) done = use_authorities(context.get(), tls.authorities);
  if (done && !tls.revoked.empty()) done = use_revoked(context.get(), tls.revoked);
  if (!done) return std::unexpected(std::move(done.error()));
  return context;
}

bool is_plain(std::string_view name) {
  return std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
}

/// The subject's common name; empty where there is none.
std::optional<std::string> common_name(const X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return std::string();
  if (X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return std::nullopt;
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return std::nullopt;
  const Owned<unsigned char, free_openssl> owned(utf8);
  std::string name(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  if (!is_plain(name)) return std::nullopt;
  return name;
}

std::optional<std::vector<std::string>> uris(const X509* certificate) {
  std::vector<std::string> all;
  int critical = -1;  // afterwards -1: there are no names; -2: two lists, and what it is else: a damaged one
  const Owned<GENERAL_NAMES, GENERAL_NAMES_free> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  if (!names) return critical == -1 ? std::optional(all) : std::nullopt;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* const uri = name->d.uniformResourceIdentifier;
    all.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                     static_cast<std::size_t>(ASN1_STRING_length(uri)));
    if (!is_plain(all.back())) return std::nullopt;
  }
  return all;
}

std::optional<std::string> fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return std::nullopt;
  return to_hex(Bytes(digest).first(size));
}

/// How two ends' TLS does not meet.
enum class Mismatch : std::uint8_t { None, NoTls, Version, Algorithms, Name };

Mismatch mismatch_of(const boost::system::error_code& failed) {
  if (failed.category() != boost::asio::error::get_ssl_category()) return Mismatch::None;
  switch (ERR_GET_REASON(static_cast<unsigned long>(failed.value()))) {
    case SSL_R_WRONG_VERSION_NUMBER:  // of the record: no TLS at all, as a rule
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_UNKNOWN_PROTOCOL:
      return Mismatch::NoTls;
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_VERSION_TOO_HIGH:
      return Mismatch::Version;
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_UNKNOWN_CIPHER_RETURNED:
    case SSL_R_WRONG_CIPHER_RETURNED:
    case SSL_R_BAD_KEY_SHARE:
    case SSL_R_WRONG_CURVE:
    case SSL_R_WRONG_SIGNATURE_TYPE:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
      return Mismatch::Algorithms;
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
      return Mismatch::Name;
    default:
      return Mismatch::None;
  }
}

constexpr std::string_view kAllowOld = "allow TLS 1.2 to it, with --kme-tls12, or tls12 = true in kme.toml";

/// Empty for None.
std::string describe(Mismatch mismatch, bool old_allowed) {
  switch (mismatch) {
    case Mismatch::None:
      return "";
    case Mismatch::NoTls:
      return "it does not speak TLS there (check the URL's port)";
    case Mismatch::Version:
      return old_allowed ? "it speaks neither TLS 1.3 nor 1.2 (update it)"
                         : fmt::format("it does not speak TLS 1.3 (update it, or {})", kAllowOld);
    case Mismatch::Algorithms:
      return fmt::format("its TLS and this end's have no algorithms in common (it needs a group of {}{}{})", kGroups,
                         old_allowed ? ", and with TLS 1.2 a cipher of " : "; or, where it has no TLS 1.3, ",
                         old_allowed ? std::string_view(kTls12Ciphers) : kAllowOld);
    case Mismatch::Name:
      return "it has no server of this name (check the URL's host, or --kme-name)";
  }
  return "";
}

}  // namespace

OrText<TlsContext> make_server_context(const TlsFiles& files) { return make_context(TLS_server_method(), files); }
OrText<TlsContext> make_client_context(const TlsFiles& files) { return make_context(TLS_client_method(), files); }

OrText<void> check_revocation_lists(const std::string& file) {
  QSP_TRY(read_revoked(file));
  return {};
}

Ssl make_server_end(const TlsContext& context) { return Ssl(SSL_new(context.get())); }

Ssl make_client_end(const TlsContext& context, const std::string& name) {
  Ssl ssl(SSL_new(context.get()));
  if (!ssl) return nullptr;
  X509_VERIFY_PARAM* const verify = SSL_get0_param(ssl.get());
  boost::system::error_code no_address;
  boost::asio::ip::make_address(name, no_address);
  bool named = false;
  if (!no_address) {
    named = X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str()) == 1;
  } else {
    // RFC 9110 §4.3.4: the subject's common name does not count.
    X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    named = !name.empty() && X509_VERIFY_PARAM_set1_host(verify, name.c_str(), name.size()) == 1 &&
            SSL_set_tlsext_host_name(ssl.get(), name.c_str()) == 1;
  }
  ERR_clear_error();
  return named ? std::move(ssl) : nullptr;
}

bool still_admitted(const TlsContext& context, const SSL* ssl) {
  X509* const certificate = SSL_get0_peer_certificate(ssl);
  const Owned<X509_STORE_CTX, X509_STORE_CTX_free> check(X509_STORE_CTX_new());
  if (certificate == nullptr || !check) return false;
  // As OpenSSL does in a server's handshake.
  bool admitted = X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(context.get()), certificate,
                                      SSL_get_peer_cert_chain(ssl)) == 1;
  if (admitted) {
    X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(check.get());
    X509_VERIFY_PARAM_set_auth_level(rules, kSecurityLevel);
    admitted = X509_STORE_CTX_set_default(check.get(), "ssl_client") == 1 &&
               X509_VERIFY_PARAM_set1(rules, SSL_CTX_get0_param(context.get())) == 1 &&
               X509_verify_cert(check.get()) == 1;
  }
  ERR_clear_error();
  return admitted;
}

std::optional<PeerIdentity> peer_identity(const SSL* ssl) {
  const X509* const certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return std::nullopt;
  std::optional<std::string> name = common_name(certificate);
  std::optional<std::vector<std::string>> names = uris(certificate);
  std::optional<std::string> digest = fingerprint(certificate);
  ERR_clear_error();
  if (!name || !names || !digest) return std::nullopt;
  return PeerIdentity{.common_name = std::move(*name), .uris = std::move(*names), .fingerprint = std::move(*digest)};
}

bool is_unvouched_end(const boost::system::error_code& failed) noexcept {
  return failed == boost::asio::ssl::error::stream_truncated;
}

TlsFailure explain_tls(const SSL* ssl, const boost::system::error_code& failed) {
  const long verified = SSL_get_verify_result(ssl);
  if (verified == X509_V_ERR_UNABLE_TO_GET_CRL || verified == X509_V_ERR_CRL_HAS_EXPIRED) {
    return {std::string("its certificate cannot be checked: ") + X509_verify_cert_error_string(verified) +
                " (renew the file of revocation lists)",
            true};
  }
  if (verified != X509_V_OK) {
    return {std::string("its certificate is refused: ") + X509_verify_cert_error_string(verified) +
                " (check the URL's host, the authorities and the certificate's dates)",
            true};
  }
  if (is_certificate_alert(failed)) {
    return {"it refused this end's certificate: " + failed.message() + " (check certificate, key and its authorities)",
            true};
  }
  const bool old_allowed = SSL_CTX_get_min_proto_version(SSL_get_SSL_CTX(ssl)) == TLS1_2_VERSION;
  const bool ended = is_unvouched_end(failed) || failed == boost::asio::error::eof ||
                     failed == boost::asio::error::connection_reset || failed == boost::asio::error::broken_pipe;
  if (ended) {
    return {fmt::format(
                "it ended the connection in the TLS handshake (see its log; check the URL's port, and that it speaks "
                "{}{})",
                old_allowed ? "TLS" : "TLS 1.3: else ", old_allowed ? std::string_view() : kAllowOld),
            false};
  }
  const std::string why = describe(mismatch_of(failed), old_allowed);
  return {why.empty() ? "TLS failed: " + failed.message() : why + ": " + failed.message(), !why.empty()};
}

bool is_certificate_alert(const boost::system::error_code& failed) noexcept {
  if (failed.category() != boost::asio::error::get_ssl_category()) return false;
  switch (ERR_GET_REASON(static_cast<unsigned long>(failed.value()))) {
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

}  // namespace qsp::https

#include "bench/tls.hpp"

#include <openssl/err.h>

#include <array>
#include <utility>

#include "base/try.hpp"

namespace qsp::bench::tls {
namespace {

/// Bytes that a joined pair of BIOs holds: the largest message that is measured, and its records' overhead.
constexpr std::size_t kPipe = std::size_t{256} * 1024;

Outcome<SslContext> make_context(const SSL_METHOD* method, const Credential& own, const Credential& peer) {
  SslContext context(SSL_CTX_new(method));
  X509_STORE* const trusted = context ? SSL_CTX_get_cert_store(context.get()) : nullptr;
  const bool good =
      trusted != nullptr && SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) == 1 &&
      SSL_CTX_set_ciphersuites(context.get(), kCipher) == 1 && SSL_CTX_set1_groups_list(context.get(), kGroup) == 1 &&
      SSL_CTX_set1_sigalgs_list(context.get(), "mldsa65") == 1 &&
      SSL_CTX_use_certificate(context.get(), own.certificate.get()) == 1 &&
      SSL_CTX_use_PrivateKey(context.get(), own.key.get()) == 1 &&
      X509_STORE_add_cert(trusted, peer.certificate.get()) == 1 && SSL_CTX_set_num_tickets(context.get(), 0) == 1;
  if (!good) return std::unexpected(explain("TLS cannot be set up"));
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // One BIO_read for what has come, instead of one for each record's header and one for its body.
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

}  // namespace

std::string explain(const std::string& what) {
  std::array<char, 256> reason{};
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (code == 0) return what;
  ERR_error_string_n(code, reason.data(), reason.size());
  return what + ": " + reason.data();
}

Outcome<Credential> Credential::make(const char* common_name) {
  Credential made{crypto::openssl::Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ML-DSA-65")),
                  crypto::openssl::Certificate(X509_new())};
  X509* const x509 = made.certificate.get();
  constexpr long kDay = 24L * 60 * 60;
  const bool good =
      made.key && x509 != nullptr && X509_set_version(x509, X509_VERSION_3) == 1 &&
      ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1 && X509_gmtime_adj(X509_getm_notBefore(x509), -kDay) &&
      X509_gmtime_adj(X509_getm_notAfter(x509), kDay) && X509_set_pubkey(x509, made.key.get()) == 1 &&
      X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                                 reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0) == 1 &&
      X509_set_issuer_name(x509, X509_get_subject_name(x509)) == 1 && X509_sign(x509, made.key.get(), nullptr) > 0;
  if (!good) return std::unexpected(explain("a certificate for TLS cannot be made"));
  return made;
}

Outcome<Contexts> Contexts::make(const Credential& client, const Credential& server) {
  QSP_TRY(auto dials, make_context(TLS_client_method(), client, server));
  QSP_TRY(auto serves, make_context(TLS_server_method(), server, client));
  return Contexts{std::move(dials), std::move(serves)};
}

Outcome<Pair> Pair::establish(const Contexts& contexts) {
  Pair pair(Ssl(SSL_new(contexts.client.get())), Ssl(SSL_new(contexts.server.get())));
  BIO* here = nullptr;
  BIO* there = nullptr;
  if (!pair.client_ || !pair.server_ || BIO_new_bio_pair(&here, kPipe, &there, kPipe) != 1) {
    return std::unexpected(explain("a TLS connection cannot be made"));
  }
  SSL_set_bio(pair.client_.get(), here, here);
  SSL_set_bio(pair.server_.get(), there, there);
  SSL_set_connect_state(pair.client_.get());
  SSL_set_accept_state(pair.server_.get());
  for (bool client = true;
       SSL_is_init_finished(pair.client_.get()) == 0 || SSL_is_init_finished(pair.server_.get()) == 0;
       client = !client) {
    SSL* const turn = client ? pair.client_.get() : pair.server_.get();
    const int done = SSL_do_handshake(turn);
    if (done != 1 && SSL_get_error(turn, done) != SSL_ERROR_WANT_READ) {
      return std::unexpected(explain("a TLS handshake in memory failed"));
    }
  }
  return pair;
}

Outcome<void> Pair::carry(MutableBytes data) {
  std::size_t size = 0;
  if (SSL_write_ex(client_.get(), data.data(), data.size(), &size) != 1) return std::unexpected(explain("TLS: write"));
  while (!data.empty()) {
    if (SSL_read_ex(server_.get(), data.data(), data.size(), &size) != 1) return std::unexpected(explain("TLS: read"));
    data = data.subspan(size);
  }
  return {};
}

}  // namespace qsp::bench::tls

#include "awslc/tls_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string_view>

namespace qsp::test {
namespace {

template <auto free>
struct Free {
  void operator()(auto* object) const noexcept { free(object); }
};
template <class T, auto free>
using Owned = std::unique_ptr<T, Free<free>>;

Owned<SSL_CTX, SSL_CTX_free> context_of(const std::string& certificate, const std::string& key) {
  Owned<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_server_method()));
  const Owned<BIO, BIO_free> certificate_text(
      BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size())));
  const Owned<BIO, BIO_free> key_text(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  const Owned<X509, X509_free> leaf(PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr));
  const Owned<EVP_PKEY, EVP_PKEY_free> own(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  SSL_CTX_use_certificate(context.get(), leaf.get());
  SSL_CTX_use_PrivateKey(context.get(), own.get());
  return context;
}

// PostgreSQL's protocol: a message is a type, its length with itself, and a body; the client's first ones have no type.
constexpr std::size_t kSslRequest = 8;
constexpr std::string_view kWelcome{"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", 15};  // AuthenticationOk, ReadyForQuery

}  // namespace

TlsServer::TlsServer(const std::string& certificate, const std::string& key)
    : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listening_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listening_, 1) != 0) return;
  ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this, certificate, key] { serve(certificate, key); });
}

TlsServer::~TlsServer() {
  ::shutdown(listening_, SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
  ::close(listening_);
}

void TlsServer::serve(const std::string& certificate, const std::string& key) const {
  const auto context = context_of(certificate, key);
  const int client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  std::array<char, 4096> buffer;
  if (::recv(client, buffer.data(), kSslRequest, MSG_WAITALL) == kSslRequest &&
      ::send(client, "S", 1, MSG_NOSIGNAL) == 1) {
    const Owned<SSL, SSL_free> tls(SSL_new(context.get()));
    SSL_set_fd(tls.get(), client);
    if (SSL_accept(tls.get()) == 1 && SSL_read(tls.get(), buffer.data(), buffer.size()) > 0) {
      SSL_write(tls.get(), kWelcome.data(), static_cast<int>(kWelcome.size()));
      while (SSL_read(tls.get(), buffer.data(), buffer.size()) > 0) {
      }
    }
  }
  ::close(client);
}

}  // namespace qsp::test

#include "https/raw.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace qsp::https {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

RawClient::RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_in address = loopback(port);
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect");
  }
  ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
}

void RawClient::send(std::string_view bytes) const {
  // What the server no longer takes is lost, as it would be for anybody.
  [[maybe_unused]] const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void RawClient::end() const { ::shutdown(fd_.get(), SHUT_WR); }

void RawClient::poll() {
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) {
      received.append(buffer.data(), static_cast<std::size_t>(got));
    } else {
      if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) ended = true;
      return;
    }
  }
}

std::string RawClient::last_status() const {
  const std::size_t at = received.rfind("HTTP/1.1 ");
  return at == std::string::npos ? std::string() : received.substr(at + 9, 3);
}

std::size_t RawClient::answers() const {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = received.find("HTTP/1.1 ", at)) != std::string::npos; ++at) ++count;
  return count;
}

ScriptedServer::ScriptedServer(const TlsFiles& files, std::vector<Script> scripts,
                               const std::function<void(SSL_CTX*)>& configure)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  auto context = make_server_context(files);
  if (!context) throw std::runtime_error(context.error());
  context_ = std::move(*context);
  if (configure) configure(context_.get());
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listener_.get(), 16) != 0 ||
      ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this, scripts = std::move(scripts)] { run(scripts); });
}

ScriptedServer::~ScriptedServer() { ::shutdown(listener_.get(), SHUT_RDWR); }

void ScriptedServer::run(const std::vector<Script>& scripts) const {
  for (const Script& script : scripts) {
    const files::Descriptor fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) return;
    const Ssl ssl = make_server_end(context_);
    SSL_set_fd(ssl.get(), fd.get());
    if (SSL_accept(ssl.get()) == 1) script(ssl.get());
  }
}

bool read_request(SSL* ssl) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (!text.contains("\r\n\r\n")) {
    const int got = SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()));
    if (got <= 0) return false;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return true;
}

ScriptedServer::Script answer_with(std::string text, bool vouched) {
  return [text = std::move(text), vouched](SSL* ssl) {
    read_request(ssl);
    write_text(ssl, text);
    if (vouched) SSL_shutdown(ssl);
  };
}

void speak_plainly(SSL_CTX* context, const char* text) {
  const auto on_client_hello = [](SSL* ssl, int* alert, void* said) {
    const std::string_view bytes(static_cast<const char*>(said));
    [[maybe_unused]] const auto sent = ::send(SSL_get_fd(ssl), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ::shutdown(SSL_get_fd(ssl), SHUT_RDWR);
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
  };
  SSL_CTX_set_client_hello_cb(context, on_client_hello, const_cast<char*>(text));
}

void write_text(SSL* ssl, std::string_view text) { SSL_write(ssl, text.data(), static_cast<int>(text.size())); }

}  // namespace qsp::https

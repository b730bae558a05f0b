#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <thread>
#include <utility>

#include "bench/bulk.hpp"
#include "qsp/endpoint.hpp"

namespace qsp::bench {
namespace {

using boost::asio::ip::tcp;
using Buffer = std::array<std::uint8_t, Endpoint::kMaxPlaintext>;

tls::Ssl over(SSL_CTX* context, tcp::socket& socket) {
  tls::Ssl ssl(SSL_new(context));
  boost::system::error_code ignored;  // it only tunes
  socket.set_option(tcp::no_delay(true), ignored);
  if (ssl && SSL_set_fd(ssl.get(), socket.native_handle()) != 1) ssl.reset();
  return ssl;
}

/// Counts what comes until the peer says that it writes no more, and says so too.
Outcome<std::uint64_t> receive(SSL_CTX* context, tcp::acceptor& acceptor) {
  boost::system::error_code failed;
  tcp::socket socket = acceptor.accept(failed);
  if (failed) return std::unexpected("cannot accept: " + failed.message());
  const tls::Ssl ssl = over(context, socket);
  if (!ssl || SSL_accept(ssl.get()) != 1) return std::unexpected(tls::explain("TLS: no handshake"));
  Buffer buffer;
  std::uint64_t total = 0;
  std::size_t size = 0;
  while (SSL_read_ex(ssl.get(), buffer.data(), buffer.size(), &size) == 1) total += size;
  if (SSL_get_error(ssl.get(), 0) != SSL_ERROR_ZERO_RETURN) return std::unexpected(tls::explain("TLS: read"));
  SSL_shutdown(ssl.get());
  return total;
}

Outcome<double> dial_and_send(SSL_CTX* context, const tcp::endpoint& server, std::uint64_t bytes) {
  const auto start = std::chrono::steady_clock::now();
  boost::asio::io_context io;
  tcp::socket socket(io);
  boost::system::error_code failed;
  socket.connect(server, failed);
  if (failed) return std::unexpected("cannot connect: " + failed.message());
  const tls::Ssl ssl = over(context, socket);
  if (!ssl || SSL_connect(ssl.get()) != 1) return std::unexpected(tls::explain("TLS: no handshake"));
  Buffer buffer{};
  std::size_t size = 0;
  while (bytes > 0) {
    const std::size_t next = std::min<std::uint64_t>(bytes, buffer.size());
    if (SSL_write_ex(ssl.get(), buffer.data(), next, &size) != 1) return std::unexpected(tls::explain("TLS: write"));
    bytes -= size;
  }
  SSL_shutdown(ssl.get());
  if (SSL_shutdown(ssl.get()) != 1) return std::unexpected(tls::explain("TLS: no orderly end"));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Outcome<double> send_with_tls(const tls::Contexts& contexts, std::uint64_t bytes) {
  boost::asio::io_context io;
  const tcp::endpoint any(boost::asio::ip::address_v4::loopback(), 0);
  boost::system::error_code failed;
  tcp::acceptor acceptor(io);
  acceptor.open(any.protocol(), failed);
  if (!failed) acceptor.bind(any, failed);
  if (!failed) acceptor.listen(1, failed);
  const tcp::endpoint server = failed ? any : acceptor.local_endpoint(failed);
  if (failed) return std::unexpected("cannot listen on 127.0.0.1: " + failed.message());

  Outcome<std::uint64_t> received;
  std::jthread thread([&] { received = receive(contexts.server.get(), acceptor); });
  auto seconds = dial_and_send(contexts.client.get(), server, bytes);
  thread.join();
  if (!received) return std::unexpected(received.error());
  if (seconds && *received != bytes)
    return std::unexpected(fmt::format("TLS brought {} of {} bytes", *received, bytes));
  return seconds;
}

}  // namespace qsp::bench

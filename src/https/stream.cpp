#include "https/stream.hpp"
#include "net/outcome.hpp"

#include <netinet/tcp.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace qsp::https {
namespace {

namespace asio = net::asio;

}  // namespace

struct Stream::Tls {
  asio::ssl::stream<net::Socket&> stream;  ///< owns its SSL
};

Stream::Stream(net::Socket&& socket) : socket_(std::move(socket)) {}
Stream::~Stream() = default;

void Stream::set_no_delay() {
  net::error_code ignored;  // slower, not wrong
  socket_.set_option(net::tcp::no_delay(true), ignored);
}

void Stream::acknowledge() {
#ifdef TCP_QUICKACK
  net::error_code ignored;  // slower, not wrong
  socket_.set_option(asio::detail::socket_option::boolean<IPPROTO_TCP, TCP_QUICKACK>(true), ignored);
#endif
}

Awaited<Outcome> Stream::handshake(Ssl ssl, End end) {
  tls_.reset(new Tls{{socket_, ssl.release()}});
  return tls_->stream.async_handshake(
      end == End::Client ? asio::ssl::stream_base::client : asio::ssl::stream_base::server, net::kOutcome);
}

const SSL* Stream::ssl() const noexcept { return tls_ ? tls_->stream.native_handle() : nullptr; }

Awaited<Transfer> Stream::read_some(MutableBytes into) {
  const asio::mutable_buffer buffer(into.data(), into.size());
  return tls_ ? tls_->stream.async_read_some(buffer, net::kOutcome) : socket_.async_read_some(buffer, net::kOutcome);
}

Awaited<Transfer> Stream::write(std::string_view all) {
  const asio::const_buffer buffer(all.data(), all.size());
  return tls_ ? asio::async_write(tls_->stream, buffer, net::kOutcome)
              : asio::async_write(socket_, buffer, net::kOutcome);
}

Awaited<void> Stream::linger(bool tls_is_sound, MutableBytes scratch) {
  if (tls_ && tls_is_sound) co_await tls_->stream.async_shutdown(net::kOutcome);
  net::error_code ended;
  socket_.shutdown(net::Socket::shutdown_send, ended);
  while (!ended) {
    const auto [failed, count] =
        co_await socket_.async_read_some(asio::mutable_buffer(scratch.data(), scratch.size()), net::kOutcome);
    ended = failed;
  }
}

bool Stream::has_input() {
  std::uint8_t byte = 0;
  net::error_code failed;
  socket_.non_blocking(true, failed);
  if (failed) return true;
  socket_.receive(asio::mutable_buffer(&byte, 1), net::Socket::message_peek, failed);
  return failed != asio::error::would_block && failed != asio::error::try_again;
}

void Stream::close() {
  net::error_code ignored;  // it is closed, whatever it says
  socket_.close(ignored);
}

}  // namespace qsp::https

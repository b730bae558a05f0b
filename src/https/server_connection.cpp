#include "https/server_connection.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <utility>

namespace qsp::https {
namespace {

/// How long the last words to a peer may take to arrive.
constexpr std::chrono::seconds kLinger{2};

/// IPv4 in IPv6's clothes is IPv4.
net::asio::ip::address plain_address(const net::asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return net::asio::ip::make_address_v4(net::asio::ip::v4_mapped, address.to_v6());
  }
  return address;
}

}  // namespace

ServerConnection::ServerConnection(std::shared_ptr<ServerCore> core, std::uint64_t id, net::Socket&& socket,
                                   const net::tcp::endpoint& peer)
    : core_(std::move(core)),
      id_(id),
      address_(plain_address(peer.address()).to_string()),
      stream_(std::move(socket)),
      watchdog_(core_->loop()) {}

void ServerConnection::start(Ssl tls) {
  watchdog_.start(weak_from_this(), [this] { late(); });
  stream_.set_no_delay();
  spawn(open(std::move(tls)));
}

/// What runs keeps the connection alive.
void ServerConnection::spawn(Awaited<void> work) {
  const auto run = [](std::shared_ptr<ServerConnection> self, Awaited<void> body) -> Awaited<void> {
    co_await std::move(body);
    [[maybe_unused]] const auto kept = std::move(self);
  };
  net::asio::co_spawn(core_->loop().executor(), run(shared_from_this(), std::move(work)), net::asio::detached);
}

Awaited<void> ServerConnection::open(Ssl tls) {
  if (tls) {
    enter(Stage::Handshake);
    const auto [failed] = co_await stream_.handshake(std::move(tls), Stream::End::Server);
    if (stage_ == Stage::Closed) co_return;
    std::optional<PeerIdentity> peer;
    if (!failed) peer = peer_identity(stream_.ssl());
    if (!peer) {
      ++core_->count().tls_failures;
      co_await linger(!failed);
      co_return;
    }
    peer_ = std::move(*peer);
    authenticated_ = true;
    // A client whose Finished stands before its first request may hold that back until the former is acknowledged
    // (Nagle's algorithm), and after it TLS 1.3 gives this end nothing to say.
    stream_.acknowledge();
    // The files may have changed during the handshake.
    if (SSL_get_SSL_CTX(stream_.ssl()) != core_->tls().get()) check_peer();
    if (stage_ == Stage::Closed) co_return;
  }
  co_await read_request();
}

Awaited<void> ServerConnection::read_request() {
  RequestReader reader(core_->options().max_body);
  enter(Stage::Idle);
  const bool whole = co_await read_whole(reader);
  if (!whole) co_return;
  if (input_.empty()) input_.clear();
  ReceivedRequest received = reader.take();
  if (is_foreign(received)) {
    constexpr unsigned kForbidden = 403;
    co_await refuse(kForbidden);
    co_return;
  }
  hand_over(std::move(received));
}

Awaited<bool> ServerConnection::read_whole(RequestReader& reader) {
  for (;;) {
    if (!input_.empty()) {
      if (stage_ == Stage::Idle) enter(Stage::Request);
      const std::expected<Progress, unsigned> progress = reader.feed(input_);
      if (!progress) {
        co_await refuse(progress.error());
        co_return false;
      }
      if (*progress == Progress::Done) co_return true;
      if (stage_ == Stage::Request && reader.header_done()) enter(Stage::Body);
      if (*progress == Progress::WantsContinue) {
        const auto [unwritten, count] = co_await stream_.write(kContinue);
        if (unwritten || stage_ == Stage::Closed) break;
      } else {
        stream_.acknowledge();  // the rest may wait for it, as above
      }
    }
    if (stage_ == Stage::Idle && core_->stopping()) break;
    const auto [failed, count] = co_await stream_.read_some(input_.room());
    if (failed || stage_ == Stage::Closed) break;
    input_.commit(count);
  }
  close();
  co_return false;
}

void ServerConnection::hand_over(ReceivedRequest received) {
  ++core_->count().requests;
  ++requests_;
  head_ = received.head;
  keep_alive_ = received.keep_alive;
  enter(Stage::Handler);
  core_->handle(id_, {.method = received.method,
                      .target = std::move(received.target),
                      .body = std::move(received.body),
                      .peer = peer_,
                      .source = address_});
}

void ServerConnection::answer(std::optional<Response> response) {
  if (stage_ != Stage::Handler) return;
  if (!response) {
    close();
    return;
  }
  enter(Stage::Answer);
  spawn(write_answer(std::move(*response)));
}

Awaited<void> ServerConnection::write_answer(Response response) {
  const bool last = !keep_alive_ || core_->stopping() || requests_ >= core_->options().max_requests ||
                    life_left() <= std::chrono::nanoseconds::zero();
  const SecretBytes text = write_response(response, head_, !last);
  response = Response();
  const auto [failed, count] = co_await stream_.write(text.reveal_text());
  if (stage_ == Stage::Closed) co_return;
  if (failed) {
    close();
  } else if (last) {
    co_await linger(true);
  } else {
    co_await read_request();
  }
}

Awaited<void> ServerConnection::refuse(unsigned status) {
  keep_alive_ = false;
  head_ = false;
  enter(Stage::Answer);
  // Not a temporary: GCC 12 destroys those of a suspended coroutine twice when its frame is dropped.
  Response refusal;
  refusal.status = status;
  co_await write_answer(std::move(refusal));
}

Awaited<void> ServerConnection::linger(bool tls_is_sound) {
  enter(Stage::Linger);
  input_.clear();
  co_await stream_.linger(tls_is_sound, input_.room());
  close();
}

void ServerConnection::enter(Stage stage) {
  stage_ = stage;
  switch (stage) {
    case Stage::Handshake:
      watchdog_.within(core_->options().handshake_timeout);
      break;
    case Stage::Idle:
      // A peer that has shown neither a certificate nor a request is not waited for that long.
      watchdog_.within(authenticated_ || served_ ? std::min(core_->options().idle_timeout, life_left())
                                                 : core_->options().handshake_timeout);
      core_->moved(id_, authenticated_ ? &net::Admission::idle : &net::Admission::silent);
      break;
    case Stage::Request:
      began_ = net::Loop::now();
      watchdog_.within(std::min(core_->options().header_timeout, core_->options().request_timeout));
      if (authenticated_) core_->moved(id_, &net::Admission::settled);
      break;
    case Stage::Body:
      watchdog_.within(began_ + core_->options().request_timeout - net::Loop::now());
      break;
    case Stage::Answer:
      watchdog_.within(core_->options().answer_timeout);
      break;
    case Stage::Linger:
      watchdog_.within(kLinger);
      core_->moved(id_, &net::Admission::idle);
      break;
    case Stage::Handler:
      served_ = true;
      watchdog_.off();
      core_->moved(id_, &net::Admission::settled);
      break;
    case Stage::Closed:
      watchdog_.stop();
      break;
  }
}

std::chrono::nanoseconds ServerConnection::life_left() const {
  return core_->options().max_life - (net::Loop::now() - born_);
}

/// On a plain server, which is for this machine alone: whether a page of elsewhere asks.
bool ServerConnection::is_foreign(const ReceivedRequest& received) const {
  return !core_->options().tls && !is_own_page(received.host, received.origin);
}

void ServerConnection::check_peer() {
  if (!authenticated_ || stage_ == Stage::Closed) return;  // a handshake under way ends with a check
  if (!still_admitted(core_->tls(), stream_.ssl())) close();
}

void ServerConnection::late() {
  // A kept connection that stays silent, or a peer that keeps the line open after the last answer, has missed nothing.
  if (stage_ != Stage::Idle && stage_ != Stage::Linger) ++core_->count().timeouts;
  close();
}

void ServerConnection::wind_up() {
  if (stage_ == Stage::Handshake || stage_ == Stage::Idle) close();
}

void ServerConnection::close() {
  if (stage_ == Stage::Closed) return;
  const auto self = shared_from_this();
  enter(Stage::Closed);
  stream_.close();
  core_->release(id_);
}

}  // namespace qsp::https

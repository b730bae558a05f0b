#include "net/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/intrusive/list.hpp>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "net/listen.hpp"

namespace qsp::net {
namespace {

using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Resolver = asio::ip::basic_resolver<tcp, Executor>;
constexpr auto kListenFlags =
    static_cast<Resolver::flags>(std::to_underlying(Resolver::numeric_service) | std::to_underlying(Resolver::passive));
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

std::expected<Acceptor, error_code> listen_on(const Executor& executor, const tcp::endpoint& endpoint,
                                              bool among_others) {
  Acceptor acceptor(executor);
  error_code failed;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed && endpoint.address().is_v6()) {
    acceptor.set_option(asio::ip::v6_only(among_others), failed);  // alone, [::] takes IPv4 as well
  }
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return std::unexpected(failed);
  return acceptor;
}

/// Every address of a name, all on one port. Addresses that this machine lacks are left out if others work.
std::expected<std::vector<Acceptor>, std::string> listen_all(const Executor& executor, const Address& address) {
  Resolver resolver(executor);
  error_code failed;
  const auto found = resolver.resolve(address.host, std::to_string(address.port), kListenFlags, failed);
  if (failed || found.empty()) {
    return std::unexpected(fmt::format("no such host: {} (check the name, or give an IP address)", address.host));
  }
  std::vector<Acceptor> acceptors;
  for (const auto& entry : found) {
    tcp::endpoint endpoint = entry.endpoint();
    if (!acceptors.empty()) endpoint.port(acceptors.front().local_endpoint(failed).port());
    std::expected<Acceptor, error_code> acceptor = listen_on(executor, endpoint, found.size() > 1);
    if (acceptor) {
      acceptors.push_back(std::move(*acceptor));
    } else if (acceptor.error().value() == EADDRNOTAVAIL || acceptor.error().value() == EAFNOSUPPORT) {
      failed = acceptor.error();
    } else {
      return std::unexpected(explain_listen(to_string(endpoint), acceptor.error()));
    }
  }
  if (acceptors.empty()) return std::unexpected(explain_listen(to_string(address), failed));
  return acceptors;
}

}  // namespace

/// One thread's sessions.
class Server::Shard final : public ConnectionOwner {
 public:
  Shard(std::unique_ptr<SessionFactory> factory, ServerEvents& events)
      : events_(events), factory_(std::move(factory)), work_(loop_.executor()) {}

  [[nodiscard]] Loop& loop() noexcept { return loop_; }
  void set_listener(Listener& listener) noexcept { listener_ = &listener; }

  /// On the shard's thread.
  void adopt(Socket&& socket, const tcp::endpoint& peer);
  void close_all();

  void connection_established(Connection& connection) override;
  void connection_rekeyed(Connection& connection) override { events_.session_rekeyed(connection); }
  void connection_closed(Connection& connection, const Closed& closed, const error_code& transport) override {
    events_.session_closed(connection, closed, transport);
  }
  void connection_finished(Connection& connection) override;

 private:
  ServerEvents& events_;
  Listener* listener_ = nullptr;
  std::unique_ptr<SessionFactory> factory_;
  boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>> connections_;
  /// After what its sessions use, so that they go first.
  Loop loop_;
  asio::executor_work_guard<Executor> work_;
};

/// Accepts and counts, on the first shard's thread.
class Server::Listener {
 public:
  Listener(Server& server, std::vector<Acceptor>&& acceptors, ServerEvents& events)
      : server_(server),
        events_(events),
        admission_(server.options_.limits),
        acceptors_(std::move(acceptors)),
        stop_timer_(server.shards_.front()->loop().executor()) {}

  [[nodiscard]] Loop& loop() noexcept { return server_.shards_.front()->loop(); }
  [[nodiscard]] const Acceptor& first() const noexcept { return acceptors_.front(); }
  [[nodiscard]] const Admission& admission() const noexcept { return admission_; }

  void start();
  void stop();
  /// From any shard's thread: an admitted connection was established; is gone.
  void handshake_over(const Source& source);
  void session_over(const Source& source, bool established);

 private:
  struct Refused {
    std::uint64_t count = 0;
    Instant told = Instant::min();
  };

  asio::awaitable<void> accept(Acceptor& acceptor);
  asio::awaitable<void> pause_accepting(const error_code& why);
  void refuse(Refusal why, const tcp::endpoint& peer);
  void stop_if_empty();
  void stop_loops();

  Server& server_;
  ServerEvents& events_;
  Admission admission_;
  std::vector<Acceptor> acceptors_;
  Timer stop_timer_;
  std::array<Refused, 3> refused_;
  tcp::endpoint last_refused_;
  std::size_t next_shard_ = 0;
  bool accept_failing_ = false;
  bool stopping_ = false;
};

void Server::Shard::adopt(Socket&& socket, const tcp::endpoint& peer) {
  Result<ConnectionPtr> connection = factory_->make(loop_, std::move(socket), peer, *this);
  if (!connection) {
    listener_->session_over(source_of(peer.address()), false);
    return;
  }
  connections_.push_back(**connection);
  (*connection)->start();
}

void Server::Shard::close_all() {
  std::vector<ConnectionPtr> all;  // closing changes the list
  for (Connection& connection : connections_) all.emplace_back(&connection);
  for (const ConnectionPtr& connection : all) connection->close(Reason::Normal, "the server is stopping");
}

void Server::Shard::connection_established(Connection& connection) {
  listener_->handshake_over(source_of(connection.peer().address()));
  events_.session_established(connection);
}

void Server::Shard::connection_finished(Connection& connection) {
  listener_->session_over(source_of(connection.peer().address()), connection.established());
}

void Server::Listener::start() {
  for (Acceptor& acceptor : acceptors_) asio::co_spawn(loop().executor(), accept(acceptor), asio::detached);
}

asio::awaitable<void> Server::Listener::accept(Acceptor& acceptor) {
  while (!stopping_) {
    Shard& shard = *server_.shards_[next_shard_];
    tcp::endpoint peer;
    auto [failed, socket] = co_await acceptor.async_accept(shard.loop().executor(), peer, kTuple);
    if (stopping_) break;
    if (failed) {
      co_await pause_accepting(failed);
      continue;
    }
    accept_failing_ = false;
    if (const std::optional<Refusal> refusal = admission_.admit(source_of(peer.address()))) {
      refuse(*refusal, peer);
      continue;  // closes it
    }
    next_shard_ = (next_shard_ + 1) % server_.shards_.size();
    asio::dispatch(shard.loop().executor(),
                   [&shard, peer, accepted = std::move(socket)]() mutable { shard.adopt(std::move(accepted), peer); });
  }
}

/// Without descriptors or memory the connection stays in the backlog, and accepting again at once would spin.
asio::awaitable<void> Server::Listener::pause_accepting(const error_code& why) {
  constexpr std::chrono::milliseconds kPause{100};
  if (!std::exchange(accept_failing_, true)) events_.accept_failed(why);
  Timer timer(loop().executor());
  timer.expires_after(kPause);
  co_await timer.async_wait(kTuple);
}

void Server::Listener::refuse(Refusal why, const tcp::endpoint& peer) {
  Refused& refused = refused_[std::to_underlying(why)];
  ++refused.count;
  last_refused_ = peer;
  const Instant now = Loop::now();
  if (refused.told > now - std::chrono::seconds(1)) return;
  refused.told = now;
  events_.refused(why, std::exchange(refused.count, 0), peer);
}

void Server::Listener::handshake_over(const Source& source) {
  asio::dispatch(loop().executor(), [this, source] { admission_.handshake_over(source); });
}

void Server::Listener::session_over(const Source& source, bool established) {
  asio::dispatch(loop().executor(), [this, source, established] {
    if (!established) admission_.handshake_over(source);
    admission_.session_over();
    stop_if_empty();
  });
}

void Server::Listener::stop() {
  if (std::exchange(stopping_, true)) return;
  error_code ignored;  // nothing is accepted any more, whatever it says
  for (Acceptor& acceptor : acceptors_) acceptor.close(ignored);
  for (const Refusal why : {Refusal::Sessions, Refusal::Handshakes, Refusal::HandshakesOfSource}) {
    const std::uint64_t count = refused_[std::to_underlying(why)].count;
    if (count != 0) events_.refused(why, count, last_refused_);
  }
  for (const std::unique_ptr<Shard>& shard : server_.shards_) {
    asio::post(shard->loop().executor(), [&shard = *shard] { shard.close_all(); });
  }
  stop_timer_.expires_after(server_.options_.stop_timeout);
  stop_timer_.async_wait([this](const error_code& cancelled) {
    if (!cancelled) stop_loops();
  });
  stop_if_empty();
}

void Server::Listener::stop_if_empty() {
  if (stopping_ && admission_.sessions() == 0) stop_loops();
}

void Server::Listener::stop_loops() {
  for (const std::unique_ptr<Shard>& shard : server_.shards_) shard->loop().io().stop();
}

Server::Server(const ServerOptions& options) : options_(options) {}

Server::~Server() = default;

std::expected<std::unique_ptr<Server>, std::string> Server::open(const ServerOptions& options,
                                                                 const MakeSessionFactory& make_factory,
                                                                 ServerEvents& events) try {
  std::unique_ptr<Server> server(new Server(options));
  for (std::size_t i = 0; i < std::max<std::size_t>(options.threads, 1); ++i) {
    std::expected<std::unique_ptr<SessionFactory>, std::string> factory = make_factory();
    if (!factory) return std::unexpected(factory.error());
    server->shards_.push_back(std::make_unique<Shard>(std::move(*factory), events));
  }
  std::expected<std::vector<Acceptor>, std::string> acceptors =
      listen_all(server->shards_.front()->loop().executor(), options.listen);
  if (!acceptors) return std::unexpected(acceptors.error());
  server->listener_ = std::make_unique<Listener>(*server, std::move(*acceptors), events);
  for (const std::unique_ptr<Shard>& shard : server->shards_) shard->set_listener(*server->listener_);
  return server;
} catch (const std::system_error& failed) {  // Asio makes its epoll descriptors in constructors
  return std::unexpected(fmt::format("cannot start: {} (see: ulimit -n)", failed.what()));
}

tcp::endpoint Server::local_endpoint() const {
  error_code ignored;  // an open acceptor has an address
  return listener_->first().local_endpoint(ignored);
}

Loop& Server::loop() noexcept { return shards_.front()->loop(); }

std::size_t Server::sessions() const noexcept { return listener_->admission().sessions(); }

std::expected<void, std::string> Server::run() {
  listener_->start();
  std::vector<std::jthread> threads;
  try {
    for (std::size_t i = 1; i < shards_.size(); ++i) {
      threads.emplace_back([&loop = shards_[i]->loop()] { loop.run(); });
    }
  } catch (const std::system_error& failed) {
    for (const std::unique_ptr<Shard>& shard : shards_) shard->loop().io().stop();
    return std::unexpected(fmt::format("cannot start {} threads: {}", shards_.size(), failed.what()));
  }
  shards_.front()->loop().run();
  return {};
}

void Server::stop() {
  asio::post(loop().executor(), [listener = listener_.get()] { listener->stop(); });
}

}  // namespace qsp::net

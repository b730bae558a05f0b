#include "https/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "https/server_connection.hpp"
#include "https/server_core.hpp"
#include "net/address.hpp"
#include "net/descriptor_limit.hpp"
#include "net/listen.hpp"
#include "net/outcome.hpp"

namespace qsp::https {
namespace {

namespace asio = net::asio;

/// One request's right to an answer: used once, or given up when it is dropped.
class Answer {
 public:
  Answer(std::shared_ptr<Mailbox> mailbox, std::uint64_t connection)
      : mailbox_(std::move(mailbox)), connection_(connection) {}
  Answer(Answer&& other) noexcept = default;
  Answer& operator=(Answer&&) = delete;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  // NOLINTNEXTLINE(bugprone-exception-escape): it ends the process
  ~Answer() {
    if (mailbox_) mailbox_->send(connection_, std::nullopt);
  }

  void operator()(Response response) {
    if (const std::shared_ptr<Mailbox> mailbox = std::move(mailbox_)) mailbox->send(connection_, std::move(response));
  }

 private:
  std::shared_ptr<Mailbox> mailbox_;
  std::uint64_t connection_;
};

class LoopServer final : public Server {
 public:
  explicit LoopServer(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}
  LoopServer(const LoopServer&) = delete;
  LoopServer& operator=(const LoopServer&) = delete;
  // NOLINTNEXTLINE(bugprone-exception-escape): it ends the process
  ~LoopServer() override { core_->close(); }

  [[nodiscard]] std::uint16_t port() const noexcept override { return core_->port(); }
  [[nodiscard]] ServerCounts counts() const noexcept override { return core_->counts(); }
  void stop(std::chrono::nanoseconds grace) override { core_->stop(grace); }
  files::OrText<Renewal> prepare_reload() override {
    auto context = core_->read_tls();
    if (!context) return std::unexpected(std::move(context.error()));
    return [core = core_, context = *std::move(context)]() mutable { core->renew(std::move(context)); };
  }

 private:
  std::shared_ptr<ServerCore> core_;
};

}  // namespace

void Mailbox::send(std::uint64_t connection, std::optional<Response> response) {
  const std::scoped_lock lock(mutex_);
  if (!executor_) return;
  asio::post(*executor_, [core = core_, connection, answer = std::move(response)]() mutable {
    if (const std::shared_ptr<ServerCore> alive = core.lock()) alive->answer(connection, std::move(answer));
  });
}

void Mailbox::close() {
  const std::scoped_lock lock(mutex_);
  executor_.reset();
}

files::OrText<void> ServerCore::open() {
  QSP_TRY(TlsContext context, read_tls());
  tls_ = std::move(context);
  QSP_TRY(listen());
  mailbox_ = std::make_shared<Mailbox>(loop_.executor(), weak_from_this());
  const auto run = [](std::shared_ptr<ServerCore> self) -> Awaited<void> { co_await self->accept(); };
  asio::co_spawn(loop_.executor(), run(shared_from_this()), asio::detached);
  return {};
}

files::OrText<TlsContext> ServerCore::read_tls() const {
  if (!options_.tls) return nullptr;
  return make_server_context(*options_.tls);
}

void ServerCore::renew(TlsContext context) {
  tls_ = std::move(context);
  if (!tls_) return;
  for (const auto& connection : all_connections()) connection->check_peer();
}

/// Closing changes the list.
std::vector<std::shared_ptr<ServerConnection>> ServerCore::all_connections() const {
  std::vector<std::shared_ptr<ServerConnection>> all;
  all.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) all.push_back(connection);
  return all;
}

files::OrText<void> ServerCore::listen() {
  net::error_code failed;
  const asio::ip::address address = asio::ip::make_address(options_.address, failed);
  if (failed) {
    return std::unexpected(
        fmt::format("cannot listen on {}: not an IP address (give one, such as 127.0.0.1 or ::1)", options_.address));
  }
  if (!options_.tls && !address.is_loopback()) {
    return std::unexpected(
        fmt::format("cannot listen on {} without TLS: others could read along (give certificate, key "
                    "and authorities, or an address of this machine alone, such as 127.0.0.1)",
                    options_.address));
  }
  const net::tcp::endpoint at(address, options_.port);
  acceptor_.open(at.protocol(), failed);
  if (!failed) acceptor_.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed) acceptor_.bind(at, failed);
  if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return std::unexpected(net::explain_listen(net::to_string(at), failed));
  options_.port = acceptor_.local_endpoint(failed).port();
  return {};
}

Awaited<void> ServerCore::accept() {
  while (!stopping_) {
    net::tcp::endpoint peer;
    auto [failed, socket] = co_await acceptor_.async_accept(loop_.executor(), peer, net::kOutcome);
    if (stopping_) break;
    if (failed) {
      auto waiting = make_room(failed);
      co_await std::move(waiting);
    } else {
      accept_failing_ = false;
      adopt(std::move(socket), peer);
    }
  }
}

/// Without descriptors or memory the connection stays in the backlog, and accepting again at once would spin. A
/// connection of little use gives up its descriptor for it.
Awaited<void> ServerCore::make_room(const net::error_code& why) {
  constexpr std::chrono::milliseconds kPause{100};
  const bool descriptors = why == asio::error::no_descriptors || why.value() == ENFILE;
  if (const auto displaced = descriptors ? admission_.displace_one(net::Loop::now()) : std::nullopt) {
    displace(*displaced);
    co_return;
  }
  if (!std::exchange(accept_failing_, true) && options_.report) {
    options_.report(
        fmt::format("port {}: cannot accept connections: {}; trying again until it works (the limit is {} open files: "
                    "ulimit -n)",
                    options_.port, why.message(), net::descriptor_limit()));
  }
  stop_timer_.expires_after(kPause);
  auto waiting = stop_timer_.async_wait(net::kOutcome);
  co_await std::move(waiting);
}

net::Limits ServerCore::limits_of(const HttpServerOptions& options) {
  const std::size_t most = std::min(options.max_connections, net::room_for_connections(1));
  return {.sessions = most,
          .handshakes = std::min(options.max_strangers, most),
          .handshakes_per_source = options.max_strangers_per_source,
          .sessions_per_source = options.max_connections_per_source};
}

/// The first of a kind at once, what follows within a minute together.
void ServerCore::tell_of_excess(std::string_view why, const net::tcp::endpoint& peer) {
  const auto tell = [this](const net::Tally::Told& told) {
    if (!options_.report) return;
    options_.report(fmt::format("port {}: too many connections, {} times: {} (the last newcomer: {})", options_.port,
                                told.count, told.kind, net::to_string(told.last)));
  };
  for (const net::Tally::Told& told : excess_.due(net::Loop::now())) tell(told);
  if (const auto told = excess_.note(why, peer, net::Loop::now())) tell(*told);
  const auto next = excess_.next_due();
  if (!next) return;
  excess_timer_.expires_at(net::Loop::time_point(*next));
  excess_timer_.async_wait([this, tell, weak = weak_from_this()](const net::error_code& cancelled) {
    const std::shared_ptr<ServerCore> core = weak.lock();
    if (cancelled || !core) return;
    for (const net::Tally::Told& told : excess_.due(net::Loop::now())) tell(told);
  });
}

void ServerCore::displace(net::Place place) {
  ++counts_.displaced;
  const auto found = connections_.find(place);
  if (found == connections_.end()) return;
  const std::shared_ptr<ServerConnection> kept = found->second;
  kept->close();
}

void ServerCore::adopt(net::Socket&& socket, const net::tcp::endpoint& peer) {
  const auto admitted = admission_.admit(net::source_of(peer.address()), net::Loop::now());
  if (!admitted) {
    ++counts_.refused;
    tell_of_excess(net::describe(admitted.error()), peer);
    return;  // closes it
  }
  if (admitted->displaced) {
    tell_of_excess("a silent or idle one made room", peer);
    displace(*admitted->displaced);
  }
  const std::uint64_t id = admitted->place;
  Ssl ssl;
  if (tls_) ssl = make_server_end(tls_);
  if (tls_ && !ssl) {
    ++counts_.refused;
    admission_.gone(id);
    return;
  }
  ++counts_.connections;
  const auto connection = std::make_shared<ServerConnection>(shared_from_this(), id, std::move(socket), peer);
  connections_.emplace(id, connection);
  counts_.open = connections_.size();
  connection->start(std::move(ssl));
}

void ServerCore::handle(std::uint64_t connection, Request request) {
  if (handler_ != nullptr) handler_->handle(std::move(request), Answer(mailbox_, connection));
}

void ServerCore::answer(std::uint64_t connection, std::optional<Response> response) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  const std::shared_ptr<ServerConnection> kept = found->second;
  kept->answer(std::move(response));
}

void ServerCore::release(std::uint64_t connection) {
  if (connections_.erase(connection) == 0) return;
  admission_.gone(connection);
  counts_.open = connections_.size();
  if (stopping_ && connections_.empty()) stop_timer_.cancel();
}

std::uint16_t ServerCore::port() const noexcept { return options_.port; }

void ServerCore::stop(std::chrono::nanoseconds grace) {
  if (std::exchange(stopping_, true)) return;
  excess_timer_.cancel();
  net::error_code ignored;  // nothing is accepted any more, whatever it says
  acceptor_.close(ignored);
  for (const auto& connection : all_connections()) connection->wind_up();
  if (connections_.empty()) return;
  stop_timer_.expires_after(grace);
  stop_timer_.async_wait([weak = weak_from_this()](const net::error_code& cancelled) {
    const std::shared_ptr<ServerCore> core = weak.lock();
    if (!cancelled && core) core->close_connections();
  });
}

void ServerCore::close() {
  handler_ = nullptr;
  if (mailbox_) mailbox_->close();
  stop({});
  close_connections();
  stop_timer_.cancel();
  excess_timer_.cancel();
}

void ServerCore::close_connections() {
  for (const auto& connection : all_connections()) connection->close();
}

files::OrText<void> Server::reload() {
  QSP_TRY(Renewal prepared, prepare_reload());
  prepared();
  return {};
}

files::OrText<std::unique_ptr<Server>> Server::open(net::Loop& loop, const HttpServerOptions& options,
                                                    Handler& handler) {
  auto core = std::make_shared<ServerCore>(loop, options, handler);
  QSP_TRY(core->open());
  return std::make_unique<LoopServer>(std::move(core));
}

}  // namespace qsp::https

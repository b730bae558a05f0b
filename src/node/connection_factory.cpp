#include "node/connection_factory.hpp"

#include <boost/asio/post.hpp>
#include <optional>
#include <string>
#include <type_traits>

#include "node/session_view.hpp"
#include "qsp/full_alert.hpp"

namespace qsp::node {
namespace {

/// What a session tells of itself; nothing where it is not established, or of a profile without peers.
std::optional<ChannelStatus> status_of(const net::Connection& connection) {
  if (connection.endpoint().phase() != Phase::Established) return std::nullopt;
  return view_of(connection).status;
}

/// What a connection was made by. As the first of its bases it goes last, for the endpoint uses its keys to the end.
struct MadeBy {
  std::shared_ptr<EndpointFactory> made_by;
};

/// A connection that keeps what it was made by, and can lose its place.
template <class Base>
class AcceptedConnection final : private MadeBy, public Base, public Accepted {
 public:
  template <class... Arguments>
  AcceptedConnection(ConnectionFactory& factory, std::shared_ptr<EndpointFactory> by, Arguments&&... arguments)
      : MadeBy(std::move(by)), Base(std::forward<Arguments>(arguments)...), factory_(factory) {
    factory_.enter(*this);
  }
  AcceptedConnection(const AcceptedConnection&) = delete;
  AcceptedConnection& operator=(const AcceptedConnection&) = delete;
  ~AcceptedConnection() override { factory_.leave(*this); }

  bool close_unwanted() override {
    const auto status = status_of(*this);
    const auto objection = status ? made_by->objection(*status) : std::nullopt;
    if (!objection) return false;
    this->close(Reason::Normal, *objection);
    return true;
  }

 private:
  /// The pins may have been reloaded during a handshake under the old ones: then the application never begins.
  void handle_established() override {
    if (!close_unwanted()) Base::handle_established();
  }

  ConnectionFactory& factory_;
};

}  // namespace

Bytes ConnectionFactory::full_alert() const noexcept {
  return end_.profile().danger.empty() ? qsp::full_alert() : Bytes();
}

template <class Connection, class... Arguments>
net::ConnectionPtr ConnectionFactory::start(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                            std::unique_ptr<Endpoint> endpoint, net::ConnectionOwner& owner,
                                            Arguments&&... arguments) {
  if constexpr (std::is_same_v<Connection, net::EchoConnection>) {
    return new AcceptedConnection<Connection>(*this, endpoints_, loop, std::move(socket), peer, std::move(endpoint),
                                              owner, arguments...);
  } else {
    return new AcceptedConnection<Connection>(*this, endpoints_, loop, std::move(socket), peer, std::move(endpoint),
                                              owner, end_.stall_limit(), arguments...);
  }
}

Result<net::ConnectionPtr> ConnectionFactory::make(net::Loop& loop, net::Socket&& socket,
                                                   const net::tcp::endpoint& peer, net::ConnectionOwner& owner) {
  {
    const std::lock_guard lock(mutex_);
    loop_ = &loop;
  }
  go_over();
  Result<std::unique_ptr<Endpoint>> endpoint = endpoints_->make(false);
  if (!endpoint) {
    log_.error("cannot make a session: {}: {}", name(endpoint.error().kind), endpoint.error().where);
    return std::unexpected(endpoint.error());
  }
  net::ConnectionPtr connection;
  if (const auto* const forward = std::get_if<ForwardTo>(&application_)) {
    connection =
        start<net::ForwardConnection>(loop, std::move(socket), peer, std::move(*endpoint), owner, forward->target);
  } else if (const auto* const command = std::get_if<RunCommand>(&application_)) {
    connection =
        start<net::ExecConnection>(loop, std::move(socket), peer, std::move(*endpoint), owner, command->line, *groups_);
  } else {
    connection = start<net::EchoConnection>(loop, std::move(socket), peer, std::move(*endpoint), owner,
                                            std::get<EchoData>(application_).rekey_after);
  }
  if (auto* const delivery = endpoints_->delivery(); delivery != nullptr) connection->set_key_delivery(*delivery);
  return connection;
}

void ConnectionFactory::renew(std::unique_ptr<EndpointFactory> endpoints,
                              std::function<void(std::uint64_t closed)> done) {
  net::Loop* loop = nullptr;
  {
    const std::lock_guard lock(mutex_);
    loop = loop_;
    // Where no connection was ever made, none is while the mutex is held.
    if (loop == nullptr) {
      endpoints_ = std::move(endpoints);
    } else {
      next_ = std::move(endpoints);
    }
  }
  if (loop == nullptr) return done(0);
  boost::asio::post(loop->executor(), [this, done = std::move(done)] {
    go_over();
    done(close_unwanted());
  });
}

void ConnectionFactory::go_over() {
  const std::lock_guard lock(mutex_);
  if (next_) endpoints_ = std::move(next_);
}

std::uint64_t ConnectionFactory::close_unwanted() {
  // Closing may end a connection, which then leaves: a copy, and each looked up again.
  const std::vector<Accepted*> all(live_.begin(), live_.end());
  std::uint64_t closed = 0;
  for (Accepted* const connection : all) {
    if (live_.contains(connection) && connection->close_unwanted()) ++closed;
  }
  return closed;
}

}  // namespace qsp::node

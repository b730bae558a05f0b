#include "cli/served.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "net/application.hpp"
#include "net/echo.hpp"
#include "qsp/full_alert.hpp"

namespace qsp::cli {
namespace {

/// What a session tells of itself; nothing where it is not established, or of a profile without peers.
std::optional<ChannelStatus> status_of(const net::Connection& connection) {
  if (connection.endpoint().phase() != Phase::Established) return std::nullopt;
  ChannelStatus status = connection.endpoint().status();
  return status.secure ? std::optional(std::move(status)) : std::nullopt;
}

/// A session that keeps what it was made by, and can lose its place.
template <class Session>
class ServedSession final : public Session, public Served {
 public:
  template <class... Arguments>
  ServedSession(ServedFactory& factory, std::shared_ptr<Sessions> made_by, Arguments&&... arguments)
      : Session(std::forward<Arguments>(arguments)...), factory_(factory), made_by_(std::move(made_by)) {
    factory_.enter(*this);
  }
  ServedSession(const ServedSession&) = delete;
  ServedSession& operator=(const ServedSession&) = delete;
  ~ServedSession() override { factory_.leave(*this, std::move(made_by_)); }

  bool close_unwanted() override {
    const auto status = status_of(*this);
    const auto objection = status ? made_by_->objection(*status) : std::nullopt;
    if (!objection) return false;
    this->close(Reason::Normal, *objection);
    return true;
  }

 private:
  /// The pins may have been read anew while it shook hands under the old ones: then the application never begins.
  void handle_established() override {
    if (!close_unwanted()) Session::handle_established();
  }

  ServedFactory& factory_;
  std::shared_ptr<Sessions> made_by_;
};

}  // namespace

Bytes ServedFactory::full_alert() const noexcept {
  return setup_.profile().danger.empty() ? qsp::full_alert() : Bytes();
}

template <class Session, class... Arguments>
net::ConnectionPtr ServedFactory::start(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                        std::unique_ptr<Endpoint> endpoint, net::ConnectionOwner& owner,
                                        Arguments&&... arguments) {
  if constexpr (std::is_same_v<Session, net::EchoSession>) {
    return new ServedSession<Session>(*this, sessions_, loop, std::move(socket), peer, std::move(endpoint), owner,
                                      arguments...);
  } else {
    return new ServedSession<Session>(*this, sessions_, loop, std::move(socket), peer, std::move(endpoint), owner,
                                      setup_.stall_limit(), arguments...);
  }
}

Result<net::ConnectionPtr> ServedFactory::make(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                               net::ConnectionOwner& owner) {
  {
    const std::lock_guard lock(mutex_);
    loop_ = &loop;
  }
  go_over();
  Result<std::unique_ptr<Endpoint>> endpoint = sessions_->make(false);
  if (!endpoint) {
    spdlog::error("cannot make a session: {}: {}", name(endpoint.error().kind), endpoint.error().where);
    return std::unexpected(endpoint.error());
  }
  net::ConnectionPtr connection;
  if (application_.forward) {
    connection =
        start<net::ForwardSession>(loop, std::move(socket), peer, std::move(*endpoint), owner, *application_.forward);
  } else if (!application_.command.empty()) {
    connection = start<net::ExecSession>(loop, std::move(socket), peer, std::move(*endpoint), owner,
                                         application_.command, *application_.groups);
  } else {
    connection =
        start<net::EchoSession>(loop, std::move(socket), peer, std::move(*endpoint), owner, application_.rekey_after);
  }
  if (auto* const delivery = sessions_->delivery(); delivery != nullptr) connection->set_key_delivery(*delivery);
  return connection;
}

void ServedFactory::renew(std::unique_ptr<Sessions> sessions, std::function<void(std::uint64_t closed)> done) {
  net::Loop* loop = nullptr;
  {
    const std::lock_guard lock(mutex_);
    next_ = std::move(sessions);
    loop = loop_;
  }
  if (loop == nullptr) return done(0);  // the first session will find them
  boost::asio::post(loop->executor(), [this, done = std::move(done)] {
    go_over();
    done(close_unwanted());
  });
}

void ServedFactory::go_over() {
  left_.clear();
  const std::lock_guard lock(mutex_);
  if (next_) sessions_ = std::move(next_);
}

std::uint64_t ServedFactory::close_unwanted() {
  // Closing may end a session, which then leaves: a copy, and each looked up again.
  const std::vector<Served*> all(live_.begin(), live_.end());
  std::uint64_t closed = 0;
  for (Served* const session : all) {
    if (live_.contains(session) && session->close_unwanted()) ++closed;
  }
  return closed;
}

void ServedFactory::leave(Served& session, std::shared_ptr<Sessions> made_by) {
  live_.erase(&session);
  // The session's base still has the endpoint, which uses the keys of these until it is gone.
  if (made_by != sessions_) left_.push_back(std::move(made_by));
}

}  // namespace qsp::cli

#include <fmt/format.h>

#include <vector>

#include "net/server_parts.hpp"

namespace qsp::net {
namespace {

/// What a connection was that never became a session: for a log. Holds nothing of the peer's but its reason.
std::string kind_of_stranger(const Connection& connection, const Closed& closed) {
  if (const auto& foreign = connection.foreign()) {
    return fmt::format("the peer speaks {}, not QSP", foreign->name);
  }
  if (!connection.heard_anything()) {
    return closed.reason == Reason::Timeout ? "nothing came in time" : "the peer left without a word";
  }
  if (closed.by_peer || closed.text.empty()) {
    return fmt::format("{}{}", name(closed.reason), closed.by_peer ? " by the peer" : "");
  }
  return fmt::format("{}: {}", name(closed.reason), closed.text);
}

}  // namespace

void Server::Shard::adopt(Place place, Socket&& socket, const tcp::endpoint& peer, Instant accepted) {
  Result<ConnectionPtr> connection = factory_->make(loop_, std::move(socket), peer, *this);
  if (!connection) {
    listener_->told(place, &Admission::gone);
    return;
  }
  connections_.push_back(**connection);
  may_go_.emplace(place, MayGo{.connection = connection->get(), .accepted = accepted});
  (*connection)->set_tag(place);
  (*connection)->expect_first_frame(Loop::now() + first_frame_timeout_);
  (*connection)->start();
}

void Server::Shard::displace(Place place) {
  const auto found = may_go_.find(place);
  if (found != may_go_.end()) {
    const auto [connection, accepted] = found->second;
    const bool lingers = connection->endpoint().phase() == Phase::Closed;
    // It was silent, and was heard while the word was on its way: so it has its fair chance.
    if (!lingers && connection->heard() && Loop::now() < accepted + kFairChance) {
      return listener_->keep(place, source_of(connection->peer().address()), accepted, false);
    }
    const ConnectionPtr kept(connection);
    if (!lingers) {
      listener_->refused(kept->heard() ? Refusal::DisplacedHandshake : Refusal::Displaced, kept->peer());
    }
    kept->turn_away(lingers ? Bytes() : full_alert());
    return;
  }
  // It is gone, or authenticated meanwhile.
  for (const Connection& connection : connections_) {
    if (connection.tag() == place) {
      return listener_->keep(place, source_of(connection.peer().address()), Loop::now(), true);
    }
  }
}

void Server::Shard::close_all() {
  std::vector<ConnectionPtr> all;  // closing changes the list
  for (Connection& connection : connections_) all.emplace_back(&connection);
  for (const ConnectionPtr& connection : all) connection->close(Reason::Normal, "the server is stopping");
}

void Server::Shard::connection_heard(Connection& connection) { listener_->told(connection.tag(), &Admission::heard); }

void Server::Shard::connection_authenticated(Connection& connection) {
  may_go_.erase(connection.tag());
  listener_->told(connection.tag(), &Admission::settled);
}

void Server::Shard::connection_established(Connection& connection) {
  may_go_.erase(connection.tag());
  listener_->told(connection.tag(), &Admission::settled);
  events_.session_established(connection);
}

void Server::Shard::connection_closed(Connection& connection, const Closed& closed, const error_code& transport) {
  events_.session_closed(connection, closed, transport);
  if (!connection.established()) {
    listener_->stranger(kind_of_stranger(connection, closed), events_.caller(connection), connection.peer());
  }
}

void Server::Shard::connection_lingers(Connection& connection) {
  may_go_.insert_or_assign(connection.tag(), MayGo{.connection = &connection, .accepted = Loop::now()});
  listener_->told(connection.tag(), &Admission::idle);
}

void Server::Shard::connection_finished(Connection& connection) {
  may_go_.erase(connection.tag());
  listener_->told(connection.tag(), &Admission::gone);
}

}  // namespace qsp::net

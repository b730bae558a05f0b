#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "net/descriptor_limit.hpp"
#include "net/outcome.hpp"
#include "net/own_socket.hpp"
#include "net/server_parts.hpp"

namespace qsp::net {
namespace {

/// Under the name that the tally knows it by.
Refusal refusal_of(std::string_view kind) noexcept {
  for (std::size_t i = 0; i < kRefusals; ++i) {
    if (describe(static_cast<Refusal>(i)) == kind) return static_cast<Refusal>(i);
  }
  return Refusal::Sessions;
}

Limits within_descriptors(Limits limits, std::size_t each) {
  limits.sessions = std::min(limits.sessions, room_for_connections(each));
  return limits;
}

}  // namespace

Server::Listener::Listener(Server& server, std::vector<Acceptor>&& acceptors, ServerEvents& events)
    : server_(server),
      events_(events),
      few_descriptors_(room_for_connections(server.options_.descriptors_per_session) < server.options_.limits.sessions),
      admission_(within_descriptors(server.options_.limits, server.options_.descriptors_per_session)),
      acceptors_(std::move(acceptors)),
      stop_timer_(server.shards_.front()->loop().executor()),
      tell_timer_(server.shards_.front()->loop().executor()) {}

Loop& Server::Listener::loop() noexcept { return server_.shards_.front()->loop(); }

void Server::Listener::start() {
  for (Acceptor& acceptor : acceptors_) asio::co_spawn(loop().executor(), accept(acceptor), kAlone);
}

asio::awaitable<void> Server::Listener::accept(Acceptor& acceptor) {
  while (!stopping_) {
    const std::uint8_t keeper = next_shard_;
    tcp::endpoint peer;
    auto [failed, socket] = co_await acceptor.async_accept(server_.shards_[keeper]->loop().executor(), peer, kOutcome);
    if (stopping_) break;
    if (failed) {
      co_await make_room(failed);
    } else {
      accept_failing_ = false;
      keep_from_children(socket);
      admit(keeper, std::move(socket), peer);
    }
  }
}

void Server::Listener::admit(std::uint8_t keeper, Socket&& socket, const tcp::endpoint& peer) {
  const Instant now = Loop::now();
  const auto admitted = admission_.admit(source_of(peer.address()), now, keeper);
  Shard& shard = *server_.shards_[keeper];
  if (!admitted) {
    const bool for_descriptors = few_descriptors_ && admitted.error() == Refusal::Sessions;
    refused(for_descriptors ? Refusal::Descriptors : admitted.error(), peer);
    // As far as the socket takes it at once: a newcomer is not waited for. SPEC §5.8.
    const Bytes last_words = shard.full_alert();
    error_code ignored;
    socket.non_blocking(true, ignored);
    if (!last_words.empty()) socket.write_some(asio::buffer(last_words.data(), last_words.size()), ignored);
    return;  // closes it
  }
  if (const auto displaced = admitted->displaced) displace(*displaced);
  next_shard_ = static_cast<std::uint8_t>((next_shard_ + 1U) % server_.shards_.size());
  asio::dispatch(shard.loop().executor(),
                 [&shard, place = admitted->place, peer, now, accepted = std::move(socket)]() mutable {
                   shard.adopt(place, std::move(accepted), peer, now);
                 });
}

void Server::Listener::displace(Place place) {
  Shard& shard = *server_.shards_[keeper_of(place)];
  asio::dispatch(shard.loop().executor(), [&shard, place] { shard.displace(place); });
}

/// Without descriptors or memory the connection stays in the backlog, and accepting again at once would spin. A
/// silent connection gives up its descriptor for it.
asio::awaitable<void> Server::Listener::make_room(const error_code& why) {
  constexpr std::chrono::milliseconds kPause{100};
  constexpr std::chrono::milliseconds kShortPause{5};  // for another thread to close what was displaced
  const bool descriptors = why == asio::error::no_descriptors || why.value() == ENFILE;
  const std::optional<Place> displaced = descriptors ? admission_.displace_one(Loop::now()) : std::nullopt;
  if (displaced) displace(*displaced);
  if (!displaced && !std::exchange(accept_failing_, true)) events_.accept_failed(why);
  Timer timer(loop().executor());
  timer.expires_after(displaced ? kShortPause : kPause);
  co_await timer.async_wait(kOutcome);
}

void Server::Listener::refused(Refusal why, const tcp::endpoint& peer) {
  events_.turned_away(why);
  asio::dispatch(loop().executor(), [this, why, peer] {
    if (const auto told = refusals_.note(describe(why), peer, Loop::now())) tell({*told}, {});
    tell_later();
  });
}

void Server::Listener::stranger(std::string kind, std::string detail, const tcp::endpoint& peer) {
  asio::dispatch(loop().executor(), [this, kind = std::move(kind), detail = std::move(detail), peer]() mutable {
    if (const auto told = strangers_.note(kind, peer, Loop::now(), std::move(detail))) tell({}, {*told});
    tell_later();
  });
}

void Server::Listener::tell(const std::vector<Tally::Told>& refusals, const std::vector<Tally::Told>& strangers) {
  for (const Tally::Told& told : refusals) events_.refused(refusal_of(told.kind), told.count, told.last);
  for (const Tally::Told& told : strangers) events_.strangers(told);
}

/// What is not told at once is told when its minute ends.
void Server::Listener::tell_later() {
  const auto next =
      std::min(refusals_.next_due().value_or(Instant::max()), strangers_.next_due().value_or(Instant::max()));
  if (next == Instant::max() || stopping_ || std::exchange(telling_, true)) return;
  tell_timer_.expires_at(Loop::time_point(next));
  tell_timer_.async_wait([this](const error_code& cancelled) {
    telling_ = false;
    if (cancelled) return;
    const Instant now = Loop::now();
    tell(refusals_.due(now), strangers_.due(now));
    tell_later();
  });
}

void Server::Listener::told(Place place, void (Admission::*change)(Place)) {
  asio::dispatch(loop().executor(), [this, place, change] {
    (admission_.*change)(place);
    stop_if_empty();
  });
}

void Server::Listener::keep(Place place, const Source& source, Instant accepted, bool authenticated) {
  asio::dispatch(loop().executor(), [this, place, source, accepted, authenticated] {
    admission_.keep(place, source, accepted, authenticated);
  });
}

void Server::Listener::stop() {
  if (std::exchange(stopping_, true)) return;
  error_code ignored;  // nothing is accepted any more, whatever it says
  for (Acceptor& acceptor : acceptors_) acceptor.close(ignored);
  tell_timer_.cancel();
  tell(refusals_.rest(), strangers_.rest());
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

}  // namespace qsp::net

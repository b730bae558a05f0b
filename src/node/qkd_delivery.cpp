#include "node/qkd_delivery.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cmath>
#include <map>
#include <utility>

#include "text/escape.hpp"

namespace qsp::node {
namespace {

/// A source answers so much before a session gives up by itself: else nobody would hear why there was no key.
constexpr std::chrono::milliseconds kReasonFirst{200};

/// An answer whose session has ended meanwhile.
void tell_unused(const Log& log, const std::string& sae_id, const keysource::Answer& answer) {
  if (answer) {
    log.warn("nobody waits any more for QKD key {} for SAE {}: it is burned", answer->key_id,
             text::terminal_escape(sae_id));
  } else {
    log.warn("no QKD key for SAE {}, for which nobody waits any more: {}", text::terminal_escape(sae_id),
             text::terminal_escape(answer.error().text));
  }
}

}  // namespace

/// What the connections of one thread wait for. An answer from another thread finds its connection here, or none; and
/// while it is here, its loop is alive to be posted to.
class QkdDelivery::Waiting {
 public:
  struct Entry {
    net::Connection* connection;
    std::string sae_id;
    Instant deadline;  ///< the session's
    keysource::Ticket ticket = 0;
  };

  /// On the thread of the connections.
  std::uint64_t add(net::Connection& connection, const QkdKeyNeeded& needed) {
    const std::lock_guard lock(mutex_);
    entries_.try_emplace(++last_,
                         Entry{.connection = &connection, .sae_id = needed.sae_id, .deadline = needed.deadline});
    return last_;
  }
  void set_ticket(std::uint64_t id, keysource::Ticket ticket) {
    const std::lock_guard lock(mutex_);
    if (const auto entry = entries_.find(id); entry != entries_.end()) entry->second.ticket = ticket;
  }
  std::optional<Entry> take(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    auto node = entries_.extract(id);
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
  }
  std::vector<keysource::Ticket> take_all_of(const net::Connection& connection) {
    std::vector<keysource::Ticket> tickets;
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const auto& entry) {
      if (entry.second.connection != &connection) return false;
      tickets.push_back(entry.second.ticket);
      return true;
    });
    return tickets;
  }
  void close() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
  }

  /// From any thread: runs `task` on the connection's loop. False where nobody waits any more.
  template <class Task>
  bool post(std::uint64_t id, Task task) {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(id);
    if (entry == entries_.end()) return false;
    boost::asio::post(entry->second.connection->loop().executor(), std::move(task));
    return true;
  }

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, Entry> entries_;
  std::uint64_t last_ = 0;
};

QkdDelivery::QkdDelivery(QkdKeys& keys, Role role) : keys_(keys), role_(role), waiting_(std::make_shared<Waiting>()) {}

QkdDelivery::~QkdDelivery() { waiting_->close(); }

void QkdDelivery::fetch(net::Connection& connection, const QkdKeyNeeded& needed) {
  peers_.try_emplace(&connection, needed.sae_id);
  const Instant now = net::Loop::now();
  const std::optional<Instant> free = keys_.spend(needed.sae_id, now);
  if (!free) return ask(connection, needed);
  keys_.log().warn("session {:016x}: the QKD budget for SAE {} is spent: the next fetch is free in {:.0f} s",
                   connection.endpoint().session_id(), text::terminal_escape(needed.sae_id),
                   std::ceil(std::chrono::duration<double>(*free - now).count()));
  // SPEC §7.3: only a client's rekey waits for the refill here; a server tries again by itself, a handshake ends.
  const bool waits = connection.established() && needed.key_id && *free < needed.deadline;
  if (!waits) return connection.deliver(std::unexpected(QkdFailure::Budget));
  auto timer = std::make_shared<net::Timer>(connection.loop().executor());
  timer->expires_at(net::Loop::time_point(*free));
  timer->async_wait([this, timer, needed, self = net::ConnectionPtr(&connection)](const net::error_code& cancelled) {
    const bool forgotten = !peers_.contains(self.get());
    if (!cancelled && !forgotten && self->endpoint().phase() != Phase::Closed) fetch(*self, needed);
  });
}

void QkdDelivery::ask(net::Connection& connection, const QkdKeyNeeded& needed) {
  const std::uint64_t id = waiting_->add(connection, needed);
  auto done = [this, log = keys_.log(), waiting = waiting_, id, sae_id = needed.sae_id](keysource::Answer answer) {
    const auto arrived = std::make_shared<keysource::Answer>(std::move(answer));
    const bool awaited = waiting->post(id, [this, log, waiting, id, sae_id, arrived] {
      // Where the connection is gone, this delivery may be too; the key is wiped with `arrived`.
      const auto entry = waiting->take(id);
      if (!entry) return tell_unused(log, sae_id, *arrived);
      hand_over(*entry->connection, entry->sae_id, entry->deadline, std::move(*arrived));
    });
    if (!awaited) tell_unused(log, sae_id, *arrived);
  };
  keysource::Request request = needed;
  request.deadline -= kReasonFirst;
  waiting_->set_ticket(id, keys_.fetch(std::move(request), std::move(done)));
}

void QkdDelivery::hand_over(net::Connection& connection, const std::string& sae_id, Instant deadline,
                            keysource::Answer answer) {
  const std::uint64_t session = connection.endpoint().session_id();
  if (!answer) {
    keys_.log().warn("session {:016x}: no QKD key for SAE {}: {}", session, text::terminal_escape(sae_id),
                     text::terminal_escape(answer.error().text));
    // Whose time it was that ran out, the KME's or the handshake's, the session's own timers know (SPEC §5.9).
    if (net::Loop::now() >= deadline - kReasonFirst) return;
    return connection.deliver(std::unexpected(answer.error().why));
  }
  keys_.log().debug("session {:016x}: QKD key {} fetched", session, answer->key_id);
  if (keys_.must_tell_simulated(sae_id)) {
    keys_.log().warn("the QKD keys for SAE {} are SIMULATED: they give no quantum security",
                     text::terminal_escape(sae_id));
  }
  connection.deliver(*std::move(answer));
}

void QkdDelivery::forget(net::Connection& connection) {
  peers_.erase(&connection);
  for (const keysource::Ticket ticket : waiting_->take_all_of(connection)) keys_.cancel(ticket);
}

/// The keys of rekeys come out of the supply at the server, which so knows best. A client that asked at a pace of its
/// own would spoil the server's: it asks at the floor, with which its session was made.
std::optional<Instant> QkdDelivery::next_rekey(const net::Connection& connection, Instant epoch_began, Instant now) {
  const RekeyPace& pace = keys_.paces().pace();
  if (!pace.follows_supply()) return std::nullopt;
  std::chrono::nanoseconds interval = pace.target;
  if (const auto peer = peers_.find(&connection); peer != peers_.end()) {
    if (const auto supply = keys_.supply(peer->second)) {
      if (role_ == Role::Client) return std::nullopt;
      interval = keys_.paces().follow(peer->second, *supply);
    }
  }
  return pace.next(interval, epoch_began, now);
}

}  // namespace qsp::node

#include "cli/qkd_delivery.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cmath>
#include <map>
#include <utility>

#include "text/escape.hpp"

namespace qsp::cli {
namespace {

/// A source answers so much before a session gives up by itself: else nobody would hear why there was no key.
constexpr std::chrono::milliseconds kReasonFirst{200};

std::string may_be_burned(std::size_t keys) {
  return fmt::format("{} {} may be burned", keys, keys == 1 ? "key" : "keys");
}

/// An answer whose session has ended meanwhile.
void tell_unused(const std::string& sae_id, const keysource::Answer& answer) {
  if (answer) {
    spdlog::warn("nobody waits any more for QKD key {} for SAE {}: it is burned", answer->key_id,
                 text::terminal_escape(sae_id));
  } else {
    spdlog::warn("no QKD key for SAE {}, for which nobody waits any more: {}", text::terminal_escape(sae_id),
                 text::terminal_escape(answer.error().text));
  }
}

}  // namespace

std::expected<std::unique_ptr<QkdKeys>, std::string> QkdKeys::open(const std::vector<std::string>& pads,
                                                                   const KmeOptions& kme) {
  auto keys = std::make_unique<QkdKeys>();
  keys->any_source_ = !pads.empty() || !kme.urls.empty();
  for (const std::string& text : pads) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
      return std::unexpected(fmt::format("--pad {}: give the peer's SAE ID and the pad file, as SAE-ID=FILE",
                                         text::terminal_escape(text)));
    }
    auto pad = keysource::Pad::open(text.substr(at + 1));
    if (!pad) return std::unexpected(pad.error());
    if (!keys->pads_.add(text.substr(0, at), std::move(*pad))) {
      return std::unexpected(
          fmt::format("--pad {}: there is a pad for this SAE ID already", text::terminal_escape(text)));
    }
  }
  if (!kme.urls.empty()) {
    auto opened = KmeKeys::open(
        kme,
        {.may_ask_again = [all = keys.get()](const keysource::FurtherCall& call) { return all->may_ask_again(call); },
         .abandoned = tell_abandoned});
    if (!opened) return std::unexpected(opened.error());
    keys->kme_ = std::move(*opened);
  }
  return keys;
}

bool QkdKeys::has_source_for(std::string_view sae_id) const {
  return kme_ != nullptr || pads_.status(sae_id).has_value();
}

void QkdKeys::stop() {
  if (kme_) kme_->stop();
}

keysource::Ticket QkdKeys::fetch(keysource::Request request, keysource::Done done) {
  // Pads answer at once, so that only the KME's tickets mean anything.
  if (!kme_ || pads_.status(request.sae_id)) return pads_.fetch(std::move(request), std::move(done));
  return kme_->source().fetch(std::move(request), std::move(done));
}

void QkdKeys::cancel(keysource::Ticket ticket) {
  if (kme_) kme_->source().cancel(ticket);
}

std::optional<keysource::SourceStatus> QkdKeys::status(std::string_view sae_id) const {
  auto status = pads_.status(sae_id);
  return status || !kme_ ? status : kme_->source().status(sae_id);
}

std::optional<keysource::Supply> QkdKeys::supply(std::string_view sae_id) {
  if (!kme_ || pads_.status(sae_id)) return std::nullopt;
  return kme_->source().supply(sae_id);
}

bool QkdKeys::must_tell_simulated(const std::string& sae_id) {
  const auto known = status(sae_id);
  if (!known || !known->simulated) return false;
  const std::lock_guard lock(mutex_);
  return told_simulated_.insert(sae_id).second;
}

bool QkdKeys::may_ask_again(const keysource::FurtherCall& call) {
  {
    const std::lock_guard lock(mutex_);
    if (!budget_.take_further(call.sae_id, net::Loop::now())) return false;
  }
  spdlog::warn("no QKD key for SAE {} yet: {}; asking again, call {} of enc_keys, from the budget{}",
               text::terminal_escape(call.sae_id), text::terminal_escape(call.why), call.number,
               call.burned == 0 ? std::string() : "; " + may_be_burned(call.burned));
  return true;
}

void QkdKeys::tell_abandoned(const keysource::AbandonedCall& call) {
  spdlog::warn("nobody waits any more for the QKD key for SAE {} that enc_keys asks for; {}",
               text::terminal_escape(call.sae_id), may_be_burned(call.burned));
}

std::optional<Instant> QkdKeys::spend(const std::string& sae_id, Instant now) {
  const std::lock_guard lock(mutex_);
  if (budget_.take(sae_id, now)) return std::nullopt;
  return budget_.next(sae_id, now);
}

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
  spdlog::warn("session {:016x}: the QKD budget for SAE {} is spent: the next fetch is free in {:.0f} s",
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
  auto done = [this, waiting = waiting_, id, sae_id = needed.sae_id](keysource::Answer answer) {
    const auto arrived = std::make_shared<keysource::Answer>(std::move(answer));
    const bool awaited = waiting->post(id, [this, waiting, id, sae_id, arrived] {
      // Where the connection is gone, this delivery may be too; the key is wiped with `arrived`.
      const auto entry = waiting->take(id);
      if (!entry) return tell_unused(sae_id, *arrived);
      hand_over(*entry->connection, entry->sae_id, entry->deadline, std::move(*arrived));
    });
    if (!awaited) tell_unused(sae_id, *arrived);
  };
  keysource::Request request = needed;
  request.deadline -= kReasonFirst;
  waiting_->set_ticket(id, keys_.fetch(std::move(request), std::move(done)));
}

void QkdDelivery::hand_over(net::Connection& connection, const std::string& sae_id, Instant deadline,
                            keysource::Answer answer) {
  const std::uint64_t session = connection.endpoint().session_id();
  if (!answer) {
    spdlog::warn("session {:016x}: no QKD key for SAE {}: {}", session, text::terminal_escape(sae_id),
                 text::terminal_escape(answer.error().text));
    // Whose time it was that ran out, the KME's or the handshake's, the session's own timers know (SPEC §5.9).
    if (net::Loop::now() >= deadline - kReasonFirst) return;
    return connection.deliver(std::unexpected(answer.error().why));
  }
  spdlog::debug("session {:016x}: QKD key {} fetched", session, answer->key_id);
  if (keys_.must_tell_simulated(sae_id)) {
    spdlog::warn("the QKD keys for SAE {} are SIMULATED: they give no quantum security", text::terminal_escape(sae_id));
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

}  // namespace qsp::cli

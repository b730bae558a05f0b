#include "keysource/etsi014/source.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/uuid.hpp"
#include "etsi014/etsi014.hpp"
#include "keysource/etsi014/exchange.hpp"

namespace qsp::keysource {
namespace {

constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::milliseconds kLongestPause{1000};
constexpr int kEncPauseFactor = 2;   ///< a further enc_keys costs budget, a further dec_keys nothing
constexpr std::size_t kMaxLost = 2;  ///< answers to enc_keys in one fetch, of which each may have cost a key
constexpr std::chrono::seconds kStatusInterval{10};
constexpr std::chrono::seconds kStatusTimeout{4};
constexpr std::size_t kMaxKeysSeen = 4096;
constexpr std::size_t kMaxPeers = 10'000;

/// The key IDs delivered last: a KME that hands one out twice is out of order.
class KeysSeen {
 public:
  /// False: it is there already.
  bool add(const Uuid& key_id) {
    if (!known_.insert(key_id).second) return false;
    order_.push_back(key_id);
    if (order_.size() > kMaxKeysSeen) {
      known_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  std::set<Uuid> known_;
  std::deque<Uuid> order_;
};

/// What is known of the keys shared with one peer.
struct Peer {
  bool simulated = false;  ///< stays: a peer's keys were simulated once
  bool refused = false;    ///< enc_keys, the last time
  std::optional<std::uint64_t> keys_left;
  Supply supply;  ///< but for its age
  Instant asked = Instant::min(), heard{};

  /// What the KME counts, unless it counts none and gives them.
  [[nodiscard]] std::optional<std::uint64_t> believed(std::optional<std::uint64_t> count) const noexcept {
    return count == 0U && !refused ? std::nullopt : count;
  }
  [[nodiscard]] bool may_ask(Instant now) const noexcept {
    return asked == Instant::min() || now >= asked + kStatusInterval;
  }
};

}  // namespace

class Etsi014Source::Worker : public std::enable_shared_from_this<Worker> {
 public:
  Worker(Schedule& schedule, std::vector<KmeServer> servers, Costs costs)
      : schedule_(schedule), costs_(std::move(costs)) {
    for (KmeServer& server : servers) {
      description_ += (description_.empty() ? "KME " : ", ") + server.url;
      servers_.push_back({std::move(server), {Way::Post, Way::Post}});
    }
  }

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  // NOLINTNEXTLINE(bugprone-exception-escape): it ends the process
  ~Worker() {
    for (const auto& [ticket, fetch] : fetches_) abandon(fetch);
  }

  Ticket next_ticket() noexcept { return ++last_ticket_; }
  void start(Ticket ticket, Request request, Done done);
  void cancel(Ticket ticket);
  SourceStatus status(std::string_view sae_id) const;
  Supply supply(std::string_view sae_id);

  /// Runs `task` on the loop, if the source still is.
  template <class Task>
  void post(Task task) {
    schedule_.post([weak = weak_from_this(), run = std::move(task)]() mutable {
      if (const auto self = weak.lock()) run(*self);
    });
  }

 private:
  struct Server {
    KmeServer kme;
    std::array<Way, 2> ways;  ///< that worked last, for enc_keys and dec_keys
  };
  struct Fetch {
    Request request;
    Done done;
    std::size_t server = 0;
    std::uint64_t call = 0;     ///< of that server's client; 0: none is under way
    std::size_t unreached = 0;  ///< servers, one after the other
    bool all_lasting = true;    ///< so are they, each for a reason that stays
    std::size_t answered = 0;   ///< calls that may have reached a KME
    std::size_t lost = 0;       ///< answers to enc_keys
    std::size_t burned = 0;     ///< keys that may be gone
    std::chrono::nanoseconds pause = kFirstPause;
    std::chrono::nanoseconds wait{};  ///< that the KME wants before the next call
    Way way = Way::Post;
    std::optional<Refusal> first_way{};  ///< what the first way brought, once the other is tried
    bool heard = false;                  ///< why there is no key
    std::string problem = "the deadline had passed before a KME was asked";
  };

  Way& way_of(const Fetch& fetch) { return servers_[fetch.server].ways[fetch.request.key_id ? 1 : 0]; }
  std::string url_of(const Fetch& fetch) const { return servers_[fetch.server].kme.url; }
  Instant next_call(const Fetch& fetch) const { return schedule_.now() + std::max(fetch.pause, fetch.wait); }

  void ask(Ticket ticket, Fetch& fetch);
  void ask_anew(Ticket ticket, Fetch& fetch);
  void ask_later(Ticket ticket, Fetch& fetch);
  void ask_for_another(Ticket ticket, Fetch& fetch);
  void take_loss(Ticket ticket, Fetch& fetch, bool lasting);
  void note_refusal(const Fetch& fetch, bool refused);
  void take(Ticket ticket, std::expected<https::Response, https::CallFailure> answer);
  void take_failure(Ticket ticket, Fetch& fetch, https::CallFailure&& failure);
  void take_refusal(Ticket ticket, Fetch& fetch, Refusal&& refusal);
  void take_key(Ticket ticket, Fetch& fetch, KeyAnswer&& answer);
  void finish(Ticket ticket, Answer answer);
  void abandon(const Fetch& fetch);
  void fail(Ticket ticket, std::string text);

  void refresh_status(const std::string& sae_id);
  void take_status(const std::string& sae_id, std::size_t server,
                   const std::expected<https::Response, https::CallFailure>& answer);

  Schedule& schedule_;
  Costs costs_;
  std::string description_;
  std::vector<Server> servers_;
  std::size_t current_ = 0;  ///< the server that could be reached last
  std::unordered_map<Ticket, Fetch> fetches_;
  KeysSeen seen_;
  std::atomic<Ticket> last_ticket_ = 0;
  mutable std::mutex mutex_;  ///< of peers_
  std::map<std::string, Peer, std::less<>> peers_;
};

void Etsi014Source::Worker::start(Ticket ticket, Request request, Done done) {
  const std::string sae_id = request.sae_id;
  Fetch& fetch =
      fetches_.try_emplace(ticket, Fetch{.request = std::move(request), .done = std::move(done)}).first->second;
  if (!fits_in_url(sae_id)) return fail(ticket, "an SAE ID has 1 to 255 bytes and is not '.' or '..'");
  fetch.server = current_;
  if (!fetch.request.key_id) fetch.pause = kEncPauseFactor * kFirstPause;
  ask_anew(ticket, fetch);
  refresh_status(sae_id);
}

void Etsi014Source::Worker::ask_anew(Ticket ticket, Fetch& fetch) {
  fetch.way = way_of(fetch);
  fetch.first_way.reset();
  ask(ticket, fetch);
}

void Etsi014Source::Worker::ask(Ticket ticket, Fetch& fetch) {
  if (schedule_.now() >= fetch.request.deadline) return fail(ticket, "no key in time: " + fetch.problem);
  // The client outlives none of its calls: they end with it, and it with this object.
  fetch.call = servers_[fetch.server].kme.client->call(
      key_call(fetch.request, fetch.way),
      [this, ticket](std::expected<https::Response, https::CallFailure> answer) { take(ticket, std::move(answer)); });
}

void Etsi014Source::Worker::ask_later(Ticket ticket, Fetch& fetch) {
  const Instant at = next_call(fetch);
  fetch.wait = {};
  if (at >= fetch.request.deadline) return fail(ticket, "no key in time: " + fetch.problem);
  fetch.pause = std::min<std::chrono::nanoseconds>(
      2 * fetch.pause, fetch.request.key_id ? kLongestPause : kEncPauseFactor * kLongestPause);
  schedule_.run_at(at, [weak = weak_from_this(), ticket] {
    const auto self = weak.lock();
    if (!self) return;
    if (const auto entry = self->fetches_.find(ticket); entry != self->fetches_.end()) {
      self->ask_anew(ticket, entry->second);
    }
  });
}

/// SPEC §5.7: each further enc_keys comes out of the budget.
void Etsi014Source::Worker::ask_for_another(Ticket ticket, Fetch& fetch) {
  const bool in_time = next_call(fetch) < fetch.request.deadline;
  if (in_time && !costs_.may_ask_again({.sae_id = fetch.request.sae_id,
                                        .number = fetch.answered + 1,
                                        .burned = fetch.burned,
                                        .why = fetch.problem})) {
    return fail(ticket,
                fetch.problem + "; not asked again, for the rest of the budget is for new handshakes and rekeys");
  }
  ask_later(ticket, fetch);
}

void Etsi014Source::Worker::take(Ticket ticket, std::expected<https::Response, https::CallFailure> answer) {
  const auto entry = fetches_.find(ticket);
  if (entry == fetches_.end()) return;
  Fetch& fetch = entry->second;
  fetch.call = 0;
  if (!answer) return take_failure(ticket, fetch, std::move(answer.error()));
  fetch.unreached = 0;
  ++fetch.answered;
  auto key = read_key_answer(fetch.request, *answer);
  if (!key) return take_refusal(ticket, fetch, std::move(key.error()));
  take_key(ticket, fetch, std::move(*key));
}

void Etsi014Source::Worker::take_failure(Ticket ticket, Fetch& fetch, https::CallFailure&& failure) {
  // Time that ran out says less than what a KME said before.
  const bool late = fetch.heard && schedule_.now() >= fetch.request.deadline;
  fetch.problem = late ? fetch.problem + "; then " + failure.text : std::move(failure.text);
  fetch.heard = true;
  if (failure.sent) return take_loss(ticket, fetch, failure.lasting);
  fetch.all_lasting = failure.lasting && (fetch.unreached == 0 || fetch.all_lasting);
  const std::size_t next = (fetch.server + 1) % servers_.size();
  if (current_ == fetch.server) current_ = next;
  fetch.server = next;
  if (++fetch.unreached < servers_.size()) return ask_anew(ticket, fetch);
  fetch.unreached = 0;
  if (fetch.all_lasting) return fail(ticket, std::move(fetch.problem));
  ask_later(ticket, fetch);
}

/// The key may be gone. A new one serves as well, but for the peer's, which does not come twice. Where the next answer
/// would be as wrong as this one, or the one before was lost too, asking again only burns keys.
void Etsi014Source::Worker::take_loss(Ticket ticket, Fetch& fetch, bool lasting) {
  fetch.unreached = 0;
  ++fetch.answered;
  if (fetch.request.key_id) return fail(ticket, "the answer was lost, and the key with it: " + fetch.problem);
  ++fetch.burned;
  if (lasting || ++fetch.lost == kMaxLost) return fail(ticket, std::move(fetch.problem));
  ask_for_another(ticket, fetch);
}

void Etsi014Source::Worker::take_refusal(Ticket ticket, Fetch& fetch, Refusal&& refusal) {
  fetch.heard = true;
  if (refusal.wrong_way && !fetch.first_way) {
    fetch.problem = "KME " + url_of(fetch) + " " + refusal.text;
    fetch.first_way = std::move(refusal);
    fetch.way = other(fetch.way);
    return ask(ticket, fetch);
  }
  const bool first_was_refused = fetch.first_way && fetch.first_way->way_is_refused;
  if (first_was_refused && !refusal.wrong_way) way_of(fetch) = fetch.way;
  // The first way was right, then, and its 404 was about the key.
  if (fetch.first_way && !first_was_refused && refusal.way_is_refused) refusal = *std::move(fetch.first_way);
  fetch.problem = "KME " + url_of(fetch) + " " + std::move(refusal.text);
  fetch.wait = refusal.wait;
  if (refusal.may_have_cost && !fetch.request.key_id) ++fetch.burned;
  if (!refusal.again) return fail(ticket, std::move(fetch.problem));
  if (fetch.request.key_id) return ask_later(ticket, fetch);
  note_refusal(fetch, true);
  ask_for_another(ticket, fetch);
}

void Etsi014Source::Worker::note_refusal(const Fetch& fetch, bool refused) {
  const std::lock_guard lock(mutex_);
  if (const auto peer = peers_.find(fetch.request.sae_id); peer != peers_.end()) peer->second.refused = refused;
}

void Etsi014Source::Worker::take_key(Ticket ticket, Fetch& fetch, KeyAnswer&& answer) {
  way_of(fetch) = fetch.way;
  if (!fetch.request.key_id) note_refusal(fetch, false);
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): read_key_answer takes no key whose ID is not a UUID
  if (!fetch.request.key_id && !seen_.add(*parse_uuid(answer.delivered.key_id))) {
    return fail(ticket, "KME " + url_of(fetch) + " sent a key that it had sent before");
  }
  if (answer.simulated) {
    const std::lock_guard lock(mutex_);
    if (const auto peer = peers_.find(fetch.request.sae_id); peer != peers_.end()) peer->second.simulated = true;
  }
  finish(ticket, std::move(answer.delivered));
}

/// What a fetch has cost is never kept quiet.
void Etsi014Source::Worker::fail(Ticket ticket, std::string text) {
  const auto entry = fetches_.find(ticket);
  const std::size_t burned = entry->second.burned;
  if (burned != 0) text += "; " + std::to_string(burned) + (burned == 1 ? " key" : " keys") + " may be burned";
  finish(ticket, std::unexpected(Failed{QkdFailure::Unavailable, std::move(text)}));
}

void Etsi014Source::Worker::finish(Ticket ticket, Answer answer) {
  const auto node = fetches_.extract(ticket);
  node.mapped().done(std::move(answer));
}

void Etsi014Source::Worker::cancel(Ticket ticket) {
  const auto node = fetches_.extract(ticket);
  if (!node.empty()) abandon(node.mapped());
}

/// What was lost before the call under way was told when that was asked for.
void Etsi014Source::Worker::abandon(const Fetch& fetch) {
  const bool sent = fetch.call != 0 && servers_[fetch.server].kme.client->cancel(fetch.call);
  if (sent && !fetch.request.key_id) costs_.abandoned({.sae_id = fetch.request.sae_id, .burned = fetch.burned + 1});
}

/// A fetch does not wait for this.
void Etsi014Source::Worker::refresh_status(const std::string& sae_id) {
  const Instant now = schedule_.now();
  {
    const std::lock_guard lock(mutex_);
    if (peers_.size() >= kMaxPeers && !peers_.contains(sae_id)) return;
    Peer& peer = peers_[sae_id];
    if (!peer.may_ask(now)) return;
    peer.asked = now;
  }
  servers_[current_].kme.client->call(
      status_call(sae_id, now + kStatusTimeout),
      [this, sae_id, server = current_](const std::expected<https::Response, https::CallFailure>& answer) {
        take_status(sae_id, server, answer);
      });
}

void Etsi014Source::Worker::take_status(const std::string& sae_id, std::size_t server,
                                        const std::expected<https::Response, https::CallFailure>& answer) {
  const auto status = answer ? read_status_answer(*answer) : std::unexpected(answer.error().text);
  const std::lock_guard lock(mutex_);
  Peer& peer = peers_[sae_id];
  peer.keys_left = status ? std::optional(status->stored_key_count) : std::nullopt;
  peer.simulated = peer.simulated || (status && status->simulated);
  if (status) {
    peer.supply.keys = status->stored_key_count;
    peer.supply.capacity = status->max_key_count;
    peer.supply.problem.clear();
    peer.heard = schedule_.now();
  } else {
    ++peer.supply.failures;
    peer.supply.problem = answer ? "KME " + servers_[server].kme.url + " " + status.error() : status.error();
  }
}

Supply Etsi014Source::Worker::supply(std::string_view sae_id) {
  const Instant now = schedule_.now();
  const std::lock_guard lock(mutex_);
  const auto peer = peers_.find(sae_id);
  if (peer == peers_.end()) return {};
  if (peer->second.may_ask(now)) {
    post([sae_id = peer->first](Worker& worker) { worker.refresh_status(sae_id); });
  }
  Supply supply = peer->second.supply;
  supply.keys = peer->second.believed(supply.keys);
  supply.age = now - peer->second.heard;
  return supply;
}

SourceStatus Etsi014Source::Worker::status(std::string_view sae_id) const {
  const std::lock_guard lock(mutex_);
  const auto peer = peers_.find(sae_id);
  if (peer == peers_.end()) return {.description = description_, .simulated = false, .keys_left = std::nullopt};
  return {.description = description_,
          .simulated = peer->second.simulated,
          .keys_left = peer->second.believed(peer->second.keys_left)};
}

Etsi014Source::Etsi014Source(Schedule& schedule, std::vector<KmeServer> servers, Costs costs)
    : worker_(std::make_shared<Worker>(schedule, std::move(servers), std::move(costs))) {}

Etsi014Source::~Etsi014Source() = default;

Ticket Etsi014Source::fetch(Request request, Done done) {
  const Ticket ticket = worker_->next_ticket();
  worker_->post([ticket, asked = std::move(request), answer = std::move(done)](Worker& worker) mutable {
    worker.start(ticket, std::move(asked), std::move(answer));
  });
  return ticket;
}

void Etsi014Source::cancel(Ticket ticket) {
  worker_->post([ticket](Worker& worker) { worker.cancel(ticket); });
}

std::optional<SourceStatus> Etsi014Source::status(std::string_view sae_id) const { return worker_->status(sae_id); }

std::optional<Supply> Etsi014Source::supply(std::string_view sae_id) { return worker_->supply(sae_id); }

}  // namespace qsp::keysource

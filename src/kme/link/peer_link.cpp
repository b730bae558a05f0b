#include "kme/link/peer_link.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <utility>

#include "base/try.hpp"
#include "kme/link/respond.hpp"
#include "kme/store/clock.hpp"
#include "text/escape.hpp"

namespace qsp::kme::link {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kRest{200};       ///< between two rounds with nothing to do
constexpr milliseconds kRestDown{1000};  ///< while the peer does not answer
constexpr seconds kCallTime{5};
constexpr seconds kTidy{10};           ///< between two searches for what has expired
constexpr seconds kClocksDiffer{300};  ///< by which the clocks of two sites may differ

}  // namespace

double LinkState::report_age(Instant now) const noexcept {
  return std::chrono::duration<double>(now - feed_at).count();
}

double LinkState::news_age(Instant now) const noexcept {
  return report_age(now) + (feed ? feed->block_age.value_or(0) : 0);
}

PeerLink::PeerLink(net::Loop& loop, StoreQueue& queue, const Config& config, const PeerLinkConfig& link,
                   const Faults& faults, Producer* producer)
    : loop_(loop),
      queue_(queue),
      config_(link),
      faults_(faults),
      producer_(producer),
      tls_(config.tls),
      timer_(loop.executor()) {}

/// A call under way keeps its client, and the client keeps what waits for the answer.
PeerLink::~PeerLink() {
  *alive_ = false;
  for (const std::shared_ptr<https::Client>& client : peers_) client->close();
}

files::OrText<std::unique_ptr<PeerLink>> PeerLink::make(net::Loop& loop, StoreQueue& queue, const Config& config,
                                                        const PeerLinkConfig& link, const Faults& faults,
                                                        Producer* producer) {
  std::unique_ptr<PeerLink> made(new PeerLink(loop, queue, config, link, faults, producer));
  made->state_.simulated = link.producer == ProducerKind::Random;
  QSP_TRY(auto clients, made->make_clients());
  made->adopt(std::move(clients));
  return made;
}

files::OrText<std::vector<std::shared_ptr<https::Client>>> PeerLink::make_clients() const {
  std::vector<std::shared_ptr<https::Client>> clients;
  for (const std::string& url : config_.urls) {
    auto client = https::Client::make(loop_, {.url = url,
                                              .tls = tls_,
                                              .server_name = config_.server_name,
                                              .max_body = kMaxLinkMessage,
                                              .connections = 8,
                                              .connect_timeout = seconds(2)});
    if (!client) return std::unexpected("link " + config_.name + ": " + client.error());
    clients.push_back(*std::move(client));
  }
  return clients;
}

void PeerLink::start() { boost::asio::co_spawn(loop_.executor(), run(), boost::asio::detached); }

void PeerLink::stop() {
  stopping_ = true;
  timer_.cancel();
}

Awaitable<void> PeerLink::run() {
  // The link may go while this waits: the flag outlives it.
  const std::shared_ptr<bool> alive = alive_;
  while (*alive && !stopping_) {
    const bool more = co_await round();
    if (!*alive || stopping_) co_return;
    if (more || std::exchange(hurry_, false)) continue;
    timer_.expires_after(state_.peer_reachable ? kRest : kRestDown);
    co_await timer_.async_wait(boost::asio::as_tuple(https::kAwait));
  }
}

/// True where there is more to do at once.
Awaitable<bool> PeerLink::round() {
  const std::shared_ptr<bool> alive = alive_;
  Round round;
  const Stored<void> looked = co_await look(round);
  if (!*alive) co_return false;
  if (!looked) co_return false;  // the queue says why
  if (!compared_) co_return co_await compare();
  if (round.fresh.empty() && round.grants.empty()) {
    co_await greet();
    co_return false;
  }
  std::erase_if(round.grants, [this](const Grant& grant) { return announcing_.contains(grant.key_id); });
  const bool full = round.fresh.size() == kBatch || round.grants.size() == kBatch;
  // Grants first: somebody may be waiting for one.
  const bool done = co_await send_grants(std::move(round.grants)) && *alive && co_await send_fresh(round);
  co_return done&& full;
}

Awaitable<Stored<void>> PeerLink::look(Round& round) {
  // The job may run twice, and after the link is gone nobody reads what it wrote: it owns its results.
  struct Found {
    Round round;
    PoolCounts counts;
    std::uint64_t expired = 0;
    bool leading = false;
    bool simulated = false;
  };
  const auto found = std::make_shared<Found>();
  const std::shared_ptr<bool> alive = alive_;
  const std::string name = config_.name;
  const UnixTime now = kme::now(faults_);
  const bool tidy = net::Loop::now() >= tidy_at_;
  if (tidy) tidy_at_ = net::Loop::now() + kTidy;
  StoreQueue::Job job = [found, name, now, tidy, begins = !compared_](Store& store) -> Stored<void> {
    *found = Found();
    if (begins) {
      QSP_TRY(const auto simulated, store.simulated(name));
      found->simulated = simulated;
    }
    QSP_TRY(const auto leading, store.lead(name));
    found->leading = leading;
    if (tidy) {
      QSP_TRY(const auto expired, store.expire(now));
      found->expired = expired;
    }
    if (found->leading) {
      QSP_TRY(auto fresh, store.fresh(name, kBatch));
      found->round.fresh = std::move(fresh);
      QSP_TRY(auto grants, store.unannounced(name, kBatch));
      found->round.grants = std::move(grants);
    }
    QSP_TRY(const auto counts, store.counts(name));
    found->counts = counts;
    return {};
  };
  Stored<void> looked = co_await committed(loop_, queue_, std::move(job));
  if (!looked || !*alive) co_return looked;
  state_.simulated |= found->simulated;
  state_.leading = found->leading;
  state_.counts = found->counts;
  state_.counts_at = net::Loop::now();
  state_.expired += found->expired;
  round = std::move(found->round);
  if (state_.leading && round.fresh.empty()) co_return co_await produce();
  co_return looked;
}

/// Fills the pool, a batch at a time. What is drawn is sent in the next round.
Awaitable<Stored<void>> PeerLink::produce() {
  const PoolCounts& counts = state_.counts;
  const std::uint64_t room = config_.pool / 2;  // of each side
  const auto lacks = [room](std::uint64_t held) {
    return std::min<std::uint64_t>(kBatch / 2, room - std::min(room, held));
  };
  const std::uint64_t here = lacks(counts.here_fresh + counts.here_ready);
  const std::uint64_t there =
      std::min(lacks(counts.there), 2 * room - std::min(2 * room, counts.there + counts.granted));
  // No supply is worth drawing that the peer cannot be told of.
  if (producer_ == nullptr || !state_.peer_reachable || here + there == 0) co_return Stored<void>();
  // A key costs far less in a batch than alone.
  if (here + there < kBatch / 2 && net::Loop::now() < draw_few_at_) co_return Stored<void>();
  draw_few_at_ = net::Loop::now() + kRest;
  auto drawn = producer_->draw(here, there);
  if (!drawn) {
    note(std::string("the producer failed: ") + std::string(drawn.error().where));
    co_return Stored<void>();
  }
  if (drawn->empty()) co_return Stored<void>();
  const auto pieces = std::make_shared<std::vector<NewPiece>>(*std::move(drawn));
  for (NewPiece& piece : *pieces) piece.expires = expiry(piece.owner);
  const std::shared_ptr<bool> alive = alive_;
  StoreQueue::Job job = [pieces, room, name = config_.name](Store& store) -> Stored<void> {
    QSP_TRY(store.add(name, *pieces, room));
    return {};
  };
  Stored<void> done = co_await committed(loop_, queue_, std::move(job));
  if (!*alive) co_return done;
  if (done) {
    state_.produced += pieces->size();
    hurry_ = true;
  }
  co_return done;
}

Lives PeerLink::confirmed_lives() const {
  if (config_.producer != ProducerKind::Feed) return {};
  return {.here = expiry(Owner::Here), .there = expiry(Owner::There)};
}

UnixTime PeerLink::expiry(Owner owner) const {
  const milliseconds life = config_.key_life + (owner == Owner::Here ? seconds(0) : kClocksDiffer);
  return now(faults_) + life.count();
}

/// The peer gets the keys themselves where this side drew them, else their IDs. What it has is Ready.
Awaitable<bool> PeerLink::send_fresh(Round& round) {
  if (round.fresh.empty()) co_return true;
  const std::shared_ptr<bool> alive = alive_;
  SecretBytes body;
  std::string_view what = "ids";
  if (config_.producer == ProducerKind::Random) {
    what = "keys";
    body = to_json(KeysMessage{std::move(round.fresh)}, config_.side);
  } else {
    IdsMessage message;
    for (const NewPiece& piece : round.fresh) message.ids.push_back(piece.id);
    body = to_json(message);
  }
  const auto answer = co_await post(what, body);
  if (!*alive || answer == nullptr) co_return false;
  const auto held = parse_ids(answer->reveal_text());
  if (!held) {
    note("the peer's answer: " + held.error());
    co_return false;
  }
  StoreQueue::Job job = [name = config_.name, ids = held->ids, lives = confirmed_lives()](Store& store) {
    return store.confirm(name, ids, lives);
  };
  const Stored<void> confirmed = co_await committed(loop_, queue_, std::move(job));
  co_return confirmed.has_value() && !held->ids.empty();
}

/// Asks the peer which of the keys that this side would give it has seen given: such are in a store that was restored
/// from a backup. True once that is done.
Awaitable<bool> PeerLink::compare() {
  const std::shared_ptr<bool> alive = alive_;
  std::uint64_t withdrawn = 0;
  const bool done = co_await greet() && *alive && co_await compare_supply(true, withdrawn) && *alive &&
                    co_await compare_supply(false, withdrawn);
  if (!*alive || !done) co_return false;
  if (withdrawn != 0) {
    spdlog::error(
        "link {}: {} keys are withdrawn: the other KME saw them given before; was this store restored from a "
        "backup?",
        config_.name, withdrawn);
  }
  compared_ = true;
  reached(true);
  co_return true;
}

Awaitable<bool> PeerLink::compare_supply(bool fresh, std::uint64_t& withdrawn) {
  const std::shared_ptr<bool> alive = alive_;
  for (std::int64_t after = 0;;) {
    const auto page = std::make_shared<SupplyPage>();
    StoreQueue::Job read = [page, fresh, after, name = config_.name](Store& store) -> Stored<void> {
      QSP_TRY(auto found, store.supply(name, fresh, after, kBatch));
      *page = std::move(found);
      return {};
    };
    const Stored<void> done = co_await committed(loop_, queue_, std::move(read));
    if (!*alive || !done) co_return false;
    if (page->ids.empty()) co_return true;
    after = page->last;
    const SecretBytes body = to_json(IdsMessage{std::move(page->ids)});
    const auto answer = co_await post("spent", body);
    if (!*alive || answer == nullptr) co_return false;
    const auto spent = parse_ids(answer->reveal_text());
    if (!spent) {
      note("the peer's answer: " + spent.error());
      co_return false;
    }
    if (spent->ids.empty()) continue;
    const auto count = std::make_shared<std::uint64_t>(0);
    StoreQueue::Job take_out = [count, ids = spent->ids, name = config_.name](Store& store) -> Stored<void> {
      QSP_TRY(const auto gone, store.withdraw(name, ids));
      *count = gone;
      return {};
    };
    const Stored<void> taken_out = co_await committed(loop_, queue_, std::move(take_out));
    if (!*alive || !taken_out) co_return false;
    withdrawn += *count;
  }
}

/// Nothing to say: is the peer there?
Awaitable<bool> PeerLink::greet() {
  const SecretBytes body = to_json(IdsMessage{});
  const auto answer = co_await post("ids", body);
  co_return answer != nullptr;
}

Awaitable<std::shared_ptr<SecretBytes>> PeerLink::post(std::string_view what, const SecretBytes& body) {
  const std::shared_ptr<bool> alive = alive_;
  // An instance that did not take the connection leaves the message to the next one.
  for (std::size_t tried = 0; tried < peers_.size(); ++tried) {
    https::Call request{.method = https::Method::Post,
                        .target = "/link/v1/" + text::url_escape(config_.name) + '/' + std::string(what),
                        .body = body.copy(),
                        .deadline = net::Loop::now() + kCallTime};
    const std::shared_ptr<https::Client> client = peers_[peer_];
    const auto answer = co_await https::call(*client, std::move(request));
    if (!*alive) co_return nullptr;
    if (std::ranges::find(peers_, client) == peers_.end()) co_return nullptr;  // whom it trusted may not be so any more
    if (*answer && (*answer)->status / 100 == 2) {
      reached(true);
      co_return std::make_shared<SecretBytes>(std::move((*answer)->body));
    }
    if (*answer) {
      // The peer is there, and does not want this: its configuration and ours differ.
      reached(false);
      note("the peer answers " + std::to_string((*answer)->status) + " to " + std::string(what));
      co_return nullptr;
    }
    note((*answer).error().text);
    if ((*answer).error().sent) break;
    peer_ = (peer_ + 1) % peers_.size();
  }
  reached(false);
  co_return nullptr;
}

void PeerLink::note(std::string problem) {
  if (problem != state_.problem) spdlog::warn("link {}: {}", config_.name, problem);
  state_.problem = std::move(problem);
}

void PeerLink::reached(bool answered) {
  answered = answered && compared_;
  if (answered != state_.peer_reachable) {
    spdlog::info("link {}: KME {} {}", config_.name, config_.peer_kme_id, answered ? "answers" : "does not answer");
  }
  state_.peer_reachable = answered;
  if (answered) state_.problem.clear();
}

}  // namespace qsp::kme::link

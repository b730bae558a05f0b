#include "kme/api/api.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "base/try.hpp"
#include "kme/api/key_calls.hpp"
#include "kme/link/respond.hpp"
#include "kme/store/clock.hpp"
#include "kme/store/text.hpp"

namespace qsp::kme::api {
namespace {

/// What a link's feeder said last, for status_extension.
std::optional<etsi014::LinkHealth> health_of(const link::LinkState& state) {
  if (!state.feed) return std::nullopt;
  return etsi014::LinkHealth{.state = std::string(name(state.feed->state)),
                             .reason = state.feed->reason,
                             .s = state.feed->s,
                             .qber = state.feed->qber,
                             .age = static_cast<std::uint64_t>(state.news_age(net::Loop::now()))};
}

}  // namespace

bool RateLimit::take(const std::string& sae, double cost, Instant now) {
  const auto [at, fresh] = buckets_.try_emplace(sae, Bucket{most_, now});
  Bucket& bucket = at->second;
  const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
  bucket = {std::min(most_, bucket.left + (seconds * per_second_)), now};
  if (bucket.left < cost) return false;
  bucket.left -= cost;
  return true;
}

Api::Api(net::Loop& loop, StoreQueue& queue, const Config& config, const Faults& faults, Counters& counters,
         LinkOf link_of)
    : loop_(loop),
      queue_(queue),
      config_(config),
      faults_(faults),
      counters_(counters),
      link_of_(std::move(link_of)),
      calls_(config.requests_per_second),
      keys_(config.keys_per_second,
            static_cast<double>(config.max_keys_per_request * store::pieces_of(kMaxKeySizeBits / 8))) {}

bool Api::may_have(const SaeConfig& sae, std::size_t keys, std::size_t key_size, https::Respond& respond) {
  if (keys_.take(sae.id, static_cast<double>(keys * store::pieces_of(key_size)), net::Loop::now())) return true;
  ++counters_.rate_limited;
  respond(refuse(503, "too many keys for this SAE; slow down"));
  return false;
}

void Api::handle(const std::string& sae, const std::string& what, https::Request request, https::Respond respond) {
  const CallKind kind = what == "status"     ? CallKind::Status
                        : what == "enc_keys" ? CallKind::EncKeys
                        : what == "dec_keys" ? CallKind::DecKeys
                                             : CallKind::Other;
  https::Respond answer = observed(kind, std::move(respond));
  // §5: 401 where the certificate does not belong to an SAE of this KME.
  const SaeConfig* const caller = sae_of(config_, request.peer);
  if (caller == nullptr) return answer(refuse(401, ""));
  if (!calls_.take(caller->id, 1, net::Loop::now())) {
    ++counters_.rate_limited;
    return answer(refuse(503, "too many calls of this SAE; slow down"));
  }
  if (faults_.setting().unavailable) return answer(refuse(503, "injected fault: unavailable"));
  const bool get = request.method == https::Method::Get;
  const bool post = request.method == https::Method::Post;
  if (kind == CallKind::Status && get) return status(sae, *caller, std::move(answer));
  if (kind == CallKind::EncKeys && (get || post)) return enc_keys(sae, *caller, request, std::move(answer));
  if (kind == CallKind::DecKeys && (get || post)) return dec_keys(sae, *caller, request, std::move(answer));
  // The standard has no 404 and no 405.
  answer(refuse(400, "no such call: GET status, GET or POST enc_keys and dec_keys"));
}

void Api::status(const std::string& slave, const SaeConfig& master, https::Respond respond) {
  const PeerLinkConfig* const link = link_to(config_, slave);
  if (link == nullptr) return respond(refuse(400, "the slave SAE is not known to this KME"));
  const auto stored = std::make_shared<std::uint64_t>(0);
  auto job = [stored, name = link->name](Store& store) -> Stored<void> {
    QSP_TRY(const auto counts, store.counts(name));
    *stored = counts.here_ready;
    return {};
  };
  etsi014::Status status{.source_kme_id = config_.kme_id,
                         .target_kme_id = link->peer_kme_id,
                         .master_sae_id = master.id,
                         .slave_sae_id = slave,
                         .key_size = config_.key_size,
                         .stored_key_count = 0,
                         .max_key_count = link->pool,
                         .max_key_per_request = config_.max_keys_per_request,
                         .max_key_size = kMaxKeySizeBits,
                         .min_key_size = kMinKeySizeBits,
                         .max_sae_id_count = kMaxSaeIds,
                         .simulated = link_of_(*link)->state().simulated,
                         .link = health_of(link_of_(*link)->state())};
  run(std::move(job), std::move(respond), [stored, status = std::move(status)]() mutable {
    status.stored_key_count = *stored;
    return answer(etsi014::to_json(status));
  });
}

void Api::enc_keys(const std::string& slave, const SaeConfig& master, const https::Request& request,
                   https::Respond respond) {
  const PeerLinkConfig* const config = link_to(config_, slave);
  if (config == nullptr) return respond(refuse(400, "the slave SAE is not known to this KME"));
  auto take = read_enc_keys(request, config_, *config, slave);
  if (!take) return respond(refuse(400, take.error()));
  take->master = master.id;
  link::PeerLink& link = *link_of_(*config);
  // A key that the slave could not get would be burned for nothing.
  if (!link.state().peer_reachable)
    return respond(refuse(503, "the KME at the other end of the link is not reachable"));

  if (!may_have(master, take->number, take->size, respond)) return;

  const auto taken = std::make_shared<Taken>();
  auto job = [taken, take = *std::move(take), now = now(faults_)](Store& store) -> Stored<void> {
    QSP_TRY(auto given, store.take(take, now));
    *taken = std::move(given);
    return {};
  };
  run(std::move(job), std::move(respond), [this, taken, &link] {
    if (taken->keys.empty()) return refuse(503, "not enough keys are stored; ask later, or for fewer");
    counters_.keys_given += taken->keys.size();
    link.announce(std::move(taken->grants));
    return answer(etsi014::to_json(container(std::move(taken->keys))));
  });
}

void Api::dec_keys(const std::string& master, const SaeConfig& slave, const https::Request& request,
                   https::Respond respond) {
  auto ids = read_dec_keys(request, config_);
  if (!ids) return respond(refuse(400, ids.error()));
  const PeerLinkConfig* const link = link_to(config_, master);
  if (link == nullptr) return respond(refuse(400, etsi014::kKeyNotFound));
  if (!may_have(slave, ids->size(), kPieceSize, respond)) return;
  const auto wanted =
      std::make_shared<RedeemRequest>(RedeemRequest{.slave = slave.id, .master = master, .key_ids = *std::move(ids)});
  redeem(wanted, *link_of_(*link), std::nullopt, std::move(respond));
}

void Api::redeem(const std::shared_ptr<const RedeemRequest>& wanted, link::PeerLink& link,
                 std::optional<std::vector<Grant>> told, https::Respond respond) {
  using Redeemed = std::expected<std::vector<TakenKey>, NotRedeemed>;
  const auto redeemed = std::make_shared<Redeemed>();
  const bool asked = told.has_value();
  auto job = [redeemed, wanted, told = std::move(told), now = now(faults_)](Store& store) -> Stored<void> {
    for (const Grant& grant : told.value_or(std::vector<Grant>())) {
      QSP_TRY(store.accept(grant));
    }
    QSP_TRY(auto keys, store.redeem(*wanted, now));
    *redeemed = std::move(keys);
    return {};
  };
  const auto reply = std::make_shared<https::Respond>(std::move(respond));
  const auto ask_peer = [this, wanted, &link, reply] {
    link.ask(wanted->key_ids, [this, wanted, &link, reply](std::optional<std::vector<Grant>> grants) {
      if (!grants) return (*reply)(refuse(503, "the KME that gave the key away is not reachable; ask again"));
      redeem(wanted, link, std::move(grants), std::move(*reply));
    });
  };
  auto after = [this, redeemed, asked, reply, ask_peer](const Stored<void>& done) {
    if (!done) {
      ++counters_.store_errors;
      return (*reply)(refuse(done.error()));
    }
    if (*redeemed) {
      counters_.keys_redeemed += (*redeemed)->size();
      return (*reply)(answer(etsi014::to_json(container(std::move(**redeemed)))));
    }
    switch (redeemed->error()) {
      case NotRedeemed::NotNamed:
        return (*reply)(refuse(401, ""));
      case NotRedeemed::NotFound:
        return (*reply)(refuse(400, etsi014::kKeyNotFound));
      case NotRedeemed::Unknown:
        break;
    }
    if (asked) return (*reply)(refuse(400, etsi014::kKeyNotFound));
    ask_peer();
  };
  if (!queue_.post(std::move(job), std::move(after))) (*reply)(refuse(503, "too many calls wait for the key store"));
}

void Api::run(StoreQueue::Job job, https::Respond respond, std::move_only_function<https::Response()> result) {
  const auto reply = std::make_shared<https::Respond>(std::move(respond));
  auto after = [this, reply, result = std::move(result)](const Stored<void>& done) mutable {
    if (!done) ++counters_.store_errors;
    (*reply)(done ? result() : refuse(done.error()));
  };
  if (!queue_.post(std::move(job), std::move(after))) (*reply)(refuse(503, "too many calls wait for the key store"));
}

https::Respond Api::observed(CallKind kind, https::Respond respond) {
  return [this, kind, respond = std::move(respond)](https::Response response) mutable {
    counters_.count(kind, response.status);
    const Faults::Setting faults = faults_.setting();
    if (faults.lose_answers) return;
    if (faults.latency.count() == 0) return respond(std::move(response));
    auto waiting =
        std::make_shared<std::pair<https::Respond, https::Response>>(std::move(respond), std::move(response));
    boost::asio::post(loop_.executor(), [this, waiting, latency = faults.latency] {
      const auto timer = std::make_shared<net::Timer>(loop_.executor(), latency);
      timer->async_wait([timer, waiting](const net::error_code&) { waiting->first(std::move(waiting->second)); });
    });
  };
}

etsi014::KeyContainer Api::container(std::vector<TakenKey> keys) const {
  const bool wrong = faults_.setting().wrong_bytes;
  etsi014::KeyContainer made;
  for (TakenKey& key : keys) {
    if (wrong) key.key.writable()[0] ^= 1;
    made.keys.push_back({uuid_text(key.key_id), std::move(key.key), key.simulated});
  }
  return made;
}

}  // namespace qsp::kme::api

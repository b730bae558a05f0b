// What the peer of a link, or a feeder, asks of this side.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/try.hpp"
#include "kme/link/peer_link.hpp"
#include "kme/link/respond.hpp"

namespace qsp::kme::link {
namespace {

/// `expires` of a feeder to whom it is all one.
constexpr UnixTime kNoMatter = 1;

https::Response ids_answer(std::vector<Uuid> ids) { return answer(to_json(IdsMessage{std::move(ids)})); }

}  // namespace

void PeerLink::handle(std::string_view what, https::Request request, https::Respond respond) {
  const bool peer = is_named(request.peer, config_.peer_kme_id);
  const bool feeder =
      config_.producer == ProducerKind::Feed &&
      std::ranges::any_of(config_.feeders, [&](const auto& name) { return is_named(request.peer, name); });
  if (!peer && !(feeder && (what == "keys" || what == "state"))) return respond(refuse(401, ""));
  if (request.method != https::Method::Post) return respond(refuse(405, "POST is needed"));
  // Keys come from the end that draws them: the peer, where it has the link's producer, or a feeder of this side.
  if (what == "keys" && (config_.producer == ProducerKind::Peer ? peer : feeder)) {
    return take_keys(std::move(request), std::move(respond));
  }
  if (what == "state" && feeder) return take_report(request, std::move(respond));
  if (what == "ids") return compare_ids(request, std::move(respond));
  if (what == "grants") return take_grants(request, std::move(respond));
  if (what == "spent") return tell_spent(request, std::move(respond));
  if (what == "wanted") return tell_grants(request, std::move(respond));
  respond(refuse(400, "this side of the link does not take that; compare the two configurations"));
}

void PeerLink::take_keys(https::Request request, https::Respond respond) {
  auto message = parse_keys(request.body.reveal_text(), config_.side);
  if (!message) return respond(refuse(400, message.error()));
  const UnixTime latest = expiry(Owner::There);
  state_.simulated |= std::ranges::any_of(message->pieces, &NewPiece::simulated);
  const auto pieces = std::make_shared<std::vector<NewPiece>>(std::move(message->pieces));
  for (NewPiece& piece : *pieces) {
    // A key from the peer is certain to be at both sides; one from a feeder is not, until the IDs were compared. Its
    // feeder may say for how long it is worth waiting for its other half, which may have died with a station.
    piece.confirmed = config_.producer == ProducerKind::Peer;
    const UnixTime most = piece.confirmed ? latest : expiry(Owner::Here);
    piece.expires = piece.confirmed || piece.expires > kNoMatter ? std::min(piece.expires, most) : most;
  }
  const auto held = std::make_shared<std::vector<Uuid>>();
  auto job = [pieces, held, name = config_.name, room = config_.pool / 2](Store& store) -> Stored<void> {
    QSP_TRY(auto ids, store.add(name, *pieces, room));
    *held = std::move(ids);
    return {};
  };
  submit(std::move(job), std::move(respond), [this, held] {
    state_.received += held->size();
    return ids_answer(*held);
  });
}

void PeerLink::take_report(const https::Request& request, https::Respond respond) {
  auto report = parse_feed_report(request.body.reveal_text());
  if (!report) return respond(refuse(400, report.error()));
  if (!state_.feed || state_.feed->state != report->state || state_.feed->reason != report->reason) {
    spdlog::log(report->state == FeedState::Running ? spdlog::level::info : spdlog::level::warn, "link {}: feed {}{}{}",
                config_.name, name(report->state), report->reason.empty() ? "" : ": ", report->reason);
  }
  state_.simulated |= report->simulated;
  state_.feed = *std::move(report);
  state_.feed_at = net::Loop::now();
  respond(ids_answer({}));
}

void PeerLink::compare_ids(const https::Request& request, https::Respond respond) {
  auto message = parse_ids(request.body.reveal_text());
  if (!message) return respond(refuse(400, message.error()));
  if (message->ids.empty()) return respond(ids_answer({}));
  const auto held = std::make_shared<std::vector<Uuid>>();
  const bool fed = config_.producer == ProducerKind::Feed;
  auto job = [held, fed, lives = confirmed_lives(), ids = std::move(message->ids),
              name = config_.name](Store& store) -> Stored<void> {
    QSP_TRY(auto found, store.held(name, ids));
    *held = std::move(found);
    // The peer that asks has them, so both sides do.
    return fed && !held->empty() ? store.confirm(name, *held, lives) : Stored<void>();
  };
  submit(std::move(job), std::move(respond), [held] { return ids_answer(*held); });
}

void PeerLink::take_grants(const https::Request& request, https::Respond respond) {
  auto message = parse_grants(request.body.reveal_text());
  if (!message) return respond(refuse(400, message.error()));
  for (Grant& grant : message->grants) grant.link = config_.name;
  auto job = [grants = std::move(message->grants)](Store& store) -> Stored<void> {
    for (const Grant& grant : grants) {
      QSP_TRY(store.accept(grant));
    }
    return {};
  };
  submit(std::move(job), std::move(respond), [] { return ids_answer({}); });
}

void PeerLink::tell_grants(const https::Request& request, https::Respond respond) {
  auto message = parse_ids(request.body.reveal_text());
  if (!message) return respond(refuse(400, message.error()));
  const auto grants = std::make_shared<std::vector<Grant>>();
  auto job = [grants, ids = std::move(message->ids), name = config_.name](Store& store) -> Stored<void> {
    grants->clear();
    for (const Uuid& id : ids) {
      QSP_TRY(auto found, store.find_unannounced(name, id));
      if (found) grants->push_back(*std::move(found));
    }
    return {};
  };
  submit(std::move(job), std::move(respond), [grants] { return answer(to_json(GrantsMessage{*grants})); });
}

void PeerLink::tell_spent(const https::Request& request, https::Respond respond) {
  auto message = parse_ids(request.body.reveal_text());
  if (!message) return respond(refuse(400, message.error()));
  const auto spent = std::make_shared<std::vector<Uuid>>();
  auto job = [spent, ids = std::move(message->ids), name = config_.name](Store& store) -> Stored<void> {
    QSP_TRY(auto found, store.spent(name, ids));
    *spent = std::move(found);
    return {};
  };
  submit(std::move(job), std::move(respond), [spent] { return ids_answer(*spent); });
}

void PeerLink::submit(StoreQueue::Job job, https::Respond respond, std::move_only_function<https::Response()> result) {
  const auto answer = std::make_shared<https::Respond>(std::move(respond));
  auto after = [answer, result = std::move(result)](const Stored<void>& done) mutable {
    (*answer)(done ? result() : refuse(done.error()));
  };
  if (!queue_.post(std::move(job), std::move(after))) {
    (*answer)(refuse(503, "too many calls wait for the key store"));
  }
}

}  // namespace qsp::kme::link

// When keys are changed, and when an end gives up (SPEC §5, §7).
#include <algorithm>

#include "channel/session.hpp"

namespace qsp::channel {

/// "required" means either end's (SPEC §7): without it on both sides, a rekey may do without a QKD key.
bool Session::qkd_required() const noexcept {
  return live_->agreement.policy == QkdPolicy::Required || live_->agreement.offer == QkdPolicy::Required;
}

/// §8.5, the hard life: "420 s beyond the time trigger", by default.
Instant Session::hard_end() const noexcept {
  return live_->epoch_began + live_->policy.interval + live_->policy.hard_life;
}

/// When the step of a rekey that is under way runs out.
std::optional<Instant> Session::rekey_deadline() const noexcept {
  if (const auto* state = std::get_if<AwaitEncKey>(&live_->rekey)) return state->deadline;
  if (const auto* state = std::get_if<AwaitAck>(&live_->rekey)) return state->deadline;
  if (const auto* state = std::get_if<AwaitDecKey>(&live_->rekey)) return state->deadline;
  if (const auto* state = std::get_if<AwaitDone>(&live_->rekey)) return state->deadline;
  return std::nullopt;
}

/// When the next rekey is due, if none is under way. A REQ that waits for its pace never delays the interval.
std::optional<Instant> Session::trigger_time() const noexcept {
  if (!std::holds_alternative<NoRekey>(live_->rekey)) return std::nullopt;
  if (role_ == Role::Client && live_->requested) return std::nullopt;
  const Instant interval = live_->epoch_began + live_->policy.interval;
  const auto& due = live_->due;
  if (!due) return interval;
  return live_->backing_off ? *due : std::min(*due, interval);
}

/// True unless a rekey is under way or waits for its next attempt: a trigger of this end starts one now.
bool Session::may_start_rekey() const noexcept {
  return std::holds_alternative<NoRekey>(live_->rekey) && !live_->backing_off;
}

std::optional<Instant> Session::next_timeout() const noexcept {
  if (opening_ != nullptr) return std::min(opening_->deadline, opening_->qkd_deadline.value_or(opening_->deadline));
  if (live_ == nullptr) return std::nullopt;
  return std::min({hard_end(), rekey_deadline().value_or(hard_end()), trigger_time().value_or(hard_end())});
}

void Session::handle_timeout(Instant now) {
  if (opening_ != nullptr) {
    if (now >= opening_->deadline) {
      return die({ErrorKind::PeerMisbehaved, Reason::Timeout, "the handshake took too long"});
    }
    auto& qkd_deadline = opening_->qkd_deadline;
    if (qkd_deadline && now >= *qkd_deadline) {
      qkd_deadline.reset();
      if (opening_->kme_has_fair_time) return fail_opening_key(QkdFailure::Unavailable);
      return die({ErrorKind::PeerMisbehaved, Reason::Timeout, "too little time was left for the KME"});
    }
    return;
  }
  if (live_ == nullptr) return;
  if (now >= hard_end()) {
    // §8.5: "with QKD_UNAVAILABLE where the KME's outage under "required" is the cause …, else with LIMIT".
    if (qkd_required() && live_->agreement.qkd && live_->qkd_outage) {
      return die({ErrorKind::KeySource, Reason::QkdUnavailable, "no QKD key came within the hard life of the epoch"});
    }
    return die({ErrorKind::Internal, Reason::Limit, "the epoch has outlived its hard life"});
  }
  Result<void> done;
  if (const auto deadline = rekey_deadline(); deadline && now >= *deadline) done = on_rekey_deadline(now);
  if (done) {
    if (const auto due = trigger_time(); due && now >= *due) {
      done = role_ == Role::Server ? start_rekey(now) : send_request();
    }
  }
  if (!done) die(done.error());
}

Result<void> Session::on_rekey_deadline(Instant now) {
  if (std::holds_alternative<AwaitEncKey>(live_->rekey)) return without_qkd_key(QkdFailure::Unavailable, now);
  if (std::holds_alternative<AwaitDecKey>(live_->rekey)) return send_nak();
  return fail(ErrorKind::PeerMisbehaved, Reason::RekeyFailed,
              role_ == Role::Server ? "no ACK within the rekey timer" : "no DONE within the rekey timer");
}

Result<void> Session::on_trigger(Instant now) {
  if (!may_start_rekey()) return {};
  return role_ == Role::Server ? start_rekey(now) : send_request();
}

Result<void> Session::request_rekey(Instant now) {
  if (live_ == nullptr) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "no session is established");
  if (!may_start_rekey()) return {};
  if (const auto done = role_ == Role::Server ? start_rekey(now) : send_request(); !done) die(done.error());
  return {};
}

}  // namespace qsp::channel

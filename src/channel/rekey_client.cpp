// The client's part in a rekey: REQ, the answer to INIT, and the move at DONE (SPEC §7).
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/try.hpp"
#include "base/uuid.hpp"
#include "channel/refusals.hpp"
#include "channel/session.hpp"
#include "qsp/suites.hpp"

namespace qsp::channel {
Error in_rekey(const Error& error, std::string_view where) noexcept {
  if (error.kind != ErrorKind::InvalidMessage) return error;
  return {ErrorKind::PeerMisbehaved, Reason::RekeyFailed, where};
}

Result<void> Session::on_rekey(Bytes plaintext, bool first_of_epoch, Instant now) {
  QSP_TRY(const auto message, wire::parse_rekey(plaintext));
  // §7: DONE is the server's first frame of e+1, and that frame is nothing else.
  if (first_of_epoch != std::holds_alternative<wire::RekeyDone>(message)) {
    return forbidden(first_of_epoch ? "REKEY: the new epoch begins without DONE" : "REKEY DONE not awaited");
  }
  return std::visit([&](const auto& parsed) { return on(parsed, plaintext, now); }, message);
}

/// §7: `THr = H("QSP/1.0" ‖ INIT ‖ ACK[0..9) ‖ ACK[41..))`
Result<schedule::Digest> Session::rekey_transcript(Bytes init, Bytes ack) const {
  return schedule::transcript_hash(provider_.hkdf(),
                                   {init, ack.first(wire::kAckConfirmBegin), ack.subspan(wire::kAckConfirmEnd)});
}

void Session::begin_epoch(std::uint32_t epoch, bool kem, std::optional<std::string> key_id, Instant now) {
  live_->previous = std::move(live_->current);
  live_->current = EpochStatus{.epoch = epoch, .kem = kem, .key_id = std::move(key_id)};
  live_->epoch_began = now;
  live_->due.reset();
  live_->backing_off = false;
  live_->requested = false;
  live_->qkd_outage = false;
}

Result<void> Session::send_request() {
  if (live_->requested || !std::holds_alternative<NoRekey>(live_->rekey)) return {};
  if (sender_.epoch() == std::numeric_limits<std::uint32_t>::max()) {
    return fail(ErrorKind::Internal, Reason::Limit, "the last epoch has come");
  }
  live_->requested = true;
  std::array<std::uint8_t, 9> message{};
  encode(wire::RekeyRequest{sender_.epoch() + 1}, message);
  return send_control(wire::FrameType::Rekey, message);
}

Result<void> Session::on(const wire::RekeyInit& init, Bytes plaintext, Instant now) {
  if (role_ != Role::Client) return forbidden("REKEY INIT from a client");
  if (!std::holds_alternative<NoRekey>(live_->rekey)) return forbidden("REKEY INIT while one is in flight");
  if (init.new_epoch != sender_.epoch() + 1 || init.new_epoch == 0) return forbidden("REKEY INIT: new_epoch");
  if (!init.key_id.empty() && !live_->agreement.qkd) return forbidden("REKEY INIT: key_ID in mode 0");

  // §7.5: "A client MUST answer an INIT weaker than its policy with CLOSE".
  if (init.kem_public_key.empty() && live_->agreement.rekey_demands_kem) {
    return fail(ErrorKind::PeerIncompatible, Reason::RekeyFailed, "REKEY INIT: no KEM key, which is demanded here");
  }
  if (init.key_id.empty() && live_->agreement.qkd && qkd_required()) {
    return fail(ErrorKind::PeerIncompatible, Reason::QkdUnavailable, "REKEY INIT: no QKD key, which is required here");
  }
  // §7.5: no form of mode 1 has neither; KEM only always has a share.
  if (init.key_id.empty() && init.kem_public_key.empty() && live_->agreement.qkd) {
    return fail(ErrorKind::PeerMisbehaved, Reason::RekeyFailed, "REKEY INIT: neither a KEM key nor a QKD key");
  }
  if (init.key_id.empty()) return send_ack(init, plaintext, std::nullopt, now);
  const Instant deadline = now + std::min<Instant>(kKmeStep, live_->policy.timer);
  live_->rekey = AwaitDecKey{SecretBytes::copy_of(plaintext), std::string(init.key_id), deadline};
  events_.emplace_back(QkdKeyNeeded{live_->agreement.peer_sae_id, std::string(init.key_id), deadline});
  return {};
}

Result<void> Session::send_ack(const wire::RekeyInit& init, Bytes init_bytes, std::optional<QkdKey>&& key,
                               Instant now) {
  schedule::RekeyInputs inputs{.qkd_key = std::move(key), .shared_secret = std::nullopt, .material = init.material};
  wire::RekeyAck ack{.new_epoch = init.new_epoch, .confirm = {}, .kem_ciphertext = {}};
  std::vector<std::uint8_t> ciphertext;
  const bool kem = !init.kem_public_key.empty();
  if (kem) {
    QSP_TRY(const auto algorithm, provider_.kem(live_->agreement.kem));
    auto encapsulation = algorithm->encapsulate(init.kem_public_key, provider_.rng());
    if (!encapsulation) return std::unexpected(in_rekey(encapsulation.error(), "REKEY INIT: KEM public key"));
    ciphertext = std::move(encapsulation->ciphertext);
    inputs.shared_secret = std::move(encapsulation->secret);
    ack.kem_ciphertext = ciphertext;
  }
  std::array<std::uint8_t, wire::kMaxRekeyPlaintext> buffer;
  std::size_t size = encode(ack, buffer);
  QSP_TRY(const auto thr, rekey_transcript(init_bytes, Bytes(buffer).first(size)));
  QSP_TRY(auto next, std::move(live_->ratchet).next(schedule(), std::move(inputs), session_id_, thr));
  ack.confirm = next.confirm;
  size = encode(ack, buffer);
  const std::uint32_t epoch = next.secret.epoch();
  QSP_TRY(auto keys, std::move(next.secret).keys(schedule()));
  QSP_TRY(send_control(wire::FrameType::Rekey, Bytes(buffer).first(size)));

  // §7.4: "The client commits right after ACK is written. Its next frame, whatever its type, is of epoch e+1." It still
  // accepts epoch e until DONE.
  QSP_TRY(sender_.set_key(epoch, std::move(keys.traffic.client)));
  QSP_TRY(receiver_.set_next_key(std::move(keys.traffic.server)));
  live_->ratchet = std::move(keys.ratchet);
  std::optional<std::string> key_id;
  if (!init.key_id.empty()) key_id = init.key_id;
  begin_epoch(epoch, kem, std::move(key_id), now);
  live_->rekey = AwaitDone{std::move(keys.exporter), now + live_->policy.timer};
  return {};
}

Result<void> Session::on(const wire::RekeyDone& done, Bytes /*plaintext*/, Instant now) {
  auto* state = std::get_if<AwaitDone>(&live_->rekey);
  if (state == nullptr || done.new_epoch != sender_.epoch()) return forbidden("REKEY DONE: new_epoch");
  live_->previous_exporter = std::exchange(live_->exporter, std::move(state->exporter));
  live_->exporter_epoch = done.new_epoch;
  live_->rekey = NoRekey{};
  live_->current.confirmed = now;
  events_.emplace_back(EpochChanged{done.new_epoch});
  return {};
}

Result<void> Session::send_nak() {
  live_->qkd_outage = true;
  live_->rekey = NoRekey{};
  std::array<std::uint8_t, 11> message{};
  encode(wire::RekeyNak{sender_.epoch() + 1, Reason::QkdUnavailable}, message);
  return send_control(wire::FrameType::Rekey, message);
}

Result<void> Session::provide_rekey_key(DeliveredKey&& key, Instant now) {
  DeliveredKey taken = std::move(key);
  Result<void> done;
  if (std::holds_alternative<AwaitEncKey>(live_->rekey)) {
    const bool lawful = is_uuid(taken.key_id) && taken.key.size() == QkdKey::kCapacity;
    if (lawful) live_->qkd_outage = false;
    done =
        lawful ? send_init(std::move(taken), !live_->policy.light, now) : without_qkd_key(QkdFailure::Unavailable, now);
  } else if (auto* state = std::get_if<AwaitDecKey>(&live_->rekey)) {
    const bool lawful = same_uuid(taken.key_id, state->key_id) && taken.key.size() == QkdKey::kCapacity;
    const SecretBytes init = std::move(state->init);
    const auto parsed = wire::parse_rekey(init.reveal());
    done = lawful ? send_ack(std::get<wire::RekeyInit>(*parsed), init.reveal(), std::move(taken.key), now) : send_nak();
  }
  if (!done) die(done.error());
  return {};
}

Result<void> Session::fail_rekey_key(QkdFailure why, Instant now) {
  Result<void> done;
  if (std::holds_alternative<AwaitEncKey>(live_->rekey)) {
    done = without_qkd_key(why, now);
  } else if (std::holds_alternative<AwaitDecKey>(live_->rekey)) {
    // SPEC §7.3: a NAK could lead to a rekey without QKD, and a spent budget never does.
    done = why == QkdFailure::Budget
               ? fail(ErrorKind::KeySource, Reason::Limit, "the QKD budget for this peer is spent")
               : send_nak();
  }
  if (!done) die(done.error());
  return {};
}

}  // namespace qsp::channel

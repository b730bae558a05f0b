// The server's part in a rekey: INIT, the verification of ACK, DONE, and what to do without a QKD key (SPEC §7).
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/try.hpp"
#include "channel/refusals.hpp"
#include "channel/session.hpp"

namespace qsp::channel {
namespace {

using std::chrono::seconds;

// SPEC §7.5: "a new enc_keys 10 s after each failure or NAK".
// SPEC §7.6: "At most one client-requested rekey starts per 10 s".
constexpr seconds kRetry{10};
constexpr seconds kRequestPace{10};

using Material = Secret<wire::kMaterialSize, struct MaterialTag>;

}  // namespace

Result<void> Session::start_rekey(Instant now) {
  if (sender_.epoch() == std::numeric_limits<std::uint32_t>::max()) {
    return fail(ErrorKind::Internal, Reason::Limit, "the last epoch has come");
  }
  live_->due = now;
  live_->backing_off = false;
  if (live_->requested) live_->last_client_request = now;
  if (!live_->agreement.qkd) return send_init(std::nullopt, !live_->policy.light, now);
  // §7: in mode 1 the server calls enc_keys for the client's SAE.
  const Instant deadline = now + std::min<Instant>(kKmeStep, live_->policy.timer);
  live_->rekey = AwaitEncKey{deadline};
  events_.emplace_back(QkdKeyNeeded{live_->agreement.peer_sae_id, std::nullopt, deadline});
  return {};
}

Result<void> Session::send_init(std::optional<DeliveredKey>&& key, bool kem, Instant now) {
  Material material;
  QSP_TRY(provider_.rng().fill(material.writable()));
  wire::RekeyInit init{
      .new_epoch = sender_.epoch() + 1, .material = material.reveal(), .kem_public_key = {}, .key_id = {}};
  std::unique_ptr<crypto::KemPrivateKey> kem_key;
  if (kem) {
    QSP_TRY(const auto algorithm, provider_.kem(live_->agreement.kem));
    QSP_TRY(auto generated, algorithm->generate(provider_.rng()));
    kem_key = std::move(generated);
    init.kem_public_key = kem_key->public_key();
  }
  if (key) init.key_id = key->key_id;
  std::array<std::uint8_t, wire::kMaxRekeyPlaintext> plaintext;
  const Bytes message = Bytes(plaintext).first(encode(init, plaintext));
  const auto sent = send_control(wire::FrameType::Rekey, message);
  if (sent) {
    live_->rekey = AwaitAck{.init = SecretBytes::copy_of(message),
                            .kem_key = std::move(kem_key),
                            .qkd_key = std::move(key),
                            .deadline = now + live_->policy.timer};
  }
  wipe(MutableBytes(plaintext).first(message.size()));
  return sent;
}

/// §7.5: where KEM only is permitted, "the server sends it at once after the failure or the NAK". Where it is not, it
/// "tries again with a new enc_keys 10 s after each failure or NAK, until the hard life of the epoch ends". A spent
/// budget only waits: it never weakens a rekey.
Result<void> Session::without_qkd_key(QkdFailure why, Instant now) {
  live_->qkd_outage = live_->qkd_outage || why == QkdFailure::Unavailable;
  live_->rekey = NoRekey{};
  if (why == QkdFailure::Unavailable && !qkd_required()) return send_init(std::nullopt, true, now);
  live_->due = now + kRetry;
  live_->backing_off = true;
  return {};
}

Result<void> Session::on(const wire::RekeyAck& ack, Bytes plaintext, Instant now) {
  auto* state = std::get_if<AwaitAck>(&live_->rekey);
  if (state == nullptr) return forbidden("REKEY ACK: no INIT in flight");
  if (ack.new_epoch != sender_.epoch() + 1) return forbidden("REKEY ACK: new_epoch");
  const bool kem = state->kem_key != nullptr;
  if (kem == ack.kem_ciphertext.empty()) return forbidden("REKEY ACK: KEM ciphertext");

  std::optional<DeliveredKey> delivered = std::move(state->qkd_key);
  schedule::RekeyInputs inputs{.qkd_key = std::nullopt, .shared_secret = std::nullopt, .material = {}};
  if (delivered) inputs.qkd_key = std::move(delivered->key);
  if (kem) {
    auto secret = state->kem_key->decapsulate(ack.kem_ciphertext);
    if (!secret) return std::unexpected(in_rekey(secret.error(), "REKEY ACK: KEM ciphertext"));
    inputs.shared_secret = std::move(*secret);
  }
  QSP_TRY(const auto thr, rekey_transcript(state->init.reveal(), plaintext));
  inputs.material = state->init.reveal().subspan(wire::kInitMaterialBegin, wire::kMaterialSize);
  QSP_TRY(auto next, std::move(live_->ratchet).next(schedule(), std::move(inputs), session_id_, thr));
  if (!constant_time_equal(next.confirm, ack.confirm)) {
    return fail(ErrorKind::PeerMisbehaved, Reason::RekeyFailed, "REKEY ACK: confirm");
  }
  std::optional<std::string> key_id;
  if (delivered) key_id = std::move(delivered->key_id);
  return commit_server(std::move(next), kem, std::move(key_id), now);
}

/// §7.4: "The server commits when confirm verifies." It sends DONE, then "refuses and wipes c_key[e] at once".
Result<void> Session::commit_server(schedule::NextEpoch next, bool kem, std::optional<std::string> key_id,
                                    Instant now) {
  const std::uint32_t epoch = next.secret.epoch();
  QSP_TRY(auto keys, std::move(next.secret).keys(schedule()));
  QSP_TRY(receiver_.set_key(epoch, std::move(keys.traffic.client)));
  QSP_TRY(sender_.set_key(epoch, std::move(keys.traffic.server)));
  live_->ratchet = std::move(keys.ratchet);
  live_->previous_exporter = std::exchange(live_->exporter, std::move(keys.exporter));
  live_->exporter_epoch = epoch;
  live_->rekey = NoRekey{};
  begin_epoch(epoch, kem, std::move(key_id), now);
  live_->current.confirmed = now;
  events_.emplace_back(EpochChanged{epoch});
  std::array<std::uint8_t, wire::kRekeyDoneSize> done{};
  encode(wire::RekeyDone{epoch}, done);
  return send_control(wire::FrameType::Rekey, done);
}

/// §7.6: "A REQ during a rekey, or repeated in an epoch, changes nothing." One "that comes sooner is delayed, not
/// dropped".
Result<void> Session::on(const wire::RekeyRequest& request, Bytes /*plaintext*/, Instant now) {
  if (role_ != Role::Server) return forbidden("REKEY REQ from a server");
  if (request.new_epoch != receiver_.epoch() + 1 || request.new_epoch == 0) return forbidden("REKEY REQ: new_epoch");
  if (live_->requested || live_->due || !std::holds_alternative<NoRekey>(live_->rekey)) return {};
  live_->requested = true;
  const auto& last = live_->last_client_request;
  const Instant due = last ? std::max(now, *last + kRequestPace) : now;
  live_->due = due;
  return due <= now ? start_rekey(now) : Result<void>{};
}

Result<void> Session::on(const wire::RekeyNak& nak, Bytes /*plaintext*/, Instant now) {
  const auto* state = std::get_if<AwaitAck>(&live_->rekey);
  if (state == nullptr) return forbidden("REKEY NAK: no INIT in flight");
  if (!state->qkd_key) return forbidden("REKEY NAK: its INIT had no key_ID");
  if (nak.new_epoch != sender_.epoch() + 1) return forbidden("REKEY NAK: new_epoch");
  return without_qkd_key(QkdFailure::Unavailable, now);
}

}  // namespace qsp::channel

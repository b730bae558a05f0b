// The handshake's part of a session: the machine of src/handshake decides, this carries out (SPEC §5).
#include <utility>

#include "base/overloaded.hpp"
#include "base/try.hpp"
#include "channel/options.hpp"
#include "channel/session.hpp"
#include "qsp/suites.hpp"

namespace qsp::channel {
namespace {

using std::chrono::seconds;

// SPEC §5: the client's one enc_keys call ends after 4 s, the server's dec_keys calls 8 s after accept.
constexpr seconds kEncKeysTime{4};
constexpr seconds kDecKeysTime{8};
// SPEC §5.7: with less than this, its time running out says nothing of the KME: a client, or who delays it, took it.
constexpr seconds kFairKmeTime{4};

}  // namespace

Result<void> Session::open(ClientOptions options, Instant now) {
  QSP_TRY(settle(options, provider_));
  opening_ = std::make_unique<Opening>(handshake::Environment{provider_, log_}, std::move(options), now);
  auto& machine = std::get<handshake::Client>(opening_->machine);
  QSP_TRY(auto actions, machine.start());
  return carry_out(std::move(actions), now);
}

Result<void> Session::open(ServerOptions options, Instant now) {
  QSP_TRY(settle(options, provider_));
  opening_ = std::make_unique<Opening>(handshake::Environment{provider_, log_}, std::move(options), now);
  return {};
}

Result<void> Session::on_handshake_message(Bytes message, std::uint64_t frame_session_id, Instant now) {
  QSP_TRY(const auto type, wire::message_type(message));
  if (type == wire::MessageType::Alert) {
    // §5.8: "Only the server's frame 0 may be a clear ALERT", with session_id 0; a client sends none after CLIENT_AUTH.
    const bool lawful =
        role_ == Role::Client ? receiver_.opening() || frame_session_id == 0 : receiver_.opening() && !peer_verified();
    if (!lawful) return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "ALERT out of turn");
    return on_alert(message);
  }
  QSP_TRY(auto actions, role_ == Role::Client
                            ? std::get<handshake::Client>(opening_->machine).on_message(message, frame_session_id)
                            : std::get<handshake::Server>(opening_->machine).on_message(message));
  return carry_out(std::move(actions), now);
}

Result<void> Session::on_alert(Bytes message) {
  QSP_TRY(const auto alert, wire::parse_alert(message));
  // §5.9: a "preferred" client may dial again without QKD after a sealed QKD_UNAVAILABLE received once SERVER_AUTH has
  // verified; a clear alert, or an earlier one, proves nothing.
  may_redial_ = role_ == Role::Client && receiver_.opening() && peer_verified() &&
                alert.reason == Reason::QkdUnavailable &&
                std::get<handshake::Client>(opening_->machine).offer() == QkdPolicy::Preferred;
  end({.reason = alert.reason, .text = std::string(alert.text), .by_peer = true});
  return {};
}

Result<void> Session::carry_out(handshake::Actions actions, Instant now) {
  for (handshake::Action& action : actions) {
    const auto done = std::visit(
        Overloaded{
            [&](handshake::UseSession& session) -> Result<void> {
              session_id_ = session.session_id;
              sender_.set_session_id(session_id_);
              if (role_ == Role::Client) receiver_.set_session_id(session_id_);
              return {};
            },
            [&](handshake::SendMessage& message) { return send_handshake(message.bytes); },
            [&](handshake::UseHandshakeKeys& keys) { return use_handshake_keys(std::move(keys)); },
            [&](handshake::NeedQkdKey& need) -> Result<void> {
              const Instant limit = role_ == Role::Client ? now + kEncKeysTime : opening_->started + kDecKeysTime;
              opening_->qkd_deadline = std::min(limit, opening_->deadline);
              // A client that took its time has used up the server's 8 s: no key is spent on it.
              if (now >= *opening_->qkd_deadline) {
                return fail(ErrorKind::PeerMisbehaved, Reason::Timeout, "no time is left to ask the KME");
              }
              opening_->kme_has_fair_time = *opening_->qkd_deadline - now >= kFairKmeTime;
              events_.emplace_back(
                  QkdKeyNeeded{std::move(need.sae_id), std::move(need.key_id), *opening_->qkd_deadline});
              return {};
            },
            [&](handshake::Finished& finished) {
              auto established = establish(std::move(finished), now);
              // No ALERT may follow the last message of the handshake (SPEC §5.8).
              if (!established) opening_.reset();
              return established;
            },
        },
        action);
    if (!done) return done;
  }
  return {};
}

Result<void> Session::send_handshake(Bytes message) {
  if (sender_.sealing()) return send_control(wire::FrameType::Handshake, message);
  const std::size_t begin = transmit_.size();
  transmit_.resize(begin + wire::kFrameHeaderSize);
  transmit_.insert(transmit_.end(), message.begin(), message.end());
  return sender_.write_clear(wire::FrameType::Handshake, MutableBytes(transmit_).subspan(begin));
}

Result<void> Session::use_handshake_keys(handshake::UseHandshakeKeys keys) {
  const crypto::AeadInfo& info = crypto::info(keys.aead);
  auto sending = provider_.aead(keys.aead);
  auto receiving = provider_.aead(keys.aead);
  auto receiving_next = provider_.aead(keys.aead);
  for (const auto* aead : {&sending, &receiving, &receiving_next}) {
    if (!*aead) return std::unexpected(aead->error());
  }
  sender_.set_aead(std::move(*sending), info);
  receiver_.set_aeads(std::move(*receiving), std::move(*receiving_next), info);
  const bool client = role_ == Role::Client;
  // The server's receiver learns the session_id only here: CLIENT_HELLO's header carried 0.
  receiver_.set_session_id(session_id_);
  const auto sends = sender_.set_key(0, std::move(client ? keys.keys.client : keys.keys.server));
  if (!sends) return sends;
  return receiver_.set_key(0, std::move(client ? keys.keys.server : keys.keys.client));
}

Result<void> Session::establish(handshake::Finished finished, Instant now) {
  QSP_TRY(auto keys, std::move(finished.epoch).keys(schedule()));
  const bool client = role_ == Role::Client;
  const auto sends = sender_.set_key(1, std::move(client ? keys.traffic.client : keys.traffic.server));
  if (!sends) return sends;
  const auto receives = receiver_.set_key(1, std::move(client ? keys.traffic.server : keys.traffic.client));
  if (!receives) return receives;
  RekeyPolicy policy =
      client ? std::get<ClientOptions>(opening_->options).rekey : std::get<ServerOptions>(opening_->options).rekey;
  policy.light = policy.light && !finished.agreement.rekey_demands_kem;
  EpochStatus epoch{.epoch = 1, .kem = true, .key_id = finished.agreement.key_id, .confirmed = now};
  live_ = std::unique_ptr<Live>(new Live{.agreement = std::move(finished.agreement),
                                         .policy = policy,
                                         .ratchet = std::move(keys.ratchet),
                                         .exporter = std::move(keys.exporter),
                                         .previous_exporter = std::nullopt,
                                         .current = std::move(epoch),
                                         .previous = std::nullopt,
                                         .epoch_began = now,
                                         .rekey = NoRekey{},
                                         .due = std::nullopt,
                                         .last_client_request = std::nullopt});
  opening_.reset();
  events_.emplace_back(Established{session_id_});
  return {};
}

// NOLINTNEXTLINE(bugprone-exception-escape): nothing assigns the variant, so it always holds a machine
bool Session::peer_verified() const noexcept {
  if (opening_ == nullptr) return live_ != nullptr;
  return std::visit([](const auto& machine) { return machine.peer_verified(); }, opening_->machine);
}

/// §5: who may send an ALERT, and when.
void Session::send_alert(const Disclosure& disclosure) {
  if (opening_ == nullptr) return;
  const bool client = role_ == Role::Client;
  if (client && (!sender_.sealing() || !std::get<handshake::Client>(opening_->machine).may_alert())) return;
  if (role_ == Role::Server && !sender_.sealing() && sender_.started()) return;
  // A message that cannot be written leaves only the end of the stream to tell the peer.
  static_cast<void>(send_handshake(encode(wire::Alert{disclosure.reason, disclosure.text})));
}

/// False also past the deadline of what was asked, whether handle_timeout has been called since or not.
bool Session::awaits_qkd_key(Instant now) const noexcept {
  if (opening_ != nullptr) {
    const auto& deadline = opening_->qkd_deadline;
    return deadline && now < *deadline;
  }
  if (live_ == nullptr) return false;
  const bool asked =
      std::holds_alternative<AwaitEncKey>(live_->rekey) || std::holds_alternative<AwaitDecKey>(live_->rekey);
  const auto deadline = rekey_deadline();
  return asked && deadline && now < *deadline;
}

Result<void> Session::provide_qkd_key(DeliveredKey&& key, Instant now) {
  DeliveredKey taken = std::move(key);
  if (!awaits_qkd_key(now)) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "no QKD key is awaited");
  if (opening_ != nullptr) {
    opening_->qkd_deadline.reset();
    auto actions = std::visit([&](auto& machine) { return machine.on_qkd_key(std::move(taken)); }, opening_->machine);
    if (!actions && actions.error().kind == ErrorKind::KeySource) {
      fail_opening_key(QkdFailure::Unavailable);
      return {};
    }
    const Result<void> carried = actions ? carry_out(std::move(*actions), now) : std::unexpected(actions.error());
    if (!carried) die(carried.error());
    return {};
  }
  return provide_rekey_key(std::move(taken), now);
}

Result<void> Session::fail_qkd_key(QkdFailure why, Instant now) {
  if (!awaits_qkd_key(now)) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "no QKD key is awaited");
  if (opening_ != nullptr) {
    fail_opening_key(why);
    return {};
  }
  return fail_rekey_key(why, now);
}

void Session::fail_opening_key(QkdFailure why) {
  // §5.9: "An exhausted budget is not a KME failure": the handshake ends with LIMIT, and no redial without QKD follows.
  if (why == QkdFailure::Budget)
    return die({ErrorKind::KeySource, Reason::Limit, "the QKD budget for this peer is spent"});
  const bool may_redial =
      role_ == Role::Client && std::get<handshake::Client>(opening_->machine).offer() == QkdPolicy::Preferred;
  die({ErrorKind::KeySource, Reason::QkdUnavailable, "this end's KME did not deliver a key"});
  may_redial_ = may_redial;
}

}  // namespace qsp::channel

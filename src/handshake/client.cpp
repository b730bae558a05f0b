#include "handshake/client.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/try.hpp"
#include "base/uuid.hpp"
#include "qsp/suites.hpp"

namespace qsp::handshake {
namespace {

/// The pinned key of the dialled peer that has this identity, or null.
const PinnedKey* pinned(const Peer& peer, const Identity& identity) noexcept {
  const auto found = std::ranges::find(peer.keys, identity, &PinnedKey::identity);
  return found == peer.keys.end() ? nullptr : &*found;
}

}  // namespace

// The allowed successors; every other pair does not compile.
template <>
constexpr bool Client::kSuccessor<Client::Start, Client::AwaitServerHello> = true;
template <>
constexpr bool Client::kSuccessor<Client::AwaitServerHello, Client::AwaitServerAuth> = true;
template <>
constexpr bool Client::kSuccessor<Client::AwaitServerAuth, Client::AwaitQkdKey> = true;
template <>
constexpr bool Client::kSuccessor<Client::AwaitServerAuth, Client::AwaitServerFinish> = true;
template <>
constexpr bool Client::kSuccessor<Client::AwaitQkdKey, Client::AwaitServerFinish> = true;
template <>
constexpr bool Client::kSuccessor<Client::AwaitServerFinish, Client::Done> = true;

template <class To, class From>
void Client::advance(From& from, To&& to) {
  static_assert(kSuccessor<From, std::remove_cvref_t<To>>);
  // `to` was built from what `from` gave up; the old state's memory goes away here.
  std::remove_cvref_t<To> next = std::forward<To>(to);
  static_cast<void>(from);
  state_ = std::move(next);
}

Client::Client(Environment environment, const ClientOptions& options) noexcept
    : environment_(environment), options_(&options) {}

QkdPolicy Client::offer() const noexcept { return options_->redial_without_qkd ? QkdPolicy::None : options_->peer.qkd; }

/// §5.3: "the algorithms of the keys pinned for the dialled peer, in their order, each once, without those that it
/// cannot verify". Error: it can verify none of them.
Result<wire::CodeList> Client::verifiable() const {
  wire::CodeList signatures;
  std::optional<Error> refusal;
  for (const PinnedKey& key : options_->peer.keys) {
    const auto code = std::to_underlying(key.key.algorithm);
    if (const auto verifier = environment_.provider.verifier(key.key); !verifier) {
      refusal = verifier.error();
      continue;
    }
    if (!contains(signatures, code)) signatures.push_back(code);
  }
  if (signatures.size() == 0 && refusal) return std::unexpected(*refusal);
  return signatures;
}

Result<Actions> Client::start() {
  wire::ClientHello hello;
  hello.versions.push_back(wire::kVersion1);
  QSP_TRY(environment_.provider.rng().fill(hello.nonce));
  AwaitServerHello next;
  for (const crypto::KemId id : options_->kems) {
    QSP_TRY(const auto kem, environment_.provider.kem(id));
    QSP_TRY(auto key, kem->generate(environment_.provider.rng()));
    hello.shares.push_back({std::to_underlying(id), key->public_key()});
    next.keys.push_back(std::move(key));
  }
  QSP_TRY(const auto signatures, verifiable());
  hello.signatures = offered_signatures_ = signatures;
  for (const crypto::AeadId id : options_->aeads) hello.aeads.push_back(std::to_underlying(id));
  hello.qkd_offer = std::to_underlying(offer());
  for (const std::string& name : options_->applications) hello.applications.push_back(as_bytes(name));
  std::vector<std::uint8_t> message = encode(hello);
  next.transcript.add(message);
  advance(std::get<Start>(state_), std::move(next));
  Actions actions;
  actions.emplace_back(SendMessage{std::move(message)});
  return actions;
}

Result<Actions> Client::on_message(Bytes message, std::uint64_t frame_session_id) {
  if (auto* state = std::get_if<AwaitServerHello>(&state_)) return on(*state, message, frame_session_id);
  if (auto* state = std::get_if<AwaitServerAuth>(&state_)) return on(*state, message);
  if (auto* state = std::get_if<AwaitServerFinish>(&state_)) return on(*state, message);
  return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "handshake message out of turn");
}

/// §5.3: "The client MUST refuse": a choice that it did not offer, session_id 0, "and a session_id that differs from
/// the frame header's".
Result<void> Client::check_choice(const wire::ServerHello& hello, std::uint64_t frame_session_id) const {
  if (hello.version != wire::kVersion1) return refused("SERVER_HELLO: version not offered");
  if (hello.session_id == 0 || hello.session_id != frame_session_id) return refused("SERVER_HELLO: session_id");
  const auto kem = crypto::kem_from_wire(hello.kem);
  if (!kem || !contains(options_->kems, *kem)) return refused("SERVER_HELLO: KEM not offered");
  const auto aead = crypto::aead_from_wire(hello.aead);
  if (!aead || !contains(options_->aeads, *aead)) return refused("SERVER_HELLO: AEAD not offered");
  if (!contains(offered_signatures_, hello.signature)) return refused("SERVER_HELLO: signature algorithm not offered");
  if (hello.qkd_mode == 1 && offer() == QkdPolicy::None) return refused("SERVER_HELLO: QKD not offered");
  if (hello.qkd_mode == 0 && offer() == QkdPolicy::Required) {
    return fail(ErrorKind::PeerIncompatible, Reason::HandshakeFailed,
                "the server does without QKD, which is required here");
  }
  return {};
}

Result<Actions> Client::on(AwaitServerHello& state, Bytes message, std::uint64_t frame_session_id) {
  QSP_TRY(const auto hello, wire::parse_server_hello(message));
  QSP_TRY(check_choice(hello, frame_session_id));

  Agreement agreement;
  agreement.session_id = hello.session_id;
  // NOLINTBEGIN(bugprone-unchecked-optional-access): check_choice has found each among what was offered
  agreement.kem = *crypto::kem_from_wire(hello.kem);
  agreement.aead = *crypto::aead_from_wire(hello.aead);
  agreement.peer_signature = *crypto::signature_from_wire(hello.signature);
  // NOLINTEND(bugprone-unchecked-optional-access)
  agreement.local_signature = options_->signer->public_key().algorithm;
  agreement.qkd = hello.qkd_mode == 1;
  agreement.offer = offer();
  agreement.policy = options_->peer.qkd;
  agreement.peer = options_->peer.name;
  agreement.rekey_demands_kem = options_->peer.rekey_demands_kem;

  const auto chosen = std::ranges::find(options_->kems, agreement.kem) - options_->kems.begin();
  QSP_TRY(auto shared_secret, state.keys[static_cast<std::size_t>(chosen)]->decapsulate(hello.kem_ciphertext));
  const schedule::Context context = environment_.schedule();
  QSP_TRY(auto secret, schedule::HandshakeSecret::derive(context, std::move(shared_secret)));
  Transcript transcript = std::move(state.transcript);
  transcript.add(message);
  QSP_TRY(const auto th, transcript.hash(context.hkdf));
  QSP_TRY(auto keys, secret.traffic_keys(context, th));

  Actions actions;
  actions.emplace_back(UseSession{agreement.session_id});
  actions.emplace_back(UseHandshakeKeys{agreement.aead, std::move(keys)});
  advance(state, AwaitServerAuth{std::move(transcript), std::move(secret), std::move(agreement)});
  return actions;
}

Result<Actions> Client::on(AwaitServerAuth& state, Bytes message) {
  QSP_TRY(const auto auth, wire::parse_server_auth(message, state.agreement.qkd));
  presented_ = present(auth.identity, auth.sae_id, state.agreement.qkd);

  // §4: "A client MUST accept exactly the identities pinned for the peer that it dialled." And: "An end MUST refuse
  // each of its own identities".
  const PinnedKey* key = pinned(options_->peer, auth.identity);
  if (key == nullptr) return refused("SERVER_AUTH: not the identity of the peer that was dialled");
  QSP_TRY(const auto own, identity_of(options_->signer->public_key(), environment_.provider.hkdf()));
  if (auth.identity == own) return refused("SERVER_AUTH: this end's own identity");
  if (key->key.algorithm != state.agreement.peer_signature)
    return refused("SERVER_AUTH: signature algorithm of the pinned key");

  const schedule::Context context = environment_.schedule();
  QSP_TRY(const auto th, state.transcript.hash(context.hkdf, auth.signed_part));
  QSP_TRY(const auto verified,
          PeerVerified::check(environment_.provider, key->key, kServerAuthContext, th, auth.signature));
  peer_verified_ = true;

  if (!auth.application.empty() && !contains(options_->applications, auth.application)) {
    return refused("SERVER_AUTH: application protocol not offered");
  }
  if (!contains(auth.signatures, std::to_underlying(state.agreement.local_signature))) {
    return fail(ErrorKind::PeerIncompatible, Reason::NoCommonSuite,
                "the server does not accept this end's signature algorithm");
  }
  state.transcript.add(message);
  state.agreement.application = auth.application;
  if (!state.agreement.qkd) return authenticate(state, verified, std::nullopt);

  // §5: enc_keys for server_SAE_ID, which must be the SAE ID pinned for that peer.
  if (auth.sae_id != options_->peer.sae_id) return refused("SERVER_AUTH: SAE ID is not the one pinned for the server");
  state.agreement.peer_sae_id = auth.sae_id;
  Actions actions;
  actions.emplace_back(NeedQkdKey{state.agreement.peer_sae_id, std::nullopt});
  advance(state,
          AwaitQkdKey{std::move(state.transcript), std::move(state.secret), std::move(state.agreement), verified});
  return actions;
}

Result<Actions> Client::on_qkd_key(DeliveredKey&& key) {
  DeliveredKey taken = std::move(key);
  auto* state = std::get_if<AwaitQkdKey>(&state_);
  if (state == nullptr) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "no QKD key is awaited");
  if (!is_uuid(taken.key_id) || taken.key.size() != QkdKey::kCapacity) {
    return fail(ErrorKind::KeySource, Reason::QkdUnavailable, "the KME's key or key_ID");
  }
  state->agreement.key_id = std::move(taken.key_id);
  return authenticate(*state, state->verified, std::move(taken.key));
}

template <class From>
Result<Actions> Client::authenticate(From& state, PeerVerified verified, std::optional<QkdKey>&& qkd_key) {
  const schedule::Context context = environment_.schedule();
  Agreement agreement = std::move(state.agreement);
  Transcript transcript = std::move(state.transcript);
  QSP_TRY(const auto identity, identity_of(options_->signer->public_key(), context.hkdf));

  wire::ClientAuth auth;
  auth.identity = identity;
  auth.signature_algorithm = std::to_underlying(agreement.local_signature);
  auth.sae_id = options_->sae_id;
  if (agreement.key_id) auth.key_id = *agreement.key_id;
  std::vector<std::uint8_t> message =
      encode_to_signature(auth, agreement.qkd, crypto::info(agreement.local_signature).signature_size);
  QSP_TRY(const auto th3, transcript.hash(context.hkdf, message));
  QSP_TRY(const auto signature, sign(environment_.provider, *options_->signer, kClientAuthContext, th3));
  wire::append_signature(message, signature);

  QSP_TRY(const auto th4, transcript.hash(context.hkdf, message));
  QSP_TRY(auto master, std::move(state.secret).master(context, th4, std::move(qkd_key)));
  QSP_TRY(const auto confirm, master.client_confirm(context, th4));
  message.insert(message.end(), confirm.begin(), confirm.end());
  transcript.add(message);

  advance(state, AwaitServerFinish{std::move(transcript), std::move(master), th4, std::move(agreement), verified});
  Actions actions;
  actions.emplace_back(SendMessage{std::move(message)});
  return actions;
}

Result<Actions> Client::on(AwaitServerFinish& state, Bytes message) {
  QSP_TRY(const auto finish, wire::parse_server_finish(message));
  const schedule::Context context = environment_.schedule();
  QSP_TRY(const auto th5, state.transcript.hash(context.hkdf, finish.up_to_confirm));
  QSP_TRY(const auto confirm, state.master.server_confirm(context, state.th4, th5));
  if (!constant_time_equal(confirm, finish.confirm)) return refused("SERVER_FINISH: confirm");

  QSP_TRY(auto epoch, std::move(state.master).first_epoch(context, state.agreement.session_id, state.th4));
  Actions actions;
  actions.emplace_back(Finished{std::move(epoch), std::move(state.agreement)});
  advance(state, Done{});
  return actions;
}

bool Client::may_alert() const noexcept {
  return std::holds_alternative<AwaitServerAuth>(state_) || std::holds_alternative<AwaitQkdKey>(state_);
}

}  // namespace qsp::handshake

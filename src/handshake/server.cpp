#include "handshake/server.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/big_endian.hpp"
#include "base/try.hpp"
#include "base/uuid.hpp"
#include "qsp/suites.hpp"

namespace qsp::handshake {
namespace {

std::unexpected<Error> nothing_common(std::string_view where) noexcept {
  return fail(ErrorKind::PeerIncompatible, Reason::NoCommonSuite, where);
}
std::unexpected<Error> against_policy(std::string_view where) noexcept {
  return fail(ErrorKind::PeerIncompatible, Reason::HandshakeFailed, where);
}

/// A non-zero u64 (SPEC §5). A generator that yields zero again and again is broken.
Result<std::uint64_t> draw_session_id(crypto::Rng& rng) {
  for (int attempt = 0; attempt < 4; ++attempt) {
    std::array<std::uint8_t, 8> bytes{};
    QSP_TRY(rng.fill(bytes));
    if (const std::uint64_t id = load_big_endian(bytes); id != 0) return id;
  }
  return fail(ErrorKind::Provider, Reason::InternalError, "random generator yields zeros");
}

}  // namespace

// The allowed successors; every other pair does not compile.
template <>
constexpr bool Server::kSuccessor<Server::AwaitClientHello, Server::AwaitClientAuth> = true;
template <>
constexpr bool Server::kSuccessor<Server::AwaitClientAuth, Server::AwaitQkdKey> = true;
template <>
constexpr bool Server::kSuccessor<Server::AwaitQkdKey, Server::Done> = true;

template <class To, class From>
void Server::advance(From& from, To&& to) {
  static_assert(kSuccessor<From, std::remove_cvref_t<To>>);
  std::remove_cvref_t<To> next = std::forward<To>(to);
  static_cast<void>(from);
  state_ = std::move(next);
}

Server::Server(Environment environment, const ServerOptions& options) noexcept
    : environment_(environment), options_(&options) {}

Result<Actions> Server::on_message(Bytes message) {
  if (auto* state = std::get_if<AwaitClientHello>(&state_)) return on(*state, message);
  if (auto* state = std::get_if<AwaitClientAuth>(&state_)) return on(*state, message);
  return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "handshake message out of turn");
}

/// §5.3: "The server MUST take the first of its own list that the client offers".
Result<Server::Choice> Server::choose(const wire::ClientHello& hello) const {
  Choice choice;
  if (!contains(hello.versions, wire::kVersion1)) return nothing_common("no common version");
  for (const crypto::KemId id : options_->kems) {
    const auto share = std::ranges::find(hello.shares, std::to_underlying(id), &wire::KemShare::kem);
    if (share == hello.shares.end()) continue;
    QSP_TRY(const auto kem, environment_.provider.kem(id));
    choice.kem = kem;
    choice.share = share->public_key;
    choice.agreement.kem = id;
    break;
  }
  if (choice.kem == nullptr) return nothing_common("no common KEM");
  const auto signer = std::ranges::find_if(options_->signers, [&](const crypto::Signer* candidate) {
    return contains(hello.signatures, std::to_underlying(candidate->public_key().algorithm));
  });
  if (signer == options_->signers.end()) return nothing_common("no common signature algorithm");
  choice.signer = *signer;
  choice.agreement.local_signature = choice.signer->public_key().algorithm;
  const auto aead = std::ranges::find_if(
      options_->aeads, [&](crypto::AeadId id) { return contains(hello.aeads, std::to_underlying(id)); });
  if (aead == options_->aeads.end()) return nothing_common("no common AEAD");
  choice.agreement.aead = *aead;

  // §5.3, the table: "required" against "none" fails; two ends that both offer QKD use it.
  const auto offer = static_cast<QkdPolicy>(hello.qkd_offer);
  if (offer == QkdPolicy::Required && options_->qkd == QkdPolicy::None) {
    return against_policy("the client requires QKD, which this listener does not offer");
  }
  if (offer == QkdPolicy::None && options_->qkd == QkdPolicy::Required) {
    return against_policy("this listener requires QKD, which the client does not offer");
  }
  choice.agreement.offer = offer;
  choice.agreement.qkd = offer != QkdPolicy::None && options_->qkd != QkdPolicy::None;
  for (const std::string& name : options_->applications) {
    const bool common = std::ranges::any_of(hello.applications, [&](Bytes other) { return as_text(other) == name; });
    if (!common) continue;
    choice.agreement.application = name;
    break;
  }
  return choice;
}

Result<std::vector<std::uint8_t>> Server::server_auth(const Choice& choice, const Transcript& transcript) const {
  crypto::Hkdf& hkdf = environment_.provider.hkdf();
  QSP_TRY(const auto identity, identity_of(choice.signer->public_key(), hkdf));
  wire::ServerAuth auth;
  auth.identity = identity;
  for (const crypto::SignatureId id : options_->client_signatures) auth.signatures.push_back(std::to_underlying(id));
  auth.sae_id = options_->sae_id;
  auth.application = choice.agreement.application;
  std::vector<std::uint8_t> message =
      encode_to_signature(auth, choice.agreement.qkd, crypto::info(choice.agreement.local_signature).signature_size);
  QSP_TRY(const auto th, transcript.hash(hkdf, message));
  QSP_TRY(const auto signature, sign(environment_.provider, *choice.signer, kServerAuthContext, th));
  wire::append_signature(message, signature);
  return message;
}

Result<Actions> Server::on(AwaitClientHello& state, Bytes message) {
  QSP_TRY(const auto hello, wire::parse_client_hello(message));
  QSP_TRY(auto choice, choose(hello));
  Agreement& agreement = choice.agreement;
  crypto::Rng& rng = environment_.provider.rng();

  wire::ServerHello reply;
  reply.version = wire::kVersion1;
  QSP_TRY(rng.fill(reply.nonce));
  QSP_TRY(const auto session_id, draw_session_id(rng));
  agreement.session_id = session_id;
  QSP_TRY(auto encapsulation, choice.kem->encapsulate(choice.share, rng));
  reply.session_id = session_id;
  reply.kem = std::to_underlying(agreement.kem);
  reply.signature = std::to_underlying(agreement.local_signature);
  reply.aead = std::to_underlying(agreement.aead);
  reply.qkd_mode = agreement.qkd ? 1 : 0;
  reply.kem_ciphertext = encapsulation.ciphertext;
  std::vector<std::uint8_t> server_hello = encode(reply);

  const schedule::Context context = environment_.schedule();
  Transcript transcript;
  transcript.add(message);
  transcript.add(server_hello);
  QSP_TRY(auto secret, schedule::HandshakeSecret::derive(context, std::move(encapsulation.secret)));
  QSP_TRY(const auto th, transcript.hash(context.hkdf));
  QSP_TRY(auto keys, secret.traffic_keys(context, th));
  QSP_TRY(auto auth, server_auth(choice, transcript));
  transcript.add(auth);

  Actions actions;
  actions.emplace_back(UseSession{agreement.session_id});
  actions.emplace_back(SendMessage{std::move(server_hello)});
  actions.emplace_back(UseHandshakeKeys{agreement.aead, std::move(keys)});
  actions.emplace_back(SendMessage{std::move(auth)});
  advance(state, AwaitClientAuth{std::move(transcript), std::move(secret), std::move(agreement)});
  return actions;
}

/// Checks the claimed identity of the client, as far as that is possible before its signature.
Result<const Peer*> Server::authorise(const wire::ClientAuth& auth) const {
  const Peer* peer = options_->peers->find(auth.identity);
  if (peer == nullptr || !peer->may_connect)
    return refused("CLIENT_AUTH: no pinned peer that may connect has this identity");
  for (const crypto::Signer* signer : options_->signers) {
    QSP_TRY(const auto own, identity_of(signer->public_key(), environment_.provider.hkdf()));
    if (auth.identity == own) return refused("CLIENT_AUTH: this end's own identity");
  }
  return peer;
}

/// §5.3: "It applies the policy pinned for the peer after the peer's signature has verified and before dec_keys".
Result<void> Server::apply_policy(const Peer& peer, const wire::ClientAuth& auth, const Agreement& agreement) const {
  if (peer.qkd == QkdPolicy::Required && !agreement.qkd) return against_policy("QKD is required for this peer");
  if (peer.qkd == QkdPolicy::None && agreement.qkd) return against_policy("no QKD is configured for this peer");
  if (agreement.qkd && auth.sae_id != peer.sae_id)
    return refused("CLIENT_AUTH: SAE ID is not the one pinned for the client");
  // §4: "An end MUST refuse … its own SAE ID": pins may come from elsewhere than a peers file.
  if (agreement.qkd && auth.sae_id == options_->sae_id) return refused("CLIENT_AUTH: this end's own SAE ID");
  return {};
}

Result<Actions> Server::on(AwaitClientAuth& state, Bytes message) {
  QSP_TRY(const auto auth, wire::parse_client_auth(message, state.agreement.qkd));
  presented_ = present(auth.identity, auth.sae_id, state.agreement.qkd);
  QSP_TRY(const auto peer, authorise(auth));
  const auto pinned = std::ranges::find(peer->keys, auth.identity, &PinnedKey::identity);
  if (pinned == peer->keys.end()) return fail(ErrorKind::Internal, Reason::InternalError, "peer directory");
  // §5: CLIENT_AUTH.sig must name the pinned key's algorithm and be in SERVER_AUTH.sig_offers.
  if (std::to_underlying(pinned->key.algorithm) != auth.signature_algorithm ||
      !contains(options_->client_signatures, pinned->key.algorithm)) {
    return refused("CLIENT_AUTH: signature algorithm");
  }
  const schedule::Context context = environment_.schedule();
  QSP_TRY(const auto th3, state.transcript.hash(context.hkdf, auth.signed_part));
  QSP_TRY(const auto verified,
          PeerVerified::check(environment_.provider, pinned->key, kClientAuthContext, th3, auth.signature));
  peer_verified_ = true;
  QSP_TRY(apply_policy(*peer, auth, state.agreement));

  Agreement agreement = std::move(state.agreement);
  agreement.peer_signature = pinned->key.algorithm;
  agreement.peer = peer->name;
  agreement.policy = options_->qkd == QkdPolicy::Required ? QkdPolicy::Required : peer->qkd;
  agreement.rekey_demands_kem = peer->rekey_demands_kem;
  Transcript transcript = std::move(state.transcript);
  transcript.add(auth.up_to_confirm);
  AwaitQkdKey next{std::move(transcript), std::move(state.secret), std::move(agreement), auth.confirm, verified};
  if (!next.agreement.qkd) {
    advance(state, std::move(next));
    return finish(std::move(std::get<AwaitQkdKey>(state_)), std::nullopt);
  }
  next.agreement.peer_sae_id = auth.sae_id;
  next.agreement.key_id = auth.key_id;
  Actions actions;
  actions.emplace_back(NeedQkdKey{next.agreement.peer_sae_id, next.agreement.key_id});
  advance(state, std::move(next));
  return actions;
}

Result<Actions> Server::on_qkd_key(DeliveredKey&& key) {
  DeliveredKey taken = std::move(key);
  auto* state = std::get_if<AwaitQkdKey>(&state_);
  if (state == nullptr) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "no QKD key is awaited");
  const auto& wanted = state->agreement.key_id;
  if (!wanted || !same_uuid(taken.key_id, *wanted) || taken.key.size() != QkdKey::kCapacity) {
    return fail(ErrorKind::KeySource, Reason::QkdUnavailable, "the KME's key or key_ID");
  }
  return finish(std::move(*state), std::move(taken.key));
}

Result<Actions> Server::finish(AwaitQkdKey&& given, std::optional<QkdKey>&& qkd_key) {
  AwaitQkdKey state = std::move(given);
  const schedule::Context context = environment_.schedule();
  QSP_TRY(const auto th4, state.transcript.hash(context.hkdf));
  QSP_TRY(auto master, std::move(state.secret).master(context, th4, std::move(qkd_key)));
  QSP_TRY(const auto expected, master.client_confirm(context, th4));
  if (!constant_time_equal(expected, state.confirm)) {
    return refused(state.agreement.qkd ? "CLIENT_AUTH: confirm (the two ends' QKD keys may differ)"
                                       : "CLIENT_AUTH: confirm");
  }

  std::vector<std::uint8_t> message = wire::encode_server_finish_to_confirm();
  Transcript transcript = std::move(state.transcript);
  transcript.add(state.confirm);
  QSP_TRY(const auto th5, transcript.hash(context.hkdf, message));
  QSP_TRY(const auto confirm, master.server_confirm(context, th4, th5));
  message.insert(message.end(), confirm.begin(), confirm.end());
  QSP_TRY(auto epoch, std::move(master).first_epoch(context, state.agreement.session_id, th4));

  Actions actions;
  actions.emplace_back(SendMessage{std::move(message)});
  actions.emplace_back(Finished{std::move(epoch), std::move(state.agreement)});
  advance(std::get<AwaitQkdKey>(state_), Done{});
  return actions;
}

}  // namespace qsp::handshake

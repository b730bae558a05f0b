#include "bench/ends.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "base/try.hpp"
#include "crypto/routed/provider.hpp"
#include "qsp/suites.hpp"

namespace qsp::bench {
namespace {

// No measurement comes near them, and Channel takes no larger ones.
constexpr std::uint64_t kManyFrames = std::uint64_t{1} << 30;
constexpr std::uint64_t kManyBytes = std::uint64_t{1} << 37;
constexpr std::chrono::hours kLongTime{24};

std::string_view sae_id(Role role) noexcept { return role == Role::Client ? "bench-client" : "bench-server"; }

/// What the two roles' options have in common.
void configure(auto& options, Role role, Form form) {
  options.aeads = {crypto::AeadId::Aes256Gcm};
  options.sae_id = sae_id(role);
  options.rekey.light = !form.kem;
  options.rekey.interval = kLongTime;
  options.rekey.frames = kManyFrames;
  options.rekey.bytes = kManyBytes;
  // Thousands of sessions may be under way at once, on a machine with other work.
  options.handshake_timeout = std::chrono::seconds(60);
}

Result<Peer> peer(const crypto::Signer& signer, Role role, Form form, crypto::Hkdf& hkdf) {
  QSP_TRY(auto pinned, pin(signer.public_key(), hkdf));
  Peer made;
  made.name = sae_id(role);
  made.keys.push_back(std::move(pinned));
  made.may_connect = role == Role::Client;
  made.may_serve = role == Role::Server;
  made.qkd = form.qkd ? QkdPolicy::Required : QkdPolicy::None;
  made.sae_id = sae_id(role);
  return made;
}

}  // namespace

Outcome<KeyPair> KeyPair::make() {
  QSP_TRY(auto provider, crypto::make_provider());
  QSP_TRY(auto client, outcome(provider->generate_private_key(crypto::SignatureId::MlDsa65, std::nullopt)));
  QSP_TRY(auto server, outcome(provider->generate_private_key(crypto::SignatureId::MlDsa65, std::nullopt)));
  return KeyPair{std::move(client), std::move(server)};
}

Outcome<std::unique_ptr<Ends>> Ends::make(const KeyPair& keys, Form form) {
  QSP_TRY(auto provider, crypto::make_provider());
  std::unique_ptr<Ends> ends(new Ends(std::move(provider)));
  crypto::Provider& crypto = ends->provider();
  QSP_TRY(auto client_signer, outcome(crypto.load_signer(keys.client.reveal_text(), nullptr)));
  QSP_TRY(auto server_signer, outcome(crypto.load_signer(keys.server.reveal_text(), nullptr)));
  ends->client_signer_ = std::move(client_signer);
  ends->server_signer_ = std::move(server_signer);

  QSP_TRY(auto known, outcome(peer(*ends->client_signer_, Role::Client, form, crypto.hkdf())));
  ends->known_.peer = std::move(known);
  QSP_TRY(auto dialled, outcome(peer(*ends->server_signer_, Role::Server, form, crypto.hkdf())));
  configure(ends->client_, Role::Client, form);
  ends->client_.signer = ends->client_signer_.get();
  ends->client_.peer = std::move(dialled);
  configure(ends->server_, Role::Server, form);
  ends->server_.signers = {ends->server_signer_.get()};
  ends->server_.peers = &ends->known_;
  ends->server_.qkd = ends->known_.peer.qkd;
  return ends;
}

Result<void> MemoryLink::answer(Channel& channel, const QkdKeyNeeded& needed) {
  if (!needed.key_id) {
    ++count_;
    key_.fill(static_cast<std::uint8_t>(count_));
    key_id_.resize(24);
    fmt::format_to(std::back_inserter(key_id_), "{:012x}", count_);
  }
  return channel.provide_qkd_key({key_id_, QkdKey::copy_of(key_)}, {});
}

Outcome<Pair> Pair::establish(Ends& ends, Wire& wire) {
  QSP_TRY(auto client, outcome(ends.client({})));
  QSP_TRY(auto server, outcome(ends.server({})));
  Pair pair(std::move(client), std::move(server), wire);
  QSP_TRY(outcome(pair.settle()));
  if (pair.client_->phase() != Phase::Established || pair.server_->phase() != Phase::Established) {
    return std::unexpected("a handshake of QSP 1.0 in memory did not end in a session");
  }
  return pair;
}

Outcome<void> Pair::rekey() {
  const std::uint32_t epoch = server_->epoch();
  QSP_TRY(outcome(server_->request_rekey({})));
  QSP_TRY(outcome(drain(*server_)));
  QSP_TRY(outcome(settle()));
  if (server_->epoch() != epoch + 1 || client_->epoch() != epoch + 1) {
    return std::unexpected(fmt::format("a rekey of QSP 1.0 in memory did not lead to epoch {}", epoch + 1));
  }
  return {};
}

Result<void> Pair::settle() {
  for (bool more = true; more;) {
    QSP_TRY(const auto there, pass(*client_, *server_));
    QSP_TRY(const auto back, pass(*server_, *client_));
    more = there || back;
  }
  return {};
}

Result<bool> Pair::pass(Channel& from, Channel& to) {
  const std::size_t size = from.poll_transmit(*wire_);
  carried_ += size;
  for (MutableBytes rest = MutableBytes(*wire_).first(size); !rest.empty();) {
    const std::size_t used = to.handle_bytes(rest, {});
    QSP_TRY(drain(to));
    if (used == 0) return fail(ErrorKind::Internal, Reason::InternalError, "bench: a flight that ends within a frame");
    rest = rest.subspan(used);
  }
  return size > 0;
}

Result<void> Pair::drain(Channel& channel) {
  while (const auto event = channel.poll_event()) {
    const auto* const needed = std::get_if<QkdKeyNeeded>(&*event);
    if (needed == nullptr) continue;
    QSP_TRY(link_.answer(channel, *needed));
  }
  return {};
}

}  // namespace qsp::bench

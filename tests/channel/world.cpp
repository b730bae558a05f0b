#include "channel/world.hpp"

#include <algorithm>
#include <cstdio>

#include "crypto/spki.hpp"

namespace qsp::test {

Peer Party::pinned(QkdPolicy qkd) const {
  return {.name = name,
          .keys = {key},
          .may_connect = true,
          .may_serve = true,
          .qkd = qkd,
          .sae_id = qkd == QkdPolicy::None ? "" : "SAE-" + name,
          .rekey_demands_kem = false};
}

Party make_party(crypto::Provider& provider, std::string name, crypto::SignatureId algorithm) {
  Party party{.name = std::move(name), .signer = nullptr, .key = {}};
  const auto pem = provider.generate_private_key(algorithm, std::nullopt).value();
  party.signer = provider.load_signer(pem.reveal_text(), nullptr).value();
  party.key.key = party.signer->public_key();
  party.key.identity = provider.hkdf().hash({crypto::spki_der(party.key.key.algorithm, party.key.key.bytes)}).value();
  return party;
}

const Peer* Pinned::find(const Identity& identity) const {
  for (const auto& peer : peers_) {
    const bool owns = std::ranges::any_of(peer->keys, [&](const PinnedKey& key) { return key.identity == identity; });
    if (owns) return peer.get();
  }
  return nullptr;
}

DeliveredKey QkdLink::enc_keys() {
  std::array<char, 37> id{};
  const std::uint64_t number = next_++;
  std::snprintf(id.data(), id.size(), "00000000-0000-4000-8000-%012llx", static_cast<unsigned long long>(number));
  std::array<std::uint8_t, 32> key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(number * 31 + i * 7 + 1);
  held_.emplace(id.data(), key);
  return {id.data(), QkdKey::copy_of(key)};
}

std::optional<QkdKey> QkdLink::dec_keys(std::string_view key_id) {
  const auto found = held_.find(key_id);
  if (found == held_.end()) return std::nullopt;
  QkdKey key = QkdKey::copy_of(found->second);
  held_.erase(found);
  return key;
}

World::World(QkdPolicy qkd) : World(make_fake_provider(1), make_fake_provider(2), qkd) {}

World::World(std::unique_ptr<crypto::Provider> client_side, std::unique_ptr<crypto::Provider> server_side,
             QkdPolicy qkd)
    : client_provider(std::move(client_side)),
      server_provider(std::move(server_side)),
      alice(make_party(*client_provider, "alice")),
      bob(make_party(*server_provider, "bob")) {
  client.signer = alice.signer.get();
  client.peer = bob.pinned(qkd);
  client.sae_id = "SAE-alice";
  server.signers = {bob.signer.get()};
  server.peers = &pinned;
  server.qkd = qkd;
  server.sae_id = "SAE-bob";
  pinned.pin(alice.pinned(qkd));
}

std::unique_ptr<Pair> World::pair() {
  forget();
  const Instant start = std::chrono::seconds(1);  // where Pair's clock starts
  return std::make_unique<Pair>(Channel::client(*client_provider, client, start).value(),
                                Channel::server(*server_provider, server, start).value());
}

bool World::answer(Pair& pair, Role role) {
  std::size_t& answered = answered_[static_cast<std::size_t>(role)];
  const auto& asked = pair.seen(role).qkd;
  if (answered >= asked.size()) return false;
  const QkdKeyNeeded& need = asked[answered++];
  Endpoint& end = channel(pair, role);
  if (!need.key_id) {
    static_cast<void>(end.provide_qkd_key(link.enc_keys(), pair.now()));
  } else if (auto key = link.dec_keys(*need.key_id)) {
    static_cast<void>(end.provide_qkd_key({*need.key_id, std::move(*key)}, pair.now()));
  } else {
    static_cast<void>(end.fail_qkd_key(QkdFailure::Unavailable, pair.now()));
  }
  pair.drain(role);
  return true;
}

void World::run_with_keys(Pair& pair) {
  do pair.run();
  while (answer(pair, Role::Client) || answer(pair, Role::Server));
}

std::unique_ptr<Pair> World::established() {
  auto made = pair();
  run_with_keys(*made);
  return made;
}

Endpoint& channel(Pair& pair, Role role) { return pair.at(role); }

}  // namespace qsp::test

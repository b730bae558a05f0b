#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qsp/channel.hpp"
#include "support/fake_provider.hpp"
#include "support/pair.hpp"

namespace qsp::test {

/// A person or site with a key of its own.
struct Party {
  std::string name;
  std::unique_ptr<crypto::Signer> signer;
  PinnedKey key;

  /// How others pin this party: it may connect and serve; `sae_id` is "SAE-" and the name where `qkd` is not None.
  [[nodiscard]] Peer pinned(QkdPolicy qkd = QkdPolicy::None) const;
};

Party make_party(crypto::Provider& provider, std::string name,
                 crypto::SignatureId algorithm = crypto::SignatureId::MlDsa65);

/// The pinned peers of a test server.
class Pinned final : public PeerDirectory {
 public:
  void pin(Peer peer) { peers_.push_back(std::make_unique<Peer>(std::move(peer))); }
  [[nodiscard]] const Peer* find(const Identity& identity) const override;

 private:
  std::vector<std::unique_ptr<Peer>> peers_;  ///< stable addresses
};

/// Two KMEs of one link that agree: a key drawn at one end by enc_keys is known by its key_ID at the other.
class QkdLink {
 public:
  DeliveredKey enc_keys();
  /// Nothing: unknown, or already taken.
  std::optional<QkdKey> dec_keys(std::string_view key_id);

 private:
  std::uint64_t next_ = 1;
  std::map<std::string, std::array<std::uint8_t, 32>, std::less<>> held_;
};

/// A client "alice" and a server "bob" who have pinned each other, over fake providers. Change the options, then
/// `pair()`.
struct World {
  explicit World(QkdPolicy qkd = QkdPolicy::None);
  World(std::unique_ptr<crypto::Provider> client, std::unique_ptr<crypto::Provider> server,
        QkdPolicy qkd = QkdPolicy::None);

  std::unique_ptr<crypto::Provider> client_provider, server_provider;
  Party alice, bob;
  ClientOptions client;
  ServerOptions server;
  Pinned pinned;
  QkdLink link;

  /// A fresh pair before its first byte. It must not outlive the world.
  [[nodiscard]] std::unique_ptr<Pair> pair();
  /// A pair on which `run_with_keys` has established a session.
  [[nodiscard]] std::unique_ptr<Pair> established();
  /// Delivers everything and answers QkdKeyNeeded from the link, until nothing moves.
  void run_with_keys(Pair& pair);
  /// Answers what this end waits for, if anything. False: nothing.
  bool answer(Pair& pair, Role role);
  /// Forgets which requests were answered: call it with every new pair.
  void forget() { answered_ = {}; }

 private:
  std::array<std::size_t, 2> answered_{};
};

Endpoint& channel(Pair& pair, Role role);

}  // namespace qsp::test

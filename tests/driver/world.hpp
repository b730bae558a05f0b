#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qsp/crypto.hpp"
#include "qsp/peer.hpp"
#include "qsp/tcp.hpp"

namespace qsp::tcp::test {

std::unique_ptr<crypto::Provider> make_provider();

/// Alice, who connects, and Bob, who serves, on a port of the system's choice; each has pinned the other.
struct World : PeerDirectory {
  World();

  [[nodiscard]] const Peer* find(const Identity& identity) const override {
    return identity == alice.keys.front().identity ? &alice : nullptr;
  }
  [[nodiscard]] ClientOptions client() const { return {.signer = alice_key.get(), .peer = bob}; }
  [[nodiscard]] ServerOptions server() const { return {.signers = {bob_key.get()}, .peers = this}; }

  /// Both ends of a session; the server stands in `listening`.
  struct Ends {
    Session alice, bob;
  };
  Ends meet(const ConnectOptions& dial = {}, const ServeOptions& serving = {});

  std::unique_ptr<crypto::Signer> alice_key, bob_key;
  Peer alice, bob;
  std::optional<Server> listening;
};

/// All that comes, up to the end.
Result<std::string, Failure> read_all(Session& session);

}  // namespace qsp::tcp::test

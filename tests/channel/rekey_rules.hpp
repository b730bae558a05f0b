#pragma once

#include <memory>
#include <optional>

#include "channel/malicious.hpp"

namespace qsp::test {

/// A session whose one end a malicious peer plays.
struct Rules {
  explicit Rules(Role malicious, QkdPolicy qkd = QkdPolicy::None, bool light = false, bool demands_kem = false)
      : world(qkd), victim(other(malicious)) {
    world.server.rekey.light = light;
    world.client.peer.rekey_demands_kem = demands_kem;
    pair = established_with_log(world, insider);
    peer.emplace(*pair, malicious, insider);
  }
  /// The victim's reason for closing, or nothing while it lives.
  [[nodiscard]] std::optional<Reason> closed() const {
    const auto& event = pair->seen(victim).closed;
    return event && !event->by_peer ? std::optional(event->reason) : std::nullopt;
  }
  [[nodiscard]] Bytes share() {
    key = world.server_provider->kem(crypto::KemId::X25519MlKem768)
              .value()
              ->generate(world.server_provider->rng())
              .value();
    return key->public_key();
  }

  World world;
  Role victim;
  Insider insider{*world.client_provider};
  std::unique_ptr<Pair> pair;
  std::optional<MaliciousEnd> peer;
  std::unique_ptr<crypto::KemPrivateKey> key;
};

}  // namespace qsp::test

#pragma once

#include "channel/session.hpp"

namespace qsp::channel {

/// What a test may do to a session that no run of it could reach: 2^32 epochs, or 2^38 bytes under one key.
struct TestAccess {
  /// Puts an end into `epoch` as if it had just begun, under keys that only depend on its number, with the limits of
  /// `limits`. Precondition: `end` is a channel, Established, no rekey in flight, and the other end is moved alike.
  static void move_to(Endpoint& end, std::uint32_t epoch, const crypto::AeadInfo& limits) {
    auto& session = static_cast<Session&>(end);
    const auto key = [&](std::uint8_t owner) {
      std::array<std::uint8_t, TrafficKey::kCapacity> bytes{};
      bytes.fill(owner);
      return TrafficKey::copy_of(bytes);
    };
    const auto aead = [&] { return session.provider_.aead(limits.id).value(); };
    session.sender_.set_aead(aead(), limits);
    session.receiver_.set_aeads(aead(), aead(), limits);
    const bool client = session.role_ == Role::Client;
    session.sender_.set_key(epoch, key(client ? 1 : 2)).value();
    session.receiver_.set_key(epoch, key(client ? 2 : 1)).value();
    session.live_->ratchet = schedule::Ratchet(ScheduleSecret(), epoch);
    session.live_->exporter_epoch = epoch;
    session.live_->current.epoch = epoch;
  }
};

}  // namespace qsp::channel

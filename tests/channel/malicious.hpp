#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "channel/insider.hpp"
#include "channel/world.hpp"
#include "wire/frame.hpp"
#include "wire/rekey.hpp"

namespace qsp::test {

/// World::pair and World::established, with both ends' secrets told to `log`, which outlives the pair.
std::unique_ptr<Pair> pair_with_log(World& world, schedule::DangerousKeyLog& log);
std::unique_ptr<Pair> established_with_log(World& world, schedule::DangerousKeyLog& log);

/// A pinned peer that breaks the rules of an established session: it takes the place of one end of a pair, whose keys
/// `insider` was told, and writes what it likes at that end's next n.
class MaliciousEnd {
 public:
  /// Takes the place of `role` after what that end has made so far. Both references outlive it.
  MaliciousEnd(Pair& pair, Role role, Insider& insider);

  /// A frame with the next n, sealed under this end's key of `epoch`.
  [[nodiscard]] Frame seal(wire::FrameType type, Bytes plaintext, std::uint8_t flags = 0);
  /// Seals and delivers at once.
  void send(wire::FrameType type, Bytes plaintext, std::uint8_t flags = 0);
  void send(const wire::RekeyMessage& message);
  /// Takes what the victim has on its way off the wire, opened, in order.
  std::vector<Message> take();
  /// The last REKEY message among them, or nothing. Views live until the next call.
  [[nodiscard]] std::optional<wire::RekeyMessage> take_rekey();

  /// The epoch that it seals under.
  std::uint32_t epoch;

 private:
  Pair& pair_;
  Role role_;
  Insider& insider_;
  std::uint64_t next_;
  Message last_;
};

}  // namespace qsp::test

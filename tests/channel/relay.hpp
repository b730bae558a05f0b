#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

#include "channel/insider.hpp"
#include "channel/world.hpp"

namespace qsp::test {

/// An attacker between the two ends of a Pair who learns the traffic keys of each, as after a broken KEM: opens every
/// frame under its sender's keys, edits the plaintext and seals it again under its receiver's. The two ends' keys are
/// kept apart, since they differ once a hello was edited.
class Relay {
 public:
  /// Called with every plaintext that `from` sends, `n` being its count; clear messages included.
  using Edit = std::function<void(Role from, std::uint64_t n, Message& plaintext)>;

  /// `world` outlives it.
  explicit Relay(World& world);

  [[nodiscard]] Pair& pair() noexcept { return *pair_; }
  [[nodiscard]] Insider& insider(Role end) noexcept { return end == Role::Client ? client_ : server_; }

  /// Passes on everything in flight, both ways, and answers QkdKeyNeeded, until nothing moves.
  void run(const Edit& edit = {});

 private:
  bool pass(Role from, const Edit& edit);
  /// What SERVER_HELLO, as `reader` sees it, chooses.
  void learn_aead(Role from, const Message& message, Role reader);

  World& world_;
  Insider client_, server_;
  std::unique_ptr<Pair> pair_;
  std::array<std::uint64_t, 2> passed_{};
};

/// What drivers do once nothing moves any more: timers run out, and whoever has closed ends its stream. Afterwards both
/// ends should be closed; a pair that nobody has harmed is not.
void settle(World& world, Pair& pair);

/// Runs the pair with the world's QKD keys, and hands the frame that is number `index` of those that `from` makes from
/// now on to `alter` before it is delivered.
void run_altering(World& world, Pair& pair, Role from, std::size_t index, const std::function<void(Frame&)>& alter);

}  // namespace qsp::test

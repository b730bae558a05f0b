#pragma once

#include <array>

#include "channel/world.hpp"

namespace qsp::test {

/// The two KMEs of a world's link and an event loop around a pair: time passes with every timeout on its instant, and
/// what is asked of a KME is answered, or refused while the KME is down. Use it in place of World::answer.
class Kmes {
 public:
  /// Both outlive it. Requests that the pair has made so far count as answered.
  Kmes(World& world, Pair& pair);

  void take_down(Role side, QkdFailure why = QkdFailure::Unavailable) { state(side) = {.up = false, .why = why}; }
  void bring_up(Role side) { state(side).up = true; }
  /// From now on this side's KME neither answers nor fails.
  void silence(Role side) { state(side).silent = true; }

  /// Delivers and answers until nothing moves.
  void settle();
  /// Lets time pass, settling after every timeout. Returns how often a timeout was handled.
  std::size_t pass(Instant by);

 private:
  struct State {
    bool up = true;
    bool silent = false;
    QkdFailure why = QkdFailure::Unavailable;
    std::size_t answered = 0;
  };
  State& state(Role side) noexcept { return states_[static_cast<std::size_t>(side)]; }
  bool answer(Role side);
  [[nodiscard]] std::optional<Instant> next_timeout();

  World& world_;
  Pair& pair_;
  std::array<State, 2> states_;
};

}  // namespace qsp::test

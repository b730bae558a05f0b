#pragma once

#include <chrono>
#include <optional>
#include <random>

#include "qsp/endpoint.hpp"

/// Dialling again where that may help: the server was full, or a budget of QKD keys was spent.
namespace qsp::node {

struct DialReport;

/// Whether it was a spent budget, this end's or the peer's, that ended a handshake in which a key was asked for. The
/// peer may also mean by LIMIT that it has no room (SPEC §5.8): the remedy is the same.
bool is_spent_budget(const Closed& handshake) noexcept;

/// How long to wait before dial number `dial` after such an end, 1 being the first: one refill of the budget (SPEC
/// §5.7), then as SPEC §5.9 has it.
std::chrono::seconds wait_for_budget(unsigned dial) noexcept;

/// The pauses between such dials, until the time for all of dialling is over.
class Redial {
 public:
  /// Dialling is over `within` after `now`; 0: it is one dial, without a limit of its own. `seed` differs from process
  /// to process.
  Redial(std::chrono::nanoseconds within, Instant now, std::minstd_rand::result_type seed);

  /// When the last handshake has to be done; Instant::max() where nothing limits it.
  [[nodiscard]] Instant dial_by() const noexcept { return dial_by_; }

  /// What to do after a dial; nothing where no other may help, or the time is over. A redial without a QKD key is one
  /// dial, and whatever follows it offers what the policy says (SPEC §5.9).
  struct Next {
    std::chrono::nanoseconds pause{};
    bool without_qkd = false;
  };
  std::optional<Next> after(const DialReport& dial, Instant now);

  /// How long to wait for room; nothing: too little time is left. What these pauses are drawn from doubles from 0.2 s
  /// to 60 s (SPEC §5.9); each is drawn evenly from its upper half, so that clients who were refused together do not
  /// come back together. The last one leaves time for a dial: 1 s, or half of all the time where that is less.
  std::optional<std::chrono::nanoseconds> pause_for_room(Instant now);

  /// How long to wait for the next key: the wait of SPEC §5.9, which is never cut short, and leaves as much.
  std::optional<std::chrono::nanoseconds> pause_for_budget(Instant now) noexcept;

 private:
  /// When the last dial has to begin.
  Instant begin_by_;
  Instant dial_by_;
  std::minstd_rand random_;
  std::chrono::nanoseconds longest_ = std::chrono::milliseconds(200);
  unsigned waits_for_budget_ = 0;
};

}  // namespace qsp::node

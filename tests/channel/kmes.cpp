#include "channel/kmes.hpp"

#include <algorithm>

namespace qsp::test {

Kmes::Kmes(World& world, Pair& pair) : world_(world), pair_(pair) {
  for (const Role side : {Role::Client, Role::Server}) state(side).answered = pair.seen(side).qkd.size();
}

bool Kmes::answer(Role side) {
  State& kme = state(side);
  const auto& asked = pair_.seen(side).qkd;
  if (kme.answered >= asked.size()) return false;
  const QkdKeyNeeded need = asked[kme.answered++];
  if (kme.silent) return true;
  Endpoint& end = channel(pair_, side);
  if (!kme.up) {
    static_cast<void>(end.fail_qkd_key(kme.why, pair_.now()));
  } else if (!need.key_id) {
    static_cast<void>(end.provide_qkd_key(world_.link.enc_keys(), pair_.now()));
  } else if (auto key = world_.link.dec_keys(*need.key_id)) {
    static_cast<void>(end.provide_qkd_key({*need.key_id, std::move(*key)}, pair_.now()));
  } else {
    static_cast<void>(end.fail_qkd_key(QkdFailure::Unavailable, pair_.now()));
  }
  pair_.drain(side);
  return true;
}

void Kmes::settle() {
  do pair_.run();
  while (answer(Role::Client) || answer(Role::Server));
}

std::optional<Instant> Kmes::next_timeout() {
  std::optional<Instant> next;
  for (const Role side : {Role::Client, Role::Server}) {
    const auto due = pair_.at(side).next_timeout();
    if (due && (!next || *due < *next)) next = due;
  }
  return next;
}

std::size_t Kmes::pass(Instant by) {
  const Instant end = pair_.now() + by;
  std::size_t handled = 0;
  settle();
  for (auto next = next_timeout(); next && *next <= end; next = next_timeout()) {
    pair_.advance(std::max(*next - pair_.now(), Instant::zero()));
    ++handled;
    settle();
    // Whoever spins here would spin in every event loop.
    if (handled > 100'000) break;
  }
  pair_.advance(end - pair_.now());
  settle();
  return handled;
}

}  // namespace qsp::test

#include "e91/local/experiment.hpp"

#include <cmath>
#include <utility>

#include "base/try.hpp"
#include "e91/link/link.hpp"
#include "e91/post/sift.hpp"

namespace qsp::e91::local {
namespace {

Result<Settings> draw_settings(crypto::Provider& provider, const link::LinkConfig& config, Side side) {
  Seed seed;
  QSP_TRY(provider.rng().fill(seed.writable()));
  return Settings::create(provider, std::move(seed), weights(config.mode, side, config.p_z));
}

}  // namespace

std::uint64_t Observation::coincidences() const noexcept {
  std::uint64_t sum = 0;
  for (const keyrate::Coincidences& one : outcomes) sum += one.same + one.different;
  return sum;
}

void Observation::add(const Observation& other) noexcept {
  for (std::size_t pair = 0; pair < outcomes.size(); ++pair) {
    outcomes.at(pair).same += other.outcomes.at(pair).same;
    outcomes.at(pair).different += other.outcomes.at(pair).different;
  }
  alice_clicks += other.alice_clicks;
  bob_clicks += other.bob_clicks;
  seconds += other.seconds;
}

Result<Observation> observe(crypto::Provider& provider, const link::LinkConfig& config, const link::Eve& eve,
                            std::uint64_t slots) {
  QSP_TRY(auto link, link::Link::create(provider, config, eve));
  QSP_TRY(auto alice, draw_settings(provider, config, Side::Alice));
  QSP_TRY(auto bob, draw_settings(provider, config, Side::Bob));
  Clicks at_alice;
  Clicks at_bob;
  QSP_TRY(link.emit(alice, bob, slots, at_alice, at_bob));

  Observation seen;
  seen.alice_clicks = at_alice.size();
  seen.bob_clicks = at_bob.size();
  seen.seconds = static_cast<double>(slots) / config.slots_per_s;
  auto other = at_bob.begin();
  for (const Click click : at_alice) {
    while (other != at_bob.end() && other->slot() < click.slot()) ++other;
    if (other == at_bob.end()) break;
    if (other->slot() != click.slot()) continue;
    auto& counts = seen.outcomes.at(kMaxSettings * alice.at(click.slot()) + bob.at(click.slot()));
    ++(click.bit() == other->bit() ? counts.same : counts.different);
  }
  return seen;
}

keyrate::Sample key_sample(Mode mode, const post::Outcomes& outcomes) {
  keyrate::Sample sample;
  for (std::size_t pair = 0; pair < outcomes.size(); ++pair) {
    const auto alice = static_cast<std::uint8_t>(pair / kMaxSettings);
    const auto bob = static_cast<std::uint8_t>(pair % kMaxSettings);
    if (post::role(mode, alice, bob) != post::RoundRole::Key) continue;
    sample.bits += outcomes[pair].same + outcomes[pair].different;
    sample.errors += outcomes[pair].same;
  }
  return sample;
}

std::optional<keyrate::Estimate> correlation(const post::Outcomes& outcomes, std::size_t alice, std::size_t bob) {
  const keyrate::Coincidences& counts = outcomes.at(kMaxSettings * alice + bob);
  const auto all = static_cast<double>(counts.same + counts.different);
  if (all == 0) return std::nullopt;
  const double value = (static_cast<double>(counts.same) - static_cast<double>(counts.different)) / all;
  return keyrate::Estimate{.value = value, .deviation = std::sqrt((1 - value * value) / all)};
}

}  // namespace qsp::e91::local

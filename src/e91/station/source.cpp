#include "e91/station/source.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "base/try.hpp"

namespace qsp::e91::station {

Result<Source> Source::create(crypto::Provider& provider, const link::LinkConfig& config, EveChoice&& eve) {
  QSP_TRY(auto link, link::Link::create(provider, config, eve.current()));
  return Source(provider, config, std::move(link), std::move(eve));
}

Result<std::optional<Source::Answers>> Source::order(Side side, Bytes message) {
  QSP_TRY(auto parsed, parse_order(message));
  orders_.at(static_cast<std::size_t>(side)) = std::move(parsed);
  auto& [alice, bob] = orders_;
  // Of different pairings, or blocks: one station is behind, and will order again.
  if (!alice || !bob || alice->block != bob->block) return std::nullopt;
  Order of_alice = std::move(*alice);
  Order of_bob = std::move(*bob);
  alice.reset();
  bob.reset();
  return play(std::move(of_alice), std::move(of_bob));
}

Result<Source::Answers> Source::play(Order&& alice, Order&& bob) {
  for (const Order* const order : {&alice, &bob}) {
    if (order->mode != config_.mode || (config_.mode == Mode::Biased && order->p_z != config_.p_z)) {
      return decline(alice, bob, "the stations' settings are not those of this link: give all the same --link-file");
    }
  }
  if (alice.slots != bob.slots) return decline(alice, bob, "the stations ordered blocks of different lengths");
  QSP_TRY(look_for_eve());

  QSP_TRY(auto of_alice,
          Settings::create(provider_, std::move(alice.seed), weights(config_.mode, Side::Alice, config_.p_z)));
  QSP_TRY(auto of_bob, Settings::create(provider_, std::move(bob.seed), weights(config_.mode, Side::Bob, config_.p_z)));
  Detections to_alice{.block = alice.block, .slots = alice.slots, .clicks = {}};
  Detections to_bob{.block = bob.block, .slots = bob.slots, .clicks = {}};
  auto emitted = link_.emit(of_alice, of_bob, alice.slots, to_alice.clicks, to_bob.clicks);
  if (!emitted && emitted.error().kind != ErrorKind::ApiMisuse) return std::unexpected(emitted.error());
  if (!emitted || to_alice.clicks.size() > post::kMaxClicks || to_bob.clicks.size() > post::kMaxClicks) {
    return decline(alice, bob, "the block has more clicks than a block may have: order a shorter one");
  }
  ++blocks_;
  spdlog::debug("block {}: {} slots, {} clicks at Alice, {} at Bob, Eve: {}", alice.block.number, alice.slots,
                to_alice.clicks.size(), to_bob.clicks.size(), eve_.current().name());
  return Answers{.block = alice.block,
                 .message = {SecretBytes(encode(to_alice)), SecretBytes(encode(to_bob))},
                 .light = std::chrono::duration_cast<std::chrono::nanoseconds>(
                     std::chrono::duration<double>(static_cast<double>(alice.slots) / config_.slots_per_s))};
}

Source::Answers Source::decline(const Order& alice, const Order& bob, std::string_view why) const {
  spdlog::warn("block {} declined: {}", alice.block.number, why);
  return {.block = alice.block,
          .message = {SecretBytes(encode(Declined{.block = alice.block, .why = std::string(why)})),
                      SecretBytes(encode(Declined{.block = bob.block, .why = std::string(why)}))},
          .light = {}};
}

Result<void> Source::look_for_eve() {
  const auto eve = eve_.changed();
  if (!eve) return {};
  QSP_TRY(auto link, link::Link::create(provider_, config_, *eve));
  link_ = std::move(link);
  spdlog::warn("Eve: {}, from the next block on", eve_.current().name());
  return {};
}

}  // namespace qsp::e91::station

#include "e91/local/local_link.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/try.hpp"
#include "e91/link/expected.hpp"

namespace qsp::e91::local {
namespace {

bool equal(const std::vector<party::FinalKey>& a, const std::vector<party::FinalKey>& b) noexcept {
  return std::ranges::equal(a, b, [](const party::FinalKey& one, const party::FinalKey& two) {
    return one.id == two.id && constant_time_equal(one.key.reveal(), two.key.reveal());
  });
}

std::unexpected<Error> refuse(std::string_view where) noexcept {
  return fail(ErrorKind::ApiMisuse, Reason::InternalError, where);
}

}  // namespace

std::uint64_t slots_for(const link::LinkConfig& link, std::uint64_t key_bits) {
  // Eight standard deviations of as many bits.
  constexpr double kMargin = 8 * 1024;
  const link::Expected rates = expected(link, *link::no_eve());
  const double per_slot = rates.key_pairs_per_s / link.slots_per_s;
  if (!(per_slot > 0)) return 0;
  const double most =
      (static_cast<double>(post::kMaxKeyBits) - kMargin) * link.slots_per_s / rates.most_key_pairs_per_s;
  const double slots = std::ceil(std::min(static_cast<double>(key_bits) / per_slot, most));
  return slots < static_cast<double>(link::Link::kMaxSlots) ? static_cast<std::uint64_t>(slots) : 0;
}

post::PostConfig post_of(const link::LinkConfig& link) {
  const link::Stations stations = stations_of(link);
  post::PostConfig post;
  post.mode = link.mode;
  post.dead_slots = {stations.alice.dead_slots, stations.bob.dead_slots};
  return post;
}

void settle(post::Block& alice, post::Block& bob) {
  for (bool moved = true; moved;) {
    moved = false;
    for (const auto& [from, to] : {std::pair{&bob, &alice}, std::pair{&alice, &bob}}) {
      for (const auto& message : from->poll()) {
        to->handle(message);
        moved = true;
      }
    }
  }
}

LocalLink::LocalLink(crypto::Provider& provider, const LocalConfig& config, std::uint64_t slots, link::Link&& link,
                     post::Listener&& listener) noexcept
    : provider_(provider), config_(config), slots_(slots), link_(std::move(link)), listener_(std::move(listener)) {}

Result<std::unique_ptr<LocalLink>> LocalLink::create(crypto::Provider& provider, const LocalConfig& config,
                                                     const link::Eve& eve, post::Listener listener) {
  QSP_TRY(validate(config.link));
  if (config.post.mode != config.link.mode) return refuse("the post-processing is set to another mode than the link");
  if (config.post.dead_slots != post_of(config.link).dead_slots) {
    return refuse("the post-processing is set to other dead times than the link");
  }
  if (config.block_bits < 1 || config.block_bits > post::kMaxKeyBits) return refuse("block_bits is out of its range");
  const std::uint64_t slots = slots_for(config.link, config.block_bits);
  if (slots == 0) return refuse("this link brings no sifted key");
  const double seconds = static_cast<double>(slots) / config.link.slots_per_s;
  if (expected(config.link, *link::no_eve()).bob_singles_per_s * seconds >
      0.95 * static_cast<double>(post::kMaxClicks)) {
    return refuse(
        "a block of so many sifted bits has more clicks on this link than one message carries: make it smaller");
  }
  QSP_TRY(auto link, link::Link::create(provider, config.link, eve));
  std::unique_ptr<LocalLink> run(new LocalLink(provider, config, slots, std::move(link), std::move(listener)));
  QSP_TRY(run->pair());
  return run;
}

Result<void> LocalLink::pair() {
  party::Pairing pairing{.config = config_.post, .p_z = config_.link.p_z, .name = {}};
  Secret<post::AuthenticationPad::kBootstrap, struct BootstrapTag> bootstrap;
  QSP_TRY(provider_.rng().fill(pairing.name));
  QSP_TRY(provider_.rng().fill(bootstrap.writable()));
  // Both ends see every message; one account of it is enough.
  alice_ = std::make_unique<party::Party>(provider_, Side::Alice, pairing, post::AuthenticationPad(bootstrap.reveal()),
                                          listener_);
  bob_ = std::make_unique<party::Party>(provider_, Side::Bob, pairing, post::AuthenticationPad(bootstrap.reveal()),
                                        post::Listener{});
  return {};
}

Result<void> LocalLink::set_eve(const link::Eve& eve) {
  QSP_TRY(auto link, link::Link::create(provider_, config_.link, eve));
  link_ = std::move(link);
  return {};
}

Result<BlockOutcome> LocalLink::block() {
  if (!alice_->paired() || !bob_->paired()) {
    QSP_TRY(pair());
  }
  const std::uint64_t number = next_block_++;
  QSP_TRY(auto of_alice, alice_->prepare(number));
  QSP_TRY(auto of_bob, bob_->prepare(number));
  QSP_TRY(auto alice_settings,
          Settings::create(provider_, std::move(of_alice), weights(config_.link.mode, Side::Alice, config_.link.p_z)));
  QSP_TRY(auto bob_settings,
          Settings::create(provider_, std::move(of_bob), weights(config_.link.mode, Side::Bob, config_.link.p_z)));

  Clicks to_alice;
  Clicks to_bob;
  to_alice.reserve(most_clicks_);
  to_bob.reserve(most_clicks_);
  QSP_TRY(link_.emit(alice_settings, bob_settings, slots_, to_alice, to_bob));
  BlockOutcome outcome;
  outcome.alice_clicks = to_alice.size();
  most_clicks_ = std::max({most_clicks_, to_alice.size() + to_alice.size() / 64, to_bob.size() + to_bob.size() / 64});
  outcome.link_seconds = static_cast<double>(slots_) / config_.link.slots_per_s;
  alice_->begin(slots_, std::move(to_alice));
  bob_->begin(slots_, std::move(to_bob));
  settle(*alice_->block(), *bob_->block());
  outcome.alice = alice_->block()->report();
  outcome.bob = bob_->block()->report();
  outcome.alice_keys = alice_->finish();
  outcome.bob_keys = bob_->finish();
  outcome.keys_equal = equal(outcome.alice_keys, outcome.bob_keys);
  return outcome;
}

}  // namespace qsp::e91::local

#include "e91/link/link.hpp"

#include <algorithm>

#include "base/try.hpp"

namespace qsp::e91::link {

namespace {

double most_clicks_per_slot(const ClickTables& tables) noexcept {
  double most = 0;
  for (std::size_t i = 0; i < tables.alice; ++i) {
    for (std::size_t j = 0; j < tables.bob; ++j) {
      double alice = 0;
      double bob = 0;
      for (std::size_t k = 0; k < kPatterns; ++k) {
        if ((k & 3) != 0) alice += tables.patterns.at(i).at(j)[k];
        if (k >> 2 != 0) bob += tables.patterns.at(i).at(j)[k];
      }
      most = std::max({most, alice, bob});
    }
  }
  return most;
}

}  // namespace

Result<Link> Link::create(crypto::Provider& provider, const LinkConfig& config, const Eve& eve,
                          std::optional<Seed> seed) {
  QSP_TRY(validate(config));
  QSP_TRY(auto random,
          seed ? RandomStream::create(provider, std::move(*seed)) : RandomStream::create(provider, provider.rng()));
  const Stations stations = stations_of(config);
  const ClickTables tables = eve.attack(light_of(config), stations);
  return Link(config, std::move(random), Sampler(tables, stations, faster(tables)), most_clicks_per_slot(tables));
}

Result<void> Link::emit(Settings& alice, Settings& bob, std::uint64_t slots, Clicks& to_alice, Clicks& to_bob) {
  if (slots > kMaxSlots || static_cast<double>(slots) * clicks_per_slot_ > kMaxClicks) {
    return fail(ErrorKind::ApiMisuse, Reason::Limit, "a block of the link has too many slots");
  }
  sampler_.sample(random_, alice, bob, slots, to_alice, to_bob);
  if (!random_.healthy() || !alice.healthy() || !bob.healthy()) {
    to_alice.clear();
    to_bob.clear();
    return fail(ErrorKind::Provider, Reason::InternalError, "the random numbers of the link failed");
  }
  return {};
}

}  // namespace qsp::e91::link

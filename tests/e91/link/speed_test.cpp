#include <cstdio>
#include <ctime>

#include "play.hpp"

namespace qsp::e91::link {
namespace {

/// Slots a second of one link on this machine, printed: a figure, no condition.
void time_link(const char* name, const LinkConfig& config, std::uint64_t slots) {
  Player player(config, *no_eve());
  Settings alice = player.settings(Side::Alice, 1);
  Settings bob = player.settings(Side::Bob, 1);
  auto provider = crypto::make_openssl_provider().value();
  const auto eve = no_eve();
  Link link = Link::create(*provider, config, *eve, seed_of(9)).value();
  const std::clock_t start = std::clock();  // of this process: others may be using the machine
  constexpr std::uint64_t kBlocks = 100;
  for (std::uint64_t i = 0; i < kBlocks; ++i) {
    ASSERT_TRUE(link.emit(alice, bob, slots / kBlocks, player.to_alice, player.to_bob).has_value());
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("%-34s %10.1f M slots/s, %zu clicks of Alice in the last block, %.2f s\n", name,
              static_cast<double>(slots) / seconds / 1e6, player.to_alice.size(), seconds);
}

TEST(LinkSpeed, DISABLED_is_printed) {
  time_link("ideal pairs", ideal(), 100'000'000);
  time_link("ideal pairs, biased", {.p_z = 0.9, .statistics = PairStatistics::Single, .mean_pairs = 1}, 100'000'000);
  LinkConfig fibre{.mean_pairs = 0.1};
  fibre.alice = {
      .fibre_km = 10, .extra_loss_db = 3, .detector_efficiency = 0.2, .dark_counts_per_s = 500, .dead_time_ns = 1000};
  fibre.bob = fibre.alice;
  time_link("20 km", fibre, 200'000'000);
  fibre.alice.detector_efficiency = fibre.bob.detector_efficiency = 1;
  fibre.alice.extra_loss_db = fibre.bob.extra_loss_db = 0;
  fibre.mean_pairs = 0.5;
  fibre.alice.dead_time_ns = fibre.bob.dead_time_ns = 20;
  time_link("20 km, bright, dense, dead time", fibre, 50'000'000);
  fibre = {.slots_per_s = 1e9, .mean_pairs = 0.01};
  fibre.alice = {.extra_loss_db = 39.5, .dark_counts_per_s = 300, .dead_time_ns = 30};
  fibre.bob = fibre.alice;
  time_link("79 dB", fibre, 10'000'000'000);
}

}  // namespace
}  // namespace qsp::e91::link

#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "e91/link/expected.hpp"
#include "e91/link/link.hpp"
#include "e91/seed_of.hpp"
#include "qsp/openssl.hpp"

/// Plays links and counts what came out, for the tests of this folder.
namespace qsp::e91::link {

/// What was counted of one pair of settings.
struct Counts {
  std::uint64_t slots = 0;
  std::uint64_t alice = 0;
  std::uint64_t alice_ones = 0;
  std::uint64_t bob = 0;
  std::uint64_t bob_ones = 0;
  std::uint64_t both = 0;
  std::uint64_t equal = 0;

  [[nodiscard]] double correlation() const {
    return both == 0 ? 0 : 2 * static_cast<double>(equal) / static_cast<double>(both) - 1;
  }
};

struct Tally {
  std::array<std::array<Counts, kMaxSettings>, kMaxSettings> by_settings{};

  [[nodiscard]] Counts total() const {
    Counts sum;
    for (const auto& row : by_settings) {
      for (const Counts& one : row) {
        sum.slots += one.slots;
        sum.alice += one.alice;
        sum.alice_ones += one.alice_ones;
        sum.bob += one.bob;
        sum.bob_ones += one.bob_ones;
        sum.both += one.both;
        sum.equal += one.equal;
      }
    }
    return sum;
  }
};

struct Chsh {
  double s = 0;
  double sigma = 0;
};

inline Chsh chsh(const Tally& tally, Mode mode) {
  const std::size_t last = mode == Mode::Biased ? 1 : 2;
  const std::size_t b1 = mode == Mode::Biased ? 2 : 0;
  const std::size_t b3 = mode == Mode::Biased ? 3 : 2;
  Chsh result;
  double variance = 0;
  const auto add = [&](std::size_t a, std::size_t b, double sign) {
    const Counts& counts = tally.by_settings.at(a).at(b);
    const double e = counts.correlation();
    result.s += sign * e;
    variance += (1 - e * e) / static_cast<double>(counts.both);
  };
  add(0, b1, 1);
  add(0, b3, -1);
  add(last, b1, 1);
  add(last, b3, 1);
  result.sigma = std::sqrt(variance);
  return result;
}

/// Settings of both sides under fixed seeds, and a link too.
class Player {
 public:
  explicit Player(const LinkConfig& config, const Eve& eve, std::uint8_t seed = 1)
      : config_(config), link_(Link::create(*provider_, config, eve, seed_of(seed)).value()) {}

  Settings settings(Side side, std::uint8_t seed) {
    const auto byte = static_cast<std::uint8_t>(2 * seed + (side == Side::Alice ? 100 : 101));
    return Settings::create(*provider_, seed_of(byte), weights(config_.mode, side, config_.p_z)).value();
  }

  /// One block. Without `count_slots`, which takes a look at the settings of every slot, slots are not counted and the
  /// clicks of one side only are all counted with the first pair of settings.
  Tally play(std::uint64_t slots, bool count_slots = false, std::uint8_t seed = 1) {
    Settings alice = settings(Side::Alice, seed);
    Settings bob = settings(Side::Bob, seed);
    EXPECT_TRUE(link_.emit(alice, bob, slots, to_alice, to_bob).has_value());
    return tally(slots, count_slots, seed);
  }

  Clicks to_alice;
  Clicks to_bob;

 private:
  Tally tally(std::uint64_t slots, bool count_slots, std::uint8_t seed) {
    Settings a = settings(Side::Alice, seed);
    Settings b = settings(Side::Bob, seed);
    Tally result;
    for (std::uint64_t slot = 0; count_slots && slot < slots; ++slot)
      ++result.by_settings[a.at(slot)][b.at(slot)].slots;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < to_alice.size() || j < to_bob.size()) {
      const std::uint64_t of_alice = i < to_alice.size() ? to_alice[i].slot() : UINT64_MAX;
      const std::uint64_t of_bob = j < to_bob.size() ? to_bob[j].slot() : UINT64_MAX;
      const std::uint64_t slot = std::min(of_alice, of_bob);
      const bool settled = count_slots || of_alice == of_bob;
      Counts& counts = settled ? result.by_settings[a.at(slot)][b.at(slot)] : result.by_settings[0][0];
      if (of_alice == slot) counts.alice += 1, counts.alice_ones += to_alice[i].bit() ? 1 : 0;
      if (of_bob == slot) counts.bob += 1, counts.bob_ones += to_bob[j].bit() ? 1 : 0;
      if (of_alice == of_bob) counts.both += 1, counts.equal += to_alice[i].bit() == to_bob[j].bit() ? 1 : 0;
      i += of_alice == slot ? 1 : 0;
      j += of_bob == slot ? 1 : 0;
    }
    return result;
  }

  std::unique_ptr<crypto::Provider> provider_ = crypto::make_openssl_provider().value();
  LinkConfig config_;
  Link link_;
};

/// A source that gives one perfect pair in every slot, and perfect stations.
inline LinkConfig ideal(Mode mode = Mode::Classic) {
  return {.mode = mode, .p_z = 0.5, .statistics = PairStatistics::Single, .mean_pairs = 1};
}

}  // namespace qsp::e91::link

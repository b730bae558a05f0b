#include "attackers.hpp"

#include <array>
#include <cmath>
#include <numbers>
#include <random>

#include "e91/post/sift.hpp"
#include "e91/seeded.hpp"
#include "qsp/openssl.hpp"

namespace qsp::e91::post {
namespace {

constexpr double kPi = std::numbers::pi;

Seed seed_of(std::uint64_t seed, std::uint8_t what) {
  Seed made;
  for (std::size_t i = 0; i < 8; ++i) made.writable()[i] = static_cast<std::uint8_t>(seed >> (8 * i));
  made.writable()[8] = what;
  return made;
}

/// Bits of a key round that whoever measured at `angle` knows: one more than the logarithm of the best guess.
double known_at(double angle) { return 1 + std::log2((1 + std::abs(std::cos(angle))) / 2); }

/// Two detectors, each blind for a time after its own clicks.
class Detectors {
 public:
  explicit Detectors(std::uint64_t dead) : dead_(dead) {}
  [[nodiscard]] bool one_is_blind(std::uint64_t slot) const { return slot < ready_[0] || slot < ready_[1]; }
  bool clicks(std::uint64_t slot, bool bit) {
    if (slot < ready_.at(bit ? 1 : 0)) return false;
    ready_.at(bit ? 1 : 0) = slot + dead_;
    return true;
  }

 private:
  std::uint64_t dead_;
  std::array<std::uint64_t, 2> ready_{};
};

/// Both stations' clicks, and what is known of each slot.
struct Played {
  Clicks alice;
  Clicks bob;
  std::vector<float> known;  ///< by slot
  std::vector<bool> blind;   ///< by slot: a detector of either station was
};

Played play(const Scene& scene, const Attacker& attacker, Settings& alice, Settings& bob, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform;
  const auto at_alice = angles(scene.post.mode, Side::Alice);
  const auto at_bob = angles(scene.post.mode, Side::Bob);
  Played played{.alice = {}, .bob = {}, .known = std::vector<float>(scene.slots), .blind = {}};
  played.blind.resize(scene.slots);
  Detectors of_alice(scene.dead_of_detectors);
  Detectors of_bob(scene.dead_of_detectors);
  for (std::uint64_t slot = 0; slot < scene.slots; ++slot) {
    if (scene.pairs < 1 && uniform(random) >= scene.pairs) continue;
    const double a = at_alice[alice.at(slot)];
    const double b = at_bob[bob.at(slot)];
    const auto hers = attacker.angle(slot);
    bool alice_bit = uniform(random) < 0.5;
    bool bob_bit = false;
    if (hers) {
      // Alice's photon is the opposite of what she sees, Bob's is what she sent on.
      const bool seen = uniform(random) < (1 - std::cos(a - *hers)) / 2 ? alice_bit : !alice_bit;
      bob_bit = uniform(random) < (1 + std::cos(b - *hers)) / 2 ? seen : !seen;
      played.known[slot] = static_cast<float>(known_at(*hers));
    } else {
      bob_bit = uniform(random) < (1 - std::cos(a - b)) / 2 ? alice_bit : !alice_bit;
    }
    if (uniform(random) < scene.error_rate) bob_bit = !bob_bit;
    played.blind[slot] = of_alice.one_is_blind(slot) || of_bob.one_is_blind(slot);
    if (of_alice.clicks(slot, alice_bit)) played.alice.emplace_back(slot, alice_bit);
    if (of_bob.clicks(slot, bob_bit)) played.bob.emplace_back(slot, bob_bit);
  }
  return played;
}

/// What she knows of the rounds that sifting keeps for the key.
void count(const Scene& scene, const Played& played, Settings& alice, Settings& bob, Attacked& result) {
  Clicks of_alice = played.alice;
  Clicks of_bob = played.bob;
  keep_live(of_alice, scene.post.dead_slots[0]);
  keep_live(of_bob, scene.post.dead_slots[1]);
  auto other = of_bob.begin();
  for (const Click& click : of_alice) {
    while (other != of_bob.end() && other->slot() < click.slot()) ++other;
    if (other == of_bob.end()) break;
    if (other->slot() != click.slot()) continue;
    if (role(scene.post.mode, alice.at(click.slot()), bob.at(click.slot())) != RoundRole::Key) continue;
    result.known += static_cast<double>(played.known[click.slot()]);
    result.told += played.blind[click.slot()] ? 1 : 0;
  }
}

}  // namespace

std::vector<Attacker> partial_attackers(std::uint64_t slots, std::uint64_t dead_slots) {
  std::vector<Attacker> all;
  const auto add = [&](std::string name, auto&& angle) { all.push_back({.name = std::move(name), .angle = angle}); };
  const auto between = [&](const std::string& name, double from, double to) {
    const auto first = static_cast<std::uint64_t>(from * static_cast<double>(slots));
    const auto last = static_cast<std::uint64_t>(to * static_cast<double>(slots));
    add(name, [=](std::uint64_t slot) { return slot >= first && slot < last ? std::optional(0.0) : std::nullopt; });
  };
  add("nobody", [](std::uint64_t /*slot*/) -> std::optional<double> { return std::nullopt; });
  for (const double share : {0.02, 0.08, 0.14, 0.3}) {
    const std::string of = " " + std::to_string(static_cast<int>(100 * share)) + " %";
    between("head" + of, 0, share);
    between("tail" + of, 1 - share, 1);
    between("slice" + of, 0.4, 0.4 + share);
    const auto step = static_cast<std::uint64_t>(1 / share);
    add("every " + std::to_string(step) + "th",
        [=](std::uint64_t slot) { return slot % step == 0 ? std::optional(0.0) : std::nullopt; });
    add("drawn" + of, [=](std::uint64_t slot) {
      return static_cast<double>(slot * 0x9E3779B97F4A7C15U >> 40) < share * 0x1p24 ? std::optional(0.0) : std::nullopt;
    });
    add("drawn, Z or X" + of, [=](std::uint64_t slot) {
      const std::uint64_t draw = slot * 0x9E3779B97F4A7C15U;
      return static_cast<double>(draw >> 40) < share * 0x1p24 ? std::optional((draw & 0x800) != 0 ? 0.0 : kPi / 2)
                                                              : std::nullopt;
    });
    add("head, midway" + of, [=](std::uint64_t slot) {
      return static_cast<double>(slot) < share * static_cast<double>(slots) ? std::optional(kPi / 4) : std::nullopt;
    });
  }
  const std::uint64_t burst = std::max<std::uint64_t>(dead_slots, 2);
  add("in the shadow of a dead time", [=](std::uint64_t slot) {
    const std::uint64_t at = slot % (12 * burst);
    return at < burst ? std::optional(0.0) : std::nullopt;
  });
  add("all but the shadow",
      [=](std::uint64_t slot) { return slot % (4 * burst) >= burst ? std::optional(0.0) : std::nullopt; });
  add("all", [](std::uint64_t /*slot*/) -> std::optional<double> { return 0.0; });
  return all;
}

Attacked attack(const Scene& scene, const Attacker& attacker, std::uint64_t seed, const Listener& listener) {
  static const auto library = crypto::make_openssl_provider().value();
  const auto provider = make_seeded_provider(*library, seed_of(seed, 0)).value();
  const auto settings = [&](Side side) {
    return Settings::create(*provider, seed_of(seed, side == Side::Alice ? 1 : 2),
                            weights(scene.post.mode, side, scene.p_z))
        .value();
  };
  Settings alice = settings(Side::Alice);
  Settings bob = settings(Side::Bob);
  Played played = play(scene, attacker, alice, bob, seed);
  Attacked result;
  count(scene, played, alice, bob, result);

  const std::vector<std::uint8_t> bytes(AuthenticationPad::kBlockCost, 0x5a);
  AuthenticationPad of_alice(bytes);
  AuthenticationPad of_bob(bytes);
  const auto one = alice_block({*provider, scene.post, of_alice, listener}, 0, scene.slots, std::move(played.alice),
                               settings(Side::Alice));
  const auto two =
      bob_block({*provider, scene.post, of_bob, {}}, 0, scene.slots, std::move(played.bob), settings(Side::Bob));
  for (bool moved = true; moved;) {
    moved = false;
    for (Block* const from : {one.get(), two.get()}) {
      for (const auto& message : from->poll()) {
        (from == one.get() ? *two : *one).handle(message);
        moved = true;
      }
    }
  }
  result.alice = one->report();
  result.bob = two->report();
  return result;
}

}  // namespace qsp::e91::post

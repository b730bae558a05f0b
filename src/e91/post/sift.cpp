#include "e91/post/sift.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace qsp::e91 {
namespace {

/// The role of each pair of settings, [4 · Alice's + Bob's], worked out once for a block.
std::array<Role, kMaxSettings * kMaxSettings> roles(Mode mode) noexcept {
  std::array<Role, kMaxSettings * kMaxSettings> table{};
  for (std::uint8_t alice = 0; alice < kMaxSettings; ++alice) {
    for (std::uint8_t bob = 0; bob < kMaxSettings; ++bob) table.at(kMaxSettings * alice + bob) = role(mode, alice, bob);
  }
  return table;
}

/// Collects the bits of one party, round by round.
class Collector {
 public:
  Collector(Mode mode, Side side, std::size_t most_rounds)
      : roles_(roles(mode)),
        inverted_(side == Side::Bob),
        most_key_(std::min(most_rounds, kMaxKeyBits)),
        key_(most_key_ + 1),
        tests_(most_rounds + 1),
        pairs_(most_rounds + 1) {}

  /// Precondition: at most `most_rounds` times; both settings are below kMaxSettings.
  ///
  /// What a round is for is as good as random, so nothing here branches on it: a bit is written where the next one
  /// goes, and counts or is written over.
  void add(std::uint8_t alice, std::uint8_t bob, bool bit) {
    ++shared_;
    const auto pair = static_cast<std::uint8_t>(kMaxSettings * alice + bob);
    const Role role = roles_[pair];
    const bool of_key = role == Role::Key && key_size_ < most_key_;
    const bool of_tests = role == Role::Phase || role == Role::Chsh;
    append(key_, key_size_, of_key, bit != inverted_);
    append(tests_, tests_size_, of_tests, bit);
    pairs_[tests_size_] = pair;
    key_size_ += of_key ? 1 : 0;
    tests_size_ += of_tests ? 1 : 0;
  }

  Sifted take() && {
    key_.truncate(key_size_);
    tests_.truncate(tests_size_);
    pairs_.resize(tests_size_);
    return Sifted{.key = std::move(key_), .tests = std::move(tests_), .pairs = std::move(pairs_), .shared = shared_};
  }

 private:
  /// Sets bit `at`, which is zero, where the round counts.
  static void append(Bits& bits, std::size_t at, bool counts, bool bit) noexcept {
    bits.writable_words()[at / 64] |= static_cast<std::uint64_t>(counts && bit) << (at % 64);
  }

  std::array<Role, kMaxSettings * kMaxSettings> roles_;
  bool inverted_;  ///< the singlet anticorrelates
  std::size_t most_key_;
  // Each has room for one more than it can come to hold: where a round that does not count is written.
  Bits key_;
  Bits tests_;
  std::vector<std::uint8_t> pairs_;
  std::size_t key_size_ = 0;
  std::size_t tests_size_ = 0;
  std::uint64_t shared_ = 0;
};

/// Settings come from the peer: none may be one that the mode has not.
bool all_exist(Mode mode, Side side, const std::vector<std::uint8_t>& settings) noexcept {
  const std::size_t count = angles(mode, side).size();
  return std::ranges::all_of(settings, [count](std::uint8_t setting) { return setting < count; });
}

}  // namespace

Role role(Mode mode, std::uint8_t alice, std::uint8_t bob) noexcept {
  if (mode == Mode::Biased) {
    if (bob >= 2) return Role::Chsh;
    if (alice != bob) return Role::None;
    return alice == 0 ? Role::Key : Role::Phase;
  }
  // Alice 0, π/4, π/2 and Bob π/4, π/2, 3π/4: equal angles one apart; the CHSH pairs are the corners.
  if (alice == bob + 1) return Role::Key;
  return alice != 1 && bob != 1 ? Role::Chsh : Role::None;
}

ClicksMessage announce(const Clicks& clicks, Settings& settings, std::uint64_t slots) {
  ClicksMessage message{.slots = slots, .slot = {}, .setting = {}};
  message.slot.reserve(clicks.size());
  message.setting.reserve(clicks.size());
  for (const Click& click : clicks) {
    message.slot.push_back(click.slot());
    message.setting.push_back(settings.at(click.slot()));
  }
  return message;
}

std::optional<AliceSifted> sift_alice(Mode mode, const Clicks& clicks, Settings& settings, const ClicksMessage& bob) {
  if (!all_exist(mode, Side::Bob, bob.setting)) return std::nullopt;
  Collector collector(mode, Side::Alice, std::min(clicks.size(), bob.slot.size()));
  MatchesMessage answer{.shared = Bits(bob.slot.size()), .setting = {}};
  auto own = clicks.begin();
  for (std::size_t i = 0; i < bob.slot.size(); ++i) {
    while (own != clicks.end() && own->slot() < bob.slot[i]) ++own;
    if (own == clicks.end() || own->slot() != bob.slot[i]) continue;
    const std::uint8_t setting = settings.at(own->slot());
    answer.shared.set(i, true);
    answer.setting.push_back(setting);
    collector.add(setting, bob.setting[i], own->bit());
  }
  return AliceSifted{.answer = std::move(answer), .sifted = std::move(collector).take()};
}

std::optional<Sifted> sift_bob(Mode mode, const Clicks& clicks, const ClicksMessage& announced,
                               const MatchesMessage& alice) {
  if (!all_exist(mode, Side::Alice, alice.setting)) return std::nullopt;
  Collector collector(mode, Side::Bob, alice.setting.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < clicks.size(); ++i) {
    if (!alice.shared[i]) continue;
    collector.add(alice.setting[next++], announced.setting[i], clicks[i].bit());
  }
  return std::move(collector).take();
}

}  // namespace qsp::e91

#include "e91/post/sift.hpp"

#include <utility>

namespace qsp::e91 {
namespace {

/// Collects the bits of one station, round by round.
class Collector {
 public:
  Collector(Mode mode, Side side) noexcept : mode_(mode), side_(side) {}

  void add(std::uint8_t alice, std::uint8_t bob, bool bit) {
    ++shared_;
    switch (role(mode_, alice, bob)) {
      case Role::Key:
        push(key_, key_size_, bit != (side_ == Side::Bob));
        break;
      case Role::Phase:
      case Role::Chsh:
        push(tests_, tests_size_, bit);
        pairs_.push_back(static_cast<std::uint8_t>(4 * alice + bob));
        break;
      case Role::None:
        break;
    }
  }

  Sifted take() && {
    key_.truncate(key_size_);
    tests_.truncate(tests_size_);
    return Sifted{.key = std::move(key_), .tests = std::move(tests_), .pairs = std::move(pairs_), .shared = shared_};
  }

 private:
  static void push(Bits& bits, std::size_t& size, bool bit) {
    if (size == bits.size()) {
      Bits longer(std::max<std::size_t>(1024, 2 * size));
      for (std::size_t i = 0; i < bits.words().size(); ++i) longer.writable_words()[i] = bits.words()[i];
      bits = std::move(longer);
    }
    bits.set(size++, bit);
  }

  Mode mode_;
  Side side_;
  Bits key_;
  Bits tests_;
  std::size_t key_size_ = 0;
  std::size_t tests_size_ = 0;
  std::vector<std::uint8_t> pairs_;
  std::uint64_t shared_ = 0;
};

bool exists(Mode mode, Side side, std::uint8_t setting) noexcept { return setting < angles(mode, side).size(); }

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
  Collector collector(mode, Side::Alice);
  MatchesMessage answer{.shared = Bits(bob.slot.size()), .setting = {}};
  auto own = clicks.begin();
  for (std::size_t i = 0; i < bob.slot.size(); ++i) {
    if (!exists(mode, Side::Bob, bob.setting[i])) return std::nullopt;
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
  Collector collector(mode, Side::Bob);
  std::size_t next = 0;
  for (std::size_t i = 0; i < clicks.size(); ++i) {
    if (!alice.shared[i]) continue;
    const std::uint8_t setting = alice.setting[next++];
    if (!exists(mode, Side::Alice, setting)) return std::nullopt;
    collector.add(setting, announced.setting[i], clicks[i].bit());
  }
  return std::move(collector).take();
}

}  // namespace qsp::e91

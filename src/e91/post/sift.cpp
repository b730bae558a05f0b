#include "e91/post/sift.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace qsp::e91::post {
namespace {

/// What a bit of a round is appended to.
constexpr unsigned kToKey = 1;
constexpr unsigned kToTests = 2;

/// That of each pair of settings, [4 · Alice's + Bob's], worked out once for a block.
std::array<std::uint8_t, kMaxSettings * kMaxSettings> uses(Mode mode) noexcept {
  std::array<std::uint8_t, kMaxSettings * kMaxSettings> table{};
  for (std::uint8_t alice = 0; alice < kMaxSettings; ++alice) {
    for (std::uint8_t bob = 0; bob < kMaxSettings; ++bob) {
      const RoundRole is = role(mode, alice, bob);
      table.at(kMaxSettings * alice + bob) = is == RoundRole::Key                              ? kToKey
                                             : is == RoundRole::Phase || is == RoundRole::Chsh ? kToTests
                                                                                               : 0;
    }
  }
  return table;
}

/// Appends bits of which some do not count. Which ones is as good as random, so nothing here branches on it: a bit is
/// written where the next one goes, and counts or is written over.
class BitAppender {
 public:
  /// Precondition: `bits` outlives it, and has room for one more than will count.
  explicit BitAppender(Bits& bits) noexcept : words_(bits.writable_words().data()) {}
  /// Precondition: both are 0 or 1.
  void append(unsigned counts, unsigned bit) noexcept {
    word_ |= std::uint64_t{counts & bit} << (size_ % 64);
    words_[size_ / 64] = word_;
    size_ += counts;
    word_ &= size_ % 64 == 0 ? 0 : ~std::uint64_t{0};
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  std::uint64_t* words_;
  std::uint64_t word_ = 0;  ///< the one that is being filled
  std::size_t size_ = 0;
};

/// Collects the bits of one party, round by round.
class Collector {
 public:
  Collector(Mode mode, Side side, std::size_t most_rounds)
      : uses_(uses(mode)),
        inverted_(side == Side::Bob ? 1 : 0),
        most_key_(std::min(most_rounds, kMaxKeyBits)),  // and one more, by which too many are known
        key_bits_(most_key_ + 2),
        test_bits_(most_rounds + 1),
        pairs_(most_rounds + 1),
        key_(key_bits_),
        tests_(test_bits_) {}

  /// Precondition: at most `most_rounds` times; both settings are below kMaxSettings.
  void add(std::uint8_t alice, std::uint8_t bob, bool bit) noexcept {
    rounds_[held_++] = static_cast<std::uint8_t>((kMaxSettings * alice + bob) << 1 | (bit ? 1 : 0));
    if (held_ == rounds_.size()) settle();
  }

  Sifted take() && {
    settle();
    qsp::wipe(rounds_);
    const bool too_many = key_.size() > kMaxKeyBits;
    key_bits_.truncate(too_many ? 0 : key_.size());
    test_bits_.truncate(tests_.size());
    pairs_.resize(tests_.size());
    return Sifted{.key = std::move(key_bits_),
                  .tests = std::move(test_bits_),
                  .pairs = std::move(pairs_),
                  .shared = shared_,
                  .too_many = too_many};
  }

 private:
  /// Many rounds at once, so that what changes with each stays in registers.
  void settle() noexcept {
    BitAppender key = key_;
    BitAppender tests = tests_;
    for (const std::uint8_t round : std::span(rounds_).first(held_)) {
      const unsigned pair = round >> 1;
      const unsigned bit = round & 1;
      const unsigned use = uses_[pair];
      pairs_[tests.size()] = static_cast<std::uint8_t>(pair);
      key.append(use & kToKey & (key.size() <= most_key_ ? 1U : 0U), bit ^ inverted_);
      tests.append((use & kToTests) >> 1, bit);
    }
    key_ = key;
    tests_ = tests;
    shared_ += held_;
    held_ = 0;
  }

  std::array<std::uint8_t, kMaxSettings * kMaxSettings> uses_;
  unsigned inverted_;  ///< the singlet anticorrelates
  std::size_t most_key_;
  // Each has room for one more than it can come to hold: where a round that does not count is written.
  Bits key_bits_;
  Bits test_bits_;
  std::vector<std::uint8_t> pairs_;
  BitAppender key_;
  BitAppender tests_;
  std::array<std::uint8_t, 512> rounds_{};  ///< pair of settings · 2 + bit, not settled yet
  std::size_t held_ = 0;
  std::uint64_t shared_ = 0;
};

}  // namespace

RoundRole role(Mode mode, std::uint8_t alice, std::uint8_t bob) noexcept {
  if (mode == Mode::Biased) {
    if (bob >= 2) return RoundRole::Chsh;
    if (alice != bob) return RoundRole::None;
    return alice == 0 ? RoundRole::Key : RoundRole::Phase;
  }
  // Alice 0, π/4, π/2 and Bob π/4, π/2, 3π/4: equal angles one apart; the CHSH pairs are the corners.
  if (alice == bob + 1) return RoundRole::Key;
  return alice != 1 && bob != 1 ? RoundRole::Chsh : RoundRole::None;
}

namespace {

/// The first slot in which a click counts, in a block of which nothing is known before its start.
std::uint64_t first_live(std::uint64_t dead_slots) noexcept { return dead_slots > 1 ? dead_slots : 0; }

/// From one click to the next that may count.
std::uint64_t step(std::uint64_t dead_slots) noexcept { return std::clamp<std::uint64_t>(dead_slots, 1, kMaxSlots); }

}  // namespace

void keep_live(Clicks& clicks, std::uint64_t dead_slots) {
  std::uint64_t next = first_live(dead_slots);
  std::erase_if(clicks, [&](const Click& click) {
    const bool dead = click.slot() < next;
    next = std::max(next, click.slot() + step(dead_slots));
    return dead;
  });
}

bool are_live(const SlotList& slots, std::uint64_t dead_slots) noexcept {
  SlotList::Cursor cursor(slots);
  std::uint64_t next = first_live(dead_slots);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::uint64_t slot = cursor.next();
    if (slot < next) return false;
    next = slot + step(dead_slots);
  }
  return true;
}

bool are_live(const Clicks& clicks, const Bits& shared, std::uint64_t dead_slots) noexcept {
  std::uint64_t next = first_live(dead_slots);
  for (std::size_t i = 0; i < clicks.size(); ++i) {
    if (!shared[i]) continue;
    if (clicks[i].slot() < next) return false;
    next = clicks[i].slot() + step(dead_slots);
  }
  return true;
}

ClicksMessage announce(const Clicks& clicks, Settings& settings, std::uint64_t slots) {
  ClicksMessage message{.slots = slots, .slot = {}, .setting = SettingList(clicks.size())};
  message.slot.reserve(clicks.size());
  for (const Click& click : clicks) {
    message.slot.push_back(click.slot());
    message.setting.push_back(settings.at(click.slot()));
  }
  return message;
}

std::optional<AliceSifted> sift_alice(Mode mode, const Clicks& clicks, Settings& settings, const ClicksMessage& bob) {
  // Settings come from the peer: none may be one that the mode has not.
  if (!bob.setting.all_below(angles(mode, Side::Bob).size())) return std::nullopt;
  const std::size_t most_rounds = std::min(clicks.size(), bob.slot.size());
  Collector collector(mode, Side::Alice, most_rounds);
  MatchesMessage answer{.shared = Bits(bob.slot.size()), .setting = SettingList(most_rounds)};
  auto own = clicks.begin();
  SlotList::Cursor slots(bob.slot);
  for (std::size_t i = 0; i < bob.slot.size(); ++i) {
    const std::uint64_t slot = slots.next();
    while (own != clicks.end() && own->slot() < slot) ++own;
    if (own == clicks.end()) break;
    if (own->slot() != slot) continue;
    const std::uint8_t setting = settings.at(slot);
    answer.shared.set(i, true);
    answer.setting.push_back(setting);
    collector.add(setting, bob.setting[i], own->bit());
  }
  return AliceSifted{.answer = std::move(answer), .sifted = std::move(collector).take()};
}

std::optional<Sifted> sift_bob(Mode mode, const Clicks& clicks, const SettingList& settings,
                               const MatchesMessage& alice) {
  if (!alice.setting.all_below(angles(mode, Side::Alice).size())) return std::nullopt;
  Collector collector(mode, Side::Bob, alice.setting.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < clicks.size(); ++i) {
    if (alice.shared[i]) collector.add(alice.setting[next++], settings[i], clicks[i].bit());
  }
  return std::move(collector).take();
}

}  // namespace qsp::e91::post

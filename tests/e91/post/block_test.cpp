#include "e91/post/block.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <random>

#include "base/big_endian.hpp"
#include "e91/cascade/oracle.hpp"
#include "e91/post/audit.hpp"
#include "e91/seed_of.hpp"
#include "e91/seeded.hpp"
#include "qsp/openssl.hpp"

namespace qsp::e91::post {
namespace {

using Wire = std::vector<std::uint8_t>;

/// Two ends with clicks of a made-up pair source: opposite bits, but for errors at a given rate, the same in every
/// basis; the CHSH rounds as a singlet of that visibility would show them.
class BlockTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kSlots = 60'000;
  static constexpr double kPz = 0.7;

  /// Whether a message goes on as it is, changed, or not at all.
  using Tamper = std::function<bool(Side sender, std::size_t number, Wire& message)>;

  void make_blocks(double error_rate, std::uint64_t number = 0) {
    // The same random numbers for every pair of blocks: so their messages are the same, until one is tampered with.
    provider_ = make_seeded_provider(*library_, seed_of(3)).value();
    std::mt19937_64 random(1 + number);
    std::uniform_real_distribution<double> uniform;
    Settings alice = settings(Side::Alice);
    Settings bob = settings(Side::Bob);
    Clicks of_alice;
    Clicks of_bob;
    for (std::uint64_t slot = 0; slot < kSlots; ++slot) {
      const double angle =
          angles(config_.mode, Side::Alice)[alice.at(slot)] - angles(config_.mode, Side::Bob)[bob.at(slot)];
      const double equal = (1 - (1 - 2 * error_rate) * std::cos(angle)) / 2;
      const bool bit = uniform(random) < 0.5;
      of_alice.emplace_back(slot, bit);
      of_bob.emplace_back(slot, uniform(random) < equal ? bit : !bit);
    }
    Settings again = settings(Side::Alice);
    alice_sifted_ = sift_alice(config_.mode, of_alice, again, announce(of_bob, bob, kSlots)).value().sifted.key.copy();
    const auto listener = [this](Side sender, Bytes message) {
      transcript_.entries.push_back({sender, {message.begin(), message.end()}});
    };
    alice_ = alice_block({*provider_, config_, *pads_[0], listener}, number, kSlots, std::move(of_alice),
                         settings(Side::Alice));
    bob_ = bob_block({*provider_, config_, *pads_[1], {}}, number, kSlots, std::move(of_bob), settings(Side::Bob));
  }

  Settings settings(Side side) {
    return Settings::create(*provider_, seed_of(side == Side::Alice ? 1 : 2), weights(config_.mode, side, kPz)).value();
  }

  void run(const Tamper& tamper = {}) {
    transcript_.config = config_;
    std::array<std::size_t, 2> counts{};
    for (bool moved = true; moved;) {
      moved = false;
      for (const Side sender : {Side::Bob, Side::Alice}) {
        for (Wire& message : (sender == Side::Alice ? *alice_ : *bob_).poll()) {
          moved = true;
          if (tamper && !tamper(sender, counts.at(static_cast<std::size_t>(sender))++, message)) continue;
          (sender == Side::Alice ? *bob_ : *alice_).handle(message);
        }
      }
    }
  }

  [[nodiscard]] bool has_key(const Block& block) const { return block.done() && !block.report().aborted; }

  /// A fresh pair of ends with fresh pads.
  void renew() {
    pads_[0].emplace(bootstrap());
    pads_[1].emplace(bootstrap());
  }
  static Wire bootstrap() { return Wire(4 * AuthenticationPad::kBlockCost, 0x5a); }

  std::unique_ptr<crypto::Provider> library_ = crypto::make_openssl_provider().value();
  std::unique_ptr<crypto::Provider> provider_ = make_seeded_provider(*library_, seed_of(3)).value();
  PostConfig config_;
  std::array<std::optional<AuthenticationPad>, 2> pads_{AuthenticationPad(bootstrap()), AuthenticationPad(bootstrap())};
  Transcript transcript_;
  Bits alice_sifted_;
  std::unique_ptr<Block> alice_;
  std::unique_ptr<Block> bob_;
};

TEST_F(BlockTest, both_ends_have_one_key_and_agree_on_every_figure) {
  for (const Mode mode : {Mode::Biased, Mode::Classic}) {
    config_.mode = mode;
    for (const double error_rate : {0.0, 0.01, 0.03}) {
      renew();
      make_blocks(error_rate);
      run();
      ASSERT_TRUE(has_key(*alice_)) << describe(alice_->report().aborted.value_or(Abort::Protocol)) << error_rate;
      ASSERT_TRUE(has_key(*bob_));
      const BlockReport& a = alice_->report();
      const BlockReport& b = bob_->report();
      EXPECT_EQ(a.length, b.length);
      EXPECT_EQ(a.disclosed, b.disclosed);
      EXPECT_EQ(a.errors, b.errors);
      EXPECT_EQ(a.batches, b.batches);
      const Bits one = alice_->take_key();
      const Bits two = bob_->take_key();
      ASSERT_EQ(one.size(), a.length);
      EXPECT_EQ(distance(one, two), 0U);
      EXPECT_NEAR(static_cast<double>(one.count()), static_cast<double>(one.size()) / 2, 4 * std::sqrt(one.size()));
    }
  }
}

/// Counted from the bytes of the messages: type 6 has its number of bits behind type and block, type 8 is 64 bits.
TEST_F(BlockTest, the_ledger_is_what_the_bytes_say) {
  make_blocks(0.02);
  std::size_t counted = 0;
  run([&](Side sender, std::size_t /*number*/, const Wire& message) {
    if (message[0] == 6) {
      EXPECT_EQ(sender, Side::Alice);
      const std::size_t bits = load_big_endian(Bytes(message).subspan(9, 4));
      EXPECT_EQ(message.size(), 13 + (bits + 7) / 8);
      counted += bits;
    }
    if (message[0] == 8) counted += 64;
    return true;
  });
  ASSERT_TRUE(has_key(*alice_));
  EXPECT_EQ(alice_->report().disclosed, counted);
  EXPECT_EQ(bob_->report().disclosed, counted);
}

/// One bit in each byte of short messages and in some of long ones: no end may keep a key that the other has not, and
/// most of all none may keep a key after a change that both took for genuine.
TEST_F(BlockTest, no_changed_message_leads_to_a_key) {
  make_blocks(0.02);
  std::array<std::vector<std::size_t>, 2> sizes;
  run([&](Side sender, std::size_t /*number*/, const Wire& message) {
    sizes.at(static_cast<std::size_t>(sender)).push_back(message.size());
    return true;
  });
  ASSERT_TRUE(has_key(*alice_));
  std::size_t trials = 0;
  for (const Side victim : {Side::Alice, Side::Bob}) {
    const auto& messages = sizes.at(static_cast<std::size_t>(victim));
    for (std::size_t number = 0; number < messages.size(); ++number) {
      const std::size_t stride = std::max<std::size_t>(1, messages[number] / 3);
      // Messages of the later rounds resemble one another.
      if (number > 4 && number + 5 < messages.size() && number % 9 != 0) continue;
      for (std::size_t at = 0; at < messages[number]; at += stride) {
        renew();
        make_blocks(0.02);
        bool changed = false;
        run([&](Side sender, std::size_t count, Wire& message) {
          if (sender == victim && count == number && at < message.size()) {
            message[at] ^= 0x10;
            changed = true;
          }
          return true;
        });
        ++trials;
        ASSERT_TRUE(changed);
        EXPECT_FALSE(has_key(*alice_) && has_key(*bob_)) << number << " byte " << at;
        // Both tags cover both directions. Bob's key waits for Alice's last word, which comes after both.
        EXPECT_FALSE(has_key(*bob_)) << number << " byte " << at;
        EXPECT_EQ(has_key(*alice_), victim == Side::Alice && number + 1 == messages.size()) << number << " byte " << at;
      }
    }
  }
  EXPECT_GT(trials, 60U);
}

TEST_F(BlockTest, dropped_repeated_or_reflected_messages_lead_to_no_key) {
  make_blocks(0.02);
  std::array<std::size_t, 2> counts{};
  run([&](Side sender, std::size_t number, const Wire& /*message*/) {
    counts.at(static_cast<std::size_t>(sender)) = number + 1;
    return true;
  });
  for (const Side victim : {Side::Alice, Side::Bob}) {
    const std::size_t last = counts.at(static_cast<std::size_t>(victim));
    for (const std::size_t number : {std::size_t{0}, std::size_t{1}, std::size_t{3}, last / 2, last - 2, last - 1}) {
      for (const int how : {0, 1, 2}) {
        renew();
        make_blocks(0.02);
        run([&](Side sender, std::size_t count, Wire& message) {
          if (sender != victim || count != number) return true;
          if (how == 1) (sender == Side::Alice ? *bob_ : *alice_).handle(message);  // and again by the caller
          if (how == 2) (sender == Side::Alice ? *alice_ : *bob_).handle(message);  // reflected to its sender
          return how != 0;
        });
        // The last tag again reaches an end that is done: it is of no effect.
        if (how != 0 && number == last - 1) continue;
        EXPECT_FALSE(has_key(*alice_) && has_key(*bob_)) << how << " " << number;
      }
    }
  }
}

TEST_F(BlockTest, messages_of_another_block_are_refused) {
  make_blocks(0.02, 0);
  Wire clicks;
  run([&](Side sender, std::size_t number, const Wire& message) {
    if (sender == Side::Bob && number == 0) clicks = message;
    return true;
  });
  make_blocks(0.02, 1);
  alice_->handle(clicks);
  EXPECT_EQ(alice_->report().aborted, Abort::Protocol) << "replayed from block 0";
}

TEST_F(BlockTest, bob_tells_nothing_before_all_of_alices_clicks_are_in) {
  make_blocks(0.02);
  EXPECT_TRUE(bob_->poll().empty());
  run();
  EXPECT_TRUE(has_key(*bob_));
}

/// Somebody says it for her, hears Bob's settings and only then lets Alice have her photons.
TEST_F(BlockTest, whoever_says_for_alice_that_she_is_ready_fails_at_the_tags) {
  make_blocks(0.02);
  bob_->handle(encode(0, ReadyMessage{.slots = kSlots, .nonce = {1, 2, 3}}));
  run([](Side sender, std::size_t number, const Wire& /*message*/) { return sender == Side::Bob || number > 0; });
  EXPECT_EQ(bob_->report().aborted, Abort::Authentication);
  EXPECT_FALSE(has_key(*alice_));
}

/// Bob's count of errors changes nothing else in this mode, so both come as far as the tags.
TEST_F(BlockTest, each_tag_covers_what_the_other_end_said) {
  make_blocks(0.02);
  run([](Side sender, std::size_t /*number*/, Wire& message) {
    if (sender == Side::Bob && message[0] == 7) message.back() ^= 1;
    return true;
  });
  EXPECT_EQ(bob_->report().aborted, Abort::Authentication);
  EXPECT_FALSE(bob_->report().by_peer) << "Alice's tag, which comes first, shows that she heard something else";
  EXPECT_FALSE(has_key(*alice_));
}

TEST_F(BlockTest, nobody_releases_before_both_tags_are_verified) {
  make_blocks(0.02);
  bool bobs_tag = false;
  run([&](Side sender, std::size_t /*number*/, const Wire& message) {
    if (message[0] == 14) {
      EXPECT_TRUE(bobs_tag && sender == Side::Alice);
      EXPECT_TRUE(has_key(*alice_));
      return false;  // lost: she has a key that Bob has not
    }
    bobs_tag = bobs_tag || (message[0] == 11 && sender == Side::Bob);
    EXPECT_FALSE(alice_->done() || bob_->done());
    return true;
  });
  EXPECT_TRUE(has_key(*alice_));
  EXPECT_FALSE(bob_->done());
  bob_->handle(encode(0, AcceptedMessage{}));
  EXPECT_EQ(bob_->report().aborted, Abort::Authentication) << "a word that is not of the pad";
}

TEST_F(BlockTest, clicks_closer_than_the_peers_dead_time_end_the_block) {
  config_.dead_slots = {0, 3};
  make_blocks(0.02);
  bob_->handle(encode(0, ReadyMessage{.slots = kSlots, .nonce = {}}));
  EXPECT_FALSE(bob_->poll().empty());
  alice_->handle(encode(0, ClicksMessage{.slots = kSlots, .slot = {5, 7}, .setting = {0, 0}}));
  EXPECT_EQ(alice_->report().aborted, Abort::Protocol);

  config_.dead_slots = {3, 0};
  make_blocks(0.02);
  bob_->handle(encode(0, ReadyMessage{.slots = kSlots, .nonce = {}}));
  MatchesMessage matches{.shared = Bits(kSlots), .setting = {0, 0}};
  matches.shared.set(5, true);
  matches.shared.set(7, true);
  bob_->handle(encode(0, std::move(matches)));
  EXPECT_EQ(bob_->report().aborted, Abort::Protocol);
}

/// A peer without the pad can say whatever it likes; it cannot make a tag.
TEST_F(BlockTest, a_peer_with_another_pad_gets_no_key_and_gives_none) {
  pads_[1].emplace(Wire(4 * AuthenticationPad::kBlockCost, 0x5b));
  make_blocks(0.02);
  run();
  EXPECT_EQ(bob_->report().aborted, Abort::Authentication);
  EXPECT_FALSE(has_key(*alice_));
}

TEST_F(BlockTest, an_exhausted_pad_fails_closed) {
  pads_[0].emplace(Wire(AuthenticationPad::kBlockCost, 1));
  pads_[1].emplace(Wire(AuthenticationPad::kBlockCost, 1));
  make_blocks(0.02, 0);
  run();
  EXPECT_TRUE(has_key(*alice_));
  make_blocks(0.02, 1);
  run();
  EXPECT_EQ(alice_->report().aborted, Abort::PadExhausted);
  EXPECT_FALSE(has_key(*bob_));
}

TEST_F(BlockTest, altered_parities_never_lead_to_a_key) {
  for (std::size_t trial = 0; trial < 40; ++trial) {
    renew();
    make_blocks(0.02);
    std::size_t batches = 0;
    run([&](Side /*sender*/, std::size_t /*number*/, Wire& message) {
      if (message[0] == 6 && batches++ == trial % 12) message[13 + trial % (message.size() - 13)] ^= 1;
      return true;
    });
    EXPECT_FALSE(has_key(*bob_));
    EXPECT_FALSE(has_key(*alice_));
  }
}

/// Somebody answers Bob's questions for a key that is Alice's but for one bit, so exactly that error is left.
TEST_F(BlockTest, a_residual_error_is_always_caught_by_the_verification) {
  for (std::size_t trial = 0; trial < 60; ++trial) {
    renew();
    make_blocks(0.02);
    std::optional<cascade::ParityOracle> oracle;
    run([&](Side sender, std::size_t /*number*/, Wire& message) {
      auto parsed = parse(message, {.block = 0, .clicks = kSlots}).value();
      if (const auto* const begin = std::get_if<ReconcileMessage>(&parsed)) {
        Bits key = alice_sifted_.copy();
        key.flip(trial * 997 % key.size());
        const std::size_t size = key.size();
        oracle.emplace(
            cascade::ParityOracle::create(*provider_, std::move(key), Seed::copy_of(begin->seed), size).value());
      }
      const auto* const asked = std::get_if<QueriesMessage>(&parsed);
      if (sender != Side::Bob || asked == nullptr) return true;
      cascade::QueryBatch batch;
      EXPECT_TRUE(decode(asked->batch, oracle->key_size(), oracle->budget(), batch));
      bob_->handle(encode(0, ParitiesMessage{oracle->answer(batch).value()}));
      return false;
    });
    EXPECT_EQ(bob_->report().aborted, Abort::Verification);
    EXPECT_FALSE(has_key(*alice_));
  }
}

TEST_F(BlockTest, eve_is_found_by_the_tests) {
  make_blocks(0.25);
  run();
  EXPECT_TRUE(alice_->report().aborted == Abort::BellTest || alice_->report().aborted == Abort::ErrorRate);
  EXPECT_EQ(alice_->report().aborted, bob_->report().aborted);
  EXPECT_EQ(alice_->report().disclosed, 0U) << "nothing of a key that is given up so early";
}

TEST_F(BlockTest, the_audit_finds_the_same_figures_in_the_transcript_alone) {
  for (const Mode mode : {Mode::Biased, Mode::Classic}) {
    config_.mode = mode;
    transcript_.entries.clear();
    renew();
    for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}}) {
      make_blocks(number == 0 ? 0.02 : 0.2, number);
      run();
      EXPECT_EQ(has_key(*alice_), number == 0);
    }
    const auto found = audit(transcript_);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_TRUE(found[0].has_key()) << found[0].problem;
    EXPECT_EQ(found[0].announced, found[0].certified);
    EXPECT_FALSE(found[1].has_key());
    EXPECT_TRUE(found[1].aborted);
    EXPECT_EQ(found[1].problem, "");
  }
}

TEST_F(BlockTest, the_audit_objects_to_a_longer_key_or_a_hidden_parity) {
  make_blocks(0.02);
  run();
  const Transcript honest = transcript_;
  std::map<int, std::size_t> objections;
  for (std::size_t i = 0; i < honest.entries.size(); ++i) {
    for (const int how : {0, 1, 2}) {
      Transcript altered = honest;
      if (how == 0) altered.entries.erase(altered.entries.begin() + static_cast<std::ptrdiff_t>(i));
      if (how == 1) altered.entries[i].sender = altered.entries[i].sender == Side::Alice ? Side::Bob : Side::Alice;
      if (how == 2) {
        if (altered.entries[i].message[0] != 10) continue;
        altered.entries[i].message[12] ^= 1;  // the last byte of ℓ
      }
      const auto found = audit(altered);
      ASSERT_FALSE(found.empty());
      EXPECT_FALSE(found.front().has_key()) << how << " " << i;
      objections[how] += found.front().problem.empty() ? 0 : 1;
    }
  }
  EXPECT_EQ(objections[0], honest.entries.size());
  EXPECT_EQ(objections[2], 1U);
}

}  // namespace
}  // namespace qsp::e91::post

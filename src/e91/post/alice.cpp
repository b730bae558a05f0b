#include <array>

#include "base/big_endian.hpp"
#include "e91/cascade/oracle.hpp"
#include "e91/hashing/verification.hpp"
#include "e91/post/block.hpp"
#include "e91/post/sift.hpp"

namespace qsp::e91::post {
namespace {

/// Alice's end. What she awaits next:
/// She says first that her clicks are in.
///   Clicks → Tests → Queries …, Corrected → Verified → Tag → done
class AliceBlock final : public Block {
 public:
  AliceBlock(Environment environment, std::uint64_t block, std::uint64_t slots, Clicks&& clicks, Settings&& settings)
      : Block(std::move(environment), Side::Alice, block, slots),
        clicks_(std::move(clicks)),
        settings_(std::move(settings)) {
    keep_live(clicks_, environment_.config.dead_slots.at(0));
    ReadyMessage ready{.slots = slots, .nonce = {}};
    if (!demand(environment_.provider.rng().fill(ready.nonce).has_value(), Abort::LinkDown)) return;
    say(ready);
  }

 private:
  enum class Await : std::uint8_t { Clicks, Tests, Queries, Verified, Tag };

  void on_message(Message&& message) override {
    switch (await_) {
      case Await::Clicks:
        return on(std::get_if<ClicksMessage>(&message));
      case Await::Tests:
        return on(std::get_if<TestsMessage>(&message));
      case Await::Queries:
        if (const auto* const corrected = std::get_if<CorrectedMessage>(&message)) return on(*corrected);
        return on(std::get_if<QueriesMessage>(&message));
      case Await::Verified:
        return on(std::get_if<VerifiedMessage>(&message));
      case Await::Tag:
        return on(std::get_if<TagMessage>(&message));
    }
  }

  void on(const ClicksMessage* message) {
    if (!demand(message != nullptr && message->slots == report_.slots)) return;
    if (!demand(are_live(message->slot, environment_.config.dead_slots.at(1)))) return;
    auto sifted = sift_alice(environment_.config.mode, clicks_, settings_, *message);
    if (!demand(sifted.has_value()) || !demand(settings_.healthy(), Abort::LinkDown)) return;
    clicks_ = {};
    // NOLINTBEGIN(bugprone-unchecked-optional-access): demanded above
    report_.clicks = message->slot.size();
    report_.shared = sifted->sifted.shared;
    key_ = std::move(sifted->sifted.key);
    report_.key_bits = key_.size();
    tests_.outcomes = std::move(sifted->sifted.tests);
    pairs_ = std::move(sifted->sifted.pairs);
    // Bob finds the same, and needs the answer to find it.
    say(std::move(sifted->answer));
    if (!demand(!sifted->sifted.too_many, Abort::TooManyRounds)) return;
    // NOLINTEND(bugprone-unchecked-optional-access)
    await_ = Await::Tests;
  }

  void on(const TestsMessage* message) {
    if (!demand(message != nullptr)) return;
    // Bob is bound to his outcomes by now; without hers he can judge nothing.
    say(TestsMessage{tests_.outcomes.copy()});
    if (!judge(tests_, *message, pairs_)) return;
    ReconcileMessage begin{.seed = {}, .error_ppm = expected_error_ppm(environment_.config.mode, report_.tests)};
    if (!demand(environment_.provider.rng().fill(begin.seed).has_value(), Abort::LinkDown)) return;
    // More parities than the key has bits leave nothing of it.
    const std::size_t budget = key_.size();
    auto oracle =
        cascade::ParityOracle::create(environment_.provider, std::move(key_), Seed::copy_of(begin.seed), budget);
    if (!demand(oracle.has_value(), Abort::TooFewRounds)) return;
    oracle_.emplace(std::move(*oracle));
    report_.expected_error = begin.error_ppm * 1e-6;
    say(begin);
    await_ = Await::Queries;
  }

  void on(const QueriesMessage* message) {
    if (!demand(message != nullptr)) return;
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): there is one while queries are awaited
    cascade::ParityOracle& oracle = *oracle_;
    if (!demand(decode(message->batch, oracle.key_size(), oracle.budget(), batch_).has_value())) return;
    auto answers = oracle.answer(batch_);
    if (!demand(answers.has_value())) return;
    ++report_.batches;
    say(ParitiesMessage{std::move(*answers)});
  }

  void on(const CorrectedMessage& message) {
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): there is one while queries are awaited
    key_ = std::move(*oracle_).take_key();
    oracle_.reset();
    if (!demand(message.errors <= key_.size())) return;
    report_.errors = message.errors;
    VerifyMessage verify;
    std::array<std::uint8_t, 8> point{};
    if (!demand(environment_.provider.rng().fill(point).has_value(), Abort::LinkDown)) return;
    verify.point = load_big_endian(point);
    verify.hash = hashing::verification_hash(key_, verify.point);
    say(verify);
    await_ = Await::Verified;
  }

  void on(const VerifiedMessage* message) {
    if (!demand(message != nullptr)) return;
    const auto [length, reason] = certified();
    if (!demand(length > 0, reason)) return;
    PrivacyMessage privacy{.length = static_cast<std::uint32_t>(length), .seed = {}};
    std::vector<std::uint8_t> seed((key_.size() + length + 6) / 8);
    if (!demand(environment_.provider.rng().fill(seed).has_value(), Abort::LinkDown)) return;
    privacy.seed = Bits::from_bytes(seed, key_.size() + length - 1);
    if (!amplify(privacy)) return;
    say(std::move(privacy));
    if (!make_tags(environment_.pad.position())) return;
    say(own_tag());
    await_ = Await::Tag;
  }

  void on(const TagMessage* message) {
    if (!demand(message != nullptr) || !demand(is_of_peer(*message), Abort::Authentication)) return;
    say(acceptance());
    release();
  }

  Await await_ = Await::Clicks;
  Clicks clicks_;
  Settings settings_;
  TestsMessage tests_;
  std::vector<std::uint8_t> pairs_;
  std::optional<cascade::ParityOracle> oracle_;  ///< holds the key while Bob asks
  cascade::QueryBatch batch_;
};

}  // namespace

std::unique_ptr<Block> alice_block(Block::Environment environment, std::uint64_t block, std::uint64_t slots,
                                   Clicks&& clicks, Settings&& settings) {
  return std::make_unique<AliceBlock>(std::move(environment), block, slots, std::move(clicks), std::move(settings));
}

}  // namespace qsp::e91::post

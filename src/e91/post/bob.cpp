#include <algorithm>
#include <optional>

#include "e91/cascade/cascade.hpp"
#include "e91/hashing/verification.hpp"
#include "e91/post/block.hpp"
#include "e91/post/sift.hpp"

namespace qsp::e91::post {
namespace {

/// Bob's end. What he awaits next:
///   Ready → Matches → Tests → Reconcile → Parities … → Verify → Privacy → Tag → Accepted → done
class BobBlock final : public Block {
 public:
  BobBlock(Environment environment, std::uint64_t block, std::uint64_t slots, Clicks&& clicks, Settings&& settings)
      : Block(std::move(environment), Side::Bob, block, slots),
        clicks_(std::move(clicks)),
        of_slots_(std::move(settings)) {
    keep_live(clicks_, environment_.config.dead_slots.at(1));
    demand(clicks_.size() <= kMaxClicks, Abort::LinkDown);
  }

 private:
  enum class Await : std::uint8_t { Ready, Matches, Tests, Reconcile, Parities, Verify, Privacy, Tag, Accepted };

  void on_message(Message&& message) override {
    switch (await_) {
      case Await::Ready:
        return on(std::get_if<ReadyMessage>(&message));
      case Await::Matches:
        return on(std::get_if<MatchesMessage>(&message));
      case Await::Tests:
        return on(std::get_if<TestsMessage>(&message));
      case Await::Reconcile:
        return on(std::get_if<ReconcileMessage>(&message));
      case Await::Parities:
        return on(std::get_if<ParitiesMessage>(&message));
      case Await::Verify:
        return on(std::get_if<VerifyMessage>(&message));
      case Await::Privacy:
        return on(std::get_if<PrivacyMessage>(&message));
      case Await::Tag:
        return on(std::get_if<TagMessage>(&message));
      case Await::Accepted:
        return on(std::get_if<AcceptedMessage>(&message));
    }
  }

  void on(const ReadyMessage* message) {
    if (!demand(message != nullptr && message->slots == report_.slots)) return;
    ClicksMessage announced = announce(clicks_, of_slots_, report_.slots);
    if (!demand(of_slots_.healthy(), Abort::LinkDown)) return;
    report_.clicks = clicks_.size();
    settings_ = announced.setting;
    say(std::move(announced));
    await_ = Await::Matches;
  }

  void on(const MatchesMessage* message) {
    if (!demand(message != nullptr)) return;
    if (!demand(are_live(clicks_, message->shared, environment_.config.dead_slots.at(0)))) return;
    auto sifted = sift_bob(environment_.config.mode, clicks_, settings_, *message);
    if (!demand(sifted.has_value())) return;
    clicks_ = {};
    settings_ = {};
    // NOLINTBEGIN(bugprone-unchecked-optional-access): demanded above
    if (!demand(!sifted->too_many, Abort::TooManyRounds)) return;
    report_.shared = sifted->shared;
    key_ = std::move(sifted->key);
    report_.key_bits = key_.size();
    tests_.outcomes = std::move(sifted->tests);
    pairs_ = std::move(sifted->pairs);
    // NOLINTEND(bugprone-unchecked-optional-access)
    say(TestsMessage{tests_.outcomes.copy()});
    await_ = Await::Tests;
  }

  void on(const TestsMessage* message) {
    if (!demand(message != nullptr) || !judge(*message, tests_, pairs_)) return;
    await_ = Await::Reconcile;
  }

  void on(const ReconcileMessage* message) {
    if (!demand(message != nullptr)) return;
    // The estimate follows from what both have seen; another one would only waste parities.
    if (!demand(message->error_ppm == expected_error_ppm(environment_.config.mode, report_.tests))) return;
    report_.expected_error = message->error_ppm * 1e-6;
    const std::size_t budget = key_.size();
    auto cascade = cascade::Cascade::create(environment_.provider, std::move(key_), report_.expected_error,
                                            Seed::copy_of(message->seed), {.answers = budget});
    if (!demand(cascade.has_value(), Abort::TooFewRounds)) return;
    go_on(cascade_.emplace(std::move(*cascade)));
  }

  void on(const ParitiesMessage* message) {
    if (!demand(message != nullptr)) return;
    ++report_.batches;
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): there is one while parities are awaited
    cascade::Cascade& cascade = *cascade_;
    if (!demand(cascade.feed(message->parities).has_value(), Abort::Reconciliation)) return;
    go_on(cascade);
  }

  /// Asks the next questions, or says that there are none left.
  void go_on(cascade::Cascade& cascade) {
    if (cascade.state() == cascade::Cascade::State::Asking) {
      say(QueriesMessage{encode(cascade.queries())});
      await_ = Await::Parities;
      return;
    }
    // A bit turned twice counts twice: the bound on the error rate errs on the safe side.
    report_.errors = static_cast<std::uint32_t>(std::min(cascade.turned(), report_.key_bits));
    key_ = std::move(cascade).take_key();
    cascade_.reset();
    say(CorrectedMessage{report_.errors});
    await_ = Await::Verify;
  }

  void on(const VerifyMessage* message) {
    if (!demand(message != nullptr)) return;
    if (!demand(hashing::verification_hash(key_, message->point) == message->hash, Abort::Verification)) return;
    say(VerifiedMessage{});
    await_ = Await::Privacy;
  }

  void on(const PrivacyMessage* message) {
    if (!demand(message != nullptr && message->length > 0 && message->length == certified().length)) return;
    if (!amplify(*message)) return;
    await_ = Await::Tag;
  }

  void on(const TagMessage* message) {
    if (!demand(message != nullptr) || !make_tags(message->position)) return;
    if (!demand(is_of_peer(*message), Abort::Authentication)) return;
    say(own_tag());
    await_ = Await::Accepted;
  }

  void on(const AcceptedMessage* message) {
    if (!demand(message != nullptr)) return;
    if (demand(constant_time_equal(message->word, acceptance().word), Abort::Authentication)) release();
  }

  Await await_ = Await::Ready;
  Clicks clicks_;
  Settings of_slots_;
  SettingList settings_;  ///< of his clicks
  TestsMessage tests_;
  std::vector<std::uint8_t> pairs_;
  std::optional<cascade::Cascade> cascade_;  ///< holds the key while it is corrected
};

}  // namespace

std::unique_ptr<Block> bob_block(Block::Environment environment, std::uint64_t block, std::uint64_t slots,
                                 Clicks&& clicks, Settings&& settings) {
  return std::make_unique<BobBlock>(std::move(environment), block, slots, std::move(clicks), std::move(settings));
}

}  // namespace qsp::e91::post

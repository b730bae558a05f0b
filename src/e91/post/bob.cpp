#include "e91/hashing/verification.hpp"
#include "e91/post/block.hpp"

namespace qsp::e91 {
namespace {

/// Bob's end. What he awaits next:
///   Matches → Tests → Reconcile → Parities … → Verify → Privacy → Tag → done
class BobBlock final : public Block {
 public:
  BobBlock(Environment environment, std::uint64_t block, std::uint64_t slots, Clicks&& clicks, Settings&& settings)
      : Block(std::move(environment), Side::Bob, block, slots), clicks_(std::move(clicks)) {
    announced_ = announce(clicks_, settings, slots);
    if (!demand(settings.healthy(), Abort::LinkDown)) return;
    report_.clicks = clicks_.size();
    say(announced_);
  }

 private:
  enum class Await : std::uint8_t { Matches, Tests, Reconcile, Parities, Verify, Privacy, Tag };

  void on_message(Message&& message) override {
    switch (await_) {
      case Await::Matches: return on(std::get_if<MatchesMessage>(&message));
      case Await::Tests: return on(std::get_if<TestsMessage>(&message));
      case Await::Reconcile: return on(std::get_if<ReconcileMessage>(&message));
      case Await::Parities: return on(std::get_if<ParitiesMessage>(&message));
      case Await::Verify: return on(std::get_if<VerifyMessage>(&message));
      case Await::Privacy: return on(std::get_if<PrivacyMessage>(&message));
      case Await::Tag: return on(std::get_if<TagMessage>(&message));
    }
  }

  void on(const MatchesMessage* message) {
    if (!demand(message != nullptr)) return;
    auto sifted = sift_bob(environment_.config.mode, clicks_, announced_, *message);
    if (!demand(sifted.has_value())) return;
    clicks_ = {};
    announced_ = {};
    report_.shared = sifted->shared;
    key_ = std::move(sifted->key);
    report_.key_bits = key_.size();
    tests_.outcomes = std::move(sifted->tests);
    pairs_ = std::move(sifted->pairs);
    say(TestsMessage{tests_.outcomes.copy()});
    await_ = Await::Tests;
  }

  void on(const TestsMessage* message) {
    if (!demand(message != nullptr) || !judge(*message, tests_, pairs_)) return;
    await_ = Await::Reconcile;
  }

  Await await_ = Await::Matches;
  Clicks clicks_;
  ClicksMessage announced_;
  TestsMessage tests_;
  std::vector<std::uint8_t> pairs_;
};

}  // namespace

std::unique_ptr<Block> bob_block(Block::Environment environment, std::uint64_t block, std::uint64_t slots, Clicks&& clicks,
                                 Settings&& settings) {
  return std::make_unique<BobBlock>(std::move(environment), block, slots, std::move(clicks), std::move(settings));
}

}  // namespace qsp::e91

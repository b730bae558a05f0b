#include "e91/post/audit.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "e91/cascade/messages.hpp"
#include "e91/hashing/verification.hpp"
#include "e91/post/sift.hpp"
#include "wire/cursor.hpp"

namespace qsp::e91::post {
namespace {

/// Follows one block.
class Follower {
 public:
  Follower(const PostConfig& config, std::uint64_t block) : config_(config) { result_.block = block; }

  void take(Side sender, Message&& message) {
    if (!result_.problem.empty()) return;
    if (result_.complete || result_.aborted) return object("a message after its block had ended");
    if (const auto* const abort = std::get_if<AbortMessage>(&message)) {
      result_.aborted = abort->reason;
      return;
    }
    result_.disclosed += disclosed_key_bits(message);
    const std::string_view type = name(message);
    if (!std::visit([&](auto& body) { return on(sender, body); }, message)) {
      object(std::string(type) + " out of turn or not fitting what came before");
    }
  }

  void object(std::string problem) {
    if (result_.problem.empty()) result_.problem = std::move(problem);
  }

  [[nodiscard]] std::size_t clicks() const noexcept { return clicks_.setting.size(); }
  [[nodiscard]] const AuditedBlock& result() const noexcept { return result_; }

 private:
  enum class Next : std::uint8_t {
    Ready,
    Clicks,
    Matches,
    BobsTests,
    AlicesTests,
    Reconcile,
    Ask,
    Answer,
    Verify,
    Verified,
    Privacy,
    AlicesTag,
    BobsTag,
    Accepted,
    Nothing
  };

  /// Whether it is this message's turn, and if so whose turn is next.
  bool turn(Side sender, Side by, Next at, Next then) noexcept {
    if (sender != by || next_ != at) return false;
    next_ = then;
    return true;
  }

  bool on(Side sender, const ReadyMessage& message) {
    slots_ = message.slots;
    return turn(sender, Side::Alice, Next::Ready, Next::Clicks);
  }

  bool on(Side sender, ClicksMessage& message) {
    clicks_ = std::move(message);
    result_.clicks = clicks();
    return clicks_.slots == slots_ && are_live(clicks_.slot, config_.dead_slots.at(1)) &&
           turn(sender, Side::Bob, Next::Clicks, Next::Matches);
  }

  bool on(Side sender, const MatchesMessage& message) {
    if (!message.setting.all_below(angles(config_.mode, Side::Alice).size()) ||
        !clicks_.setting.all_below(angles(config_.mode, Side::Bob).size())) {
      return false;
    }
    result_.shared = message.setting.size();
    std::size_t next = 0;
    SlotList::Cursor slots(clicks_.slot);
    SlotList shared;
    for (std::size_t i = 0; i < clicks(); ++i) {
      const std::uint64_t slot = slots.next();
      if (!message.shared[i]) continue;
      shared.push_back(slot);
      const std::uint8_t alice = message.setting[next++];
      const std::uint8_t bob = clicks_.setting[i];
      switch (role(config_.mode, alice, bob)) {
        case RoundRole::Key:
          ++result_.key_bits;
          break;
        case RoundRole::Phase:
        case RoundRole::Chsh:
          pairs_.push_back(static_cast<std::uint8_t>(kMaxSettings * alice + bob));
          break;
        case RoundRole::None:
          break;
      }
    }
    return are_live(shared, config_.dead_slots.at(0)) && turn(sender, Side::Alice, Next::Matches, Next::BobsTests);
  }

  bool on(Side sender, TestsMessage& message) {
    // After so many rounds only giving up is left.
    if (result_.key_bits > kMaxKeyBits) object(std::string(describe(Abort::TooManyRounds)));
    if (message.outcomes.size() != pairs_.size()) return false;
    if (turn(sender, Side::Bob, Next::BobsTests, Next::AlicesTests)) {
      bobs_ = std::move(message.outcomes);
      return true;
    }
    if (!turn(sender, Side::Alice, Next::AlicesTests, Next::Reconcile)) return false;
    result_.tests = evaluate(config_.mode, count_outcomes(message.outcomes, bobs_, pairs_));
    return true;
  }

  bool on(Side sender, const ReconcileMessage& message) {
    return turn(sender, Side::Alice, Next::Reconcile, Next::Ask) &&
           !object_to_tests(config_, result_.tests, result_.key_bits) &&
           message.error_ppm == expected_error_ppm(config_.mode, result_.tests);
  }

  bool on(Side sender, const QueriesMessage& message) {
    if (!turn(sender, Side::Bob, Next::Ask, Next::Answer) || result_.disclosed > result_.key_bits) return false;
    cascade::QueryBatch batch;
    if (!decode(message.batch, result_.key_bits, result_.key_bits - result_.disclosed, batch)) return false;
    asked_ = batch.answer_bits();
    return true;
  }

  bool on(Side sender, const ParitiesMessage& message) {
    return turn(sender, Side::Alice, Next::Answer, Next::Ask) && message.parities.size() == asked_;
  }

  bool on(Side sender, const CorrectedMessage& message) {
    result_.errors = message.errors;
    return turn(sender, Side::Bob, Next::Ask, Next::Verify) && message.errors <= result_.key_bits;
  }

  bool on(Side sender, const VerifyMessage& /*message*/) {
    return turn(sender, Side::Alice, Next::Verify, Next::Verified);
  }
  bool on(Side sender, const VerifiedMessage& /*message*/) {
    return turn(sender, Side::Bob, Next::Verified, Next::Privacy);
  }

  bool on(Side sender, const PrivacyMessage& message) {
    if (!turn(sender, Side::Alice, Next::Privacy, Next::AlicesTag)) return false;
    result_.announced = message.length;
    result_.certified =
        certify(config_, result_.tests,
                {.key_bits = result_.key_bits, .errors = result_.errors, .disclosed = result_.disclosed})
            .length;
    if (result_.announced != result_.certified) object("the announced key length is not the certified one");
    return message.seed.size() + 1 == result_.key_bits + message.length;
  }

  bool on(Side sender, const TagMessage& message) {
    if (turn(sender, Side::Alice, Next::AlicesTag, Next::BobsTag)) {
      position_ = message.position;
      return true;
    }
    return turn(sender, Side::Bob, Next::BobsTag, Next::Accepted) && message.position == position_;
  }

  bool on(Side sender, const AcceptedMessage& /*message*/) {
    result_.complete = turn(sender, Side::Alice, Next::Accepted, Next::Nothing);
    return result_.complete;
  }

  bool on(Side /*sender*/, const AbortMessage& /*message*/) { return true; }

  const PostConfig& config_;
  AuditedBlock result_;
  Next next_ = Next::Ready;
  std::uint64_t slots_ = 0;
  ClicksMessage clicks_;
  std::vector<std::uint8_t> pairs_;
  Bits bobs_;
  std::size_t asked_ = 0;
  std::uint64_t position_ = 0;
};

/// The block number of a message, behind its type.
std::uint64_t block_of(Bytes message) noexcept {
  wire::Reader reader(message);
  reader.u8();
  return reader.u64();
}

constexpr std::array<std::string_view, 7> kAudited{
    "the order, senders, blocks and sizes of all messages",
    "that slots ascend, lie in the block, and keep both dead times",
    "n, its bound, and which rounds are tests, from the settings that both told",
    "S and the error rate of the tests, against the floors above",
    "the error rate that reconciliation began with",
    "every disclosed bit of the key, one by one",
    "the length of the key, from all of these and ε",
};
constexpr std::array<std::string_view, 7> kBeyond{
    "settings of rounds that are of no use: Alice does not share the click, or the pair is neither key nor test",
    "the tags and Alice's last word: they take the pad",
    "the parities and the verification hash: they are of a key that is not public",
    "what Bob asked for and his count of errors: they follow from a key that is not public",
    "that nonce, seeds and the point of the hash were drawn at random",
    "that slots and outcomes are what detectors saw, and settings were random",
    "that the parameters are those the stations were given, unless --require names them",
};

}  // namespace

std::span<const std::string_view> audited() noexcept { return kAudited; }
std::span<const std::string_view> beyond_audit() noexcept { return kBeyond; }

std::vector<AuditedBlock> audit(const Transcript& transcript) {
  std::vector<AuditedBlock> blocks;
  std::optional<Follower> follower;
  const auto end = [&] {
    if (!follower) return;
    blocks.push_back(follower->result());
    if (!blocks.back().complete && !blocks.back().aborted && blocks.back().problem.empty()) {
      blocks.back().problem = "the transcript ends, or another block begins, before this one has ended";
    }
  };
  for (const Transcript::Entry& entry : transcript.entries) {
    const std::uint64_t number = block_of(entry.message);
    if (!follower || follower->result().block != number) {
      end();
      follower.emplace(transcript.config, number);
    }
    auto message = parse(entry.message, {.block = number, .clicks = follower->clicks()});
    if (message) {
      follower->take(entry.sender, std::move(*message));
    } else {
      follower->object("bytes that are not a message");
    }
  }
  end();
  return blocks;
}

}  // namespace qsp::e91::post

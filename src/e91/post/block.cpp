#include "e91/post/block.hpp"

#include "e91/hashing/toeplitz.hpp"
#include "e91/hashing/verification.hpp"

namespace qsp::e91::post {
namespace {

constexpr std::size_t index(Side side) noexcept { return static_cast<std::size_t>(side); }
constexpr Side other(Side side) noexcept { return side == Side::Alice ? Side::Bob : Side::Alice; }

}  // namespace

Block::Block(Environment environment, Side side, std::uint64_t block, std::uint64_t slots)
    : environment_(std::move(environment)), side_(side) {
  report_.block = block;
  report_.slots = slots;
}

void Block::handle(Bytes message) {
  if (done_) return;
  auto parsed = parse(message, {.block = report_.block, .clicks = report_.clicks});
  if (!parsed) return give_up(Abort::Protocol);
  record(other(side_), message, *parsed);
  if (const auto* const abort = std::get_if<AbortMessage>(&*parsed)) return end(abort->reason, true);
  on_message(std::move(*parsed));
}

void Block::give_up(Abort reason) {
  if (done_) return;
  say(AbortMessage{reason});
  end(reason, false);
}

void Block::say(Message message) {
  std::vector<std::uint8_t> wire = encode(report_.block, message);
  record(side_, wire, message);
  outbox_.push_back(std::move(wire));
}

/// Every message of either direction passes here and nowhere else, so the count of what was disclosed is complete.
void Block::record(Side sender, Bytes wire, const Message& message) {
  report_.disclosed += disclosed_key_bits(message);
  if (environment_.listener) environment_.listener(sender, wire);
  const bool covered = !std::holds_alternative<TagMessage>(message) && !std::holds_alternative<AbortMessage>(message) &&
                       !std::holds_alternative<AcceptedMessage>(message);
  if (covered) said_.push_back({.sender = sender, .message = {wire.begin(), wire.end()}});
}

bool Block::demand(bool holds, Abort reason) {
  if (!holds) give_up(reason);
  return holds;
}

bool Block::judge(const TestsMessage& alice, const TestsMessage& bob, const std::vector<std::uint8_t>& pairs) {
  if (!demand(alice.outcomes.size() == pairs.size() && bob.outcomes.size() == pairs.size())) return false;
  report_.test_bits = pairs.size();
  report_.tests = evaluate(environment_.config.mode, count_outcomes(alice.outcomes, bob.outcomes, pairs));
  const auto objection = object_to_tests(environment_.config, report_.tests, report_.key_bits);
  return demand(!objection, objection.value_or(Abort::Protocol));
}

Certified Block::certified() const {
  return certify(environment_.config, report_.tests,
                 {.key_bits = report_.key_bits, .errors = report_.errors, .disclosed = report_.disclosed});
}

bool Block::make_tags(std::uint64_t position) {
  if (!demand(environment_.pad.skip_to(position), Abort::PadExhausted)) return false;
  auto taken = environment_.pad.take();
  if (!demand(taken.has_value(), Abort::PadExhausted)) return false;
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): demanded above
  auto& drawn = *taken;
  position_ = drawn.position;
  word_ = drawn.word;
  qsp::wipe(drawn.word);
  for (const Side side : {Side::Alice, Side::Bob}) {
    hashing::TagStream stream(drawn.keys.at(index(side)), side, report_.block);
    for (const auto& [sender, message] : said_) {
      const std::array<std::uint8_t, 1> by{static_cast<std::uint8_t>(sender)};
      if (!demand(stream.update(by).has_value() && stream.update(message).has_value())) return false;
    }
    const auto tag = std::move(stream).finish(std::move(drawn.pads.at(index(side))));
    if (!demand(tag.has_value())) return false;
    tags_.at(index(side)) = *tag;
  }
  return true;
}

TagMessage Block::own_tag() const { return {.position = position_, .tag = tags_.at(index(side_))}; }

bool Block::is_of_peer(const TagMessage& message) const {
  return message.position == position_ && constant_time_equal(message.tag, tags_.at(index(other(side_))));
}

bool Block::amplify(const PrivacyMessage& privacy) {
  auto made = hashing::toeplitz(key_, privacy.seed, privacy.length);
  if (!demand(made.has_value())) return false;
  key_ = std::move(*made);
  report_.length = privacy.length;
  return true;
}

void Block::release() {
  done_ = true;
  said_ = {};
  qsp::wipe(word_);
}

void Block::end(Abort reason, bool by_peer) {
  done_ = true;
  key_ = Bits();
  said_ = {};
  qsp::wipe(word_);
  report_.length = 0;
  report_.aborted = reason;
  report_.by_peer = by_peer;
}

}  // namespace qsp::e91::post

#include "e91/station/station.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "e91/link/expected.hpp"
#include "e91/local/local_link.hpp"
#include "wire/cursor.hpp"

namespace qsp::e91::station {
namespace {

/// Alice sends one message and waits, or gives the block up behind it.
constexpr std::size_t kMaxEarly = 2;

/// Clicks scatter around what is expected of a block.
constexpr double kClicksMargin = 0.9;

}  // namespace

Owners owner_of(const party::FinalKey& key) noexcept { return (key.id.back() & 1) == 0 ? kOwnerA : kOwnerB; }

std::uint64_t slots_of_block(const link::LinkConfig& link, std::uint64_t key_bits) {
  const std::uint64_t slots = local::slots_for(link, key_bits);
  const link::Expected rates = expected(link, *link::no_eve());
  const double clicks_per_slot = std::max(rates.alice_singles_per_s, rates.bob_singles_per_s) / link.slots_per_s;
  const double most = kClicksMargin * static_cast<double>(post::kMaxClicks) / std::max(clicks_per_slot, 1e-300);
  return static_cast<double>(slots) <= most ? slots : static_cast<std::uint64_t>(most);
}

void StationMachine::paired(const PairingName& name, Bytes bootstrap, Instant now) {
  unpaired();
  const party::Pairing pairing{.config = plan_.post, .p_z = plan_.p_z, .name = name};
  party_ =
      std::make_unique<party::Party>(provider_, side_, pairing, post::AuthenticationPad(bootstrap), post::Listener{});
  block_.pairing = name;
  if (side_ == Side::Alice) {
    agreed_ = true;
    world_.to_peer(encode(ClassicalMessage(plan_)));
  }
  go_on(now);
}

void StationMachine::unpaired() {
  party_.reset();
  agreed_ = false;
  state_ = State::Idle;
  next_ = 0;
  ends_ = Instant::max();
  early_.clear();
}

void StationMachine::give_up(std::string_view why) {
  unpaired();
  world_.end_pairing(why);
}

void StationMachine::peer_said(Bytes message, Instant now) {
  if (!party_) return;
  auto parsed = parse_classical(message);
  if (!parsed) return give_up(parsed.error().where);
  if (const auto* const plan = std::get_if<StationPlan>(&*parsed)) return on(*plan);
  if (const auto* const invitation = std::get_if<Invitation>(&*parsed)) return on(*invitation, now);
  if (const auto* const acceptance = std::get_if<Acceptance>(&*parsed)) return on(*acceptance, now);
  on(std::move(std::get<BlockMessage>(*parsed)), now);
}

void StationMachine::on(const StationPlan& plan) {
  if (side_ != Side::Bob || agreed_) return give_up("a plan out of turn");
  // How long a block is, is Alice's choice; what a key must fulfil is each station's own.
  plan_.slots = plan.slots;
  if (plan != plan_) return give_up("the stations' links differ: give both the same --link-file");
  agreed_ = true;
}

void StationMachine::on(const Invitation& invitation, Instant now) {
  const bool repeated = state_ != State::Idle && invitation.block == block_.number;
  if (side_ != Side::Bob || !agreed_ || (!repeated && (state_ != State::Idle || invitation.block < next_))) {
    return give_up("an invitation out of turn");
  }
  // The one that has been accepted stands.
  if (state_ != State::Idle && state_ != State::Inviting) return;
  block_.number = invitation.block;
  invited_ = invitation.wanted;
  state_ = State::Inviting;
  go_on(now);
}

void StationMachine::on(const Acceptance& acceptance, Instant now) {
  if (side_ != Side::Alice || state_ != State::Inviting || acceptance.block != block_.number) {
    return give_up("an acceptance out of turn");
  }
  order(acceptance.block, acceptance.kept, now);
}

void StationMachine::on(BlockMessage&& message, Instant now) {
  const bool under_way = state_ == State::Ordered || state_ == State::Working;
  wire::Reader reader(message.bytes);
  reader.u8();
  const std::uint64_t number = reader.u64();
  // Both may give a block up at once; the peer's word of it finds it over here.
  if (reader.ok() && number < next_ && !(under_way && number == block_.number)) return;
  if (state_ == State::Ordered && early_.size() < kMaxEarly) {
    early_.push_back(std::move(message.bytes));
  } else if (state_ == State::Working) {
    party_->block()->handle(message.bytes);
    pump(now);
  } else {
    give_up("a message of no block");
  }
}

void StationMachine::tick(Instant now) {
  if (now >= ends_) return give_up("a block took too long");
  go_on(now);
}

void StationMachine::set_link(bool up, Instant now) {
  link_up_ = up;
  if (!up && state_ == State::Ordered) return give_up("the link went away in the middle of a block");
  go_on(now);
}

void StationMachine::go_on(Instant now) {
  if (!party_ || !agreed_ || !link_up_ || now < pause_until_) return;
  const Owners wanted = world_.wanted();
  if (side_ == Side::Alice) {
    if (wanted == 0 || (state_ != State::Idle && (state_ != State::Inviting || wanted == invited_))) return;
    if (state_ == State::Idle) block_.number = next_;
    state_ = State::Inviting;
    invited_ = wanted;
    world_.to_peer(encode(ClassicalMessage(Invitation{.block = block_.number, .wanted = wanted})));
    return;
  }
  const auto kept = static_cast<Owners>(wanted & invited_);
  if (state_ != State::Inviting || kept == 0) return;
  world_.to_peer(encode(ClassicalMessage(Acceptance{.block = block_.number, .kept = kept})));
  order(block_.number, kept, now);
}

void StationMachine::order(std::uint64_t number, Owners kept, Instant now) {
  next_ = number + 1;
  kept_ = kept;
  auto seed = party_->prepare(number);
  if (!seed) return give_up(seed.error().where);
  state_ = State::Ordered;
  ends_ = now + patience_;
  if (!link_up_) return give_up("the link went away in the middle of a block");
  world_.to_link(SecretBytes(encode(Order{
      .block = block_, .mode = plan_.post.mode, .p_z = plan_.p_z, .slots = plan_.slots, .seed = std::move(*seed)})));
}

void StationMachine::link_said(Bytes message, Instant now) {
  auto parsed = parse_answer(message);
  if (!parsed) return give_up(parsed.error().where);
  const BlockName& about = std::visit([](const auto& answer) -> const BlockName& { return answer.block; }, *parsed);
  // An answer to what an earlier pairing ordered.
  if (state_ != State::Ordered || about != block_) return;
  if (const auto* const declined = std::get_if<Declined>(&*parsed)) {
    return give_up("the link declines: " + declined->why);
  }
  work(std::move(std::get<Detections>(*parsed)), now);
}

void StationMachine::work(Detections&& detections, Instant now) {
  if (detections.slots != plan_.slots) return give_up("the link played another number of slots");
  state_ = State::Working;
  party_->begin(detections.slots, std::move(detections.clicks));
  for (const auto& message : std::exchange(early_, {})) party_->block()->handle(message);
  pump(now);
}

void StationMachine::pump(Instant now) {
  post::Block& block = *party_->block();
  for (auto& bytes : block.poll()) world_.to_peer(encode(ClassicalMessage(BlockMessage{std::move(bytes)})));
  if (!block.done()) return;
  const post::BlockReport report = block.report();
  std::vector<party::FinalKey> keys = party_->finish();
  // Both stations keep and drop the same ones.
  std::erase_if(keys, [this](const party::FinalKey& key) { return (owner_of(key) & kept_) == 0; });
  state_ = State::Idle;
  ends_ = Instant::max();
  if (report.aborted) pause_until_ = now + kPauseAfterAbort;
  world_.block_done(report, std::move(keys));
  if (!party_->paired()) return give_up("the stations' pads may differ; pairing again");
  go_on(now);
}

}  // namespace qsp::e91::station

#include "channel_peer.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "channel/stage.hpp"
#include "check.hpp"
#include "wire/cursor.hpp"

namespace qsp::fuzz {
namespace {

using namespace qsp::test;
using wire::FrameType;

constexpr std::uint8_t kMaxDeeds = 32;

Message taken(wire::Reader& reader, std::size_t size) {
  const Bytes bytes = reader.bytes(std::min(size, reader.remaining()));
  return {bytes.begin(), bytes.end()};
}

class Play {
 public:
  Play(State state, wire::Reader& reader) : state_(state), reader_(reader), stage_(staged(state)) {
    // In ServerAwaitQkdKey the client has proved itself: the right key is all that is missing.
    established_ = stage_->seen().session_id.has_value() || state == State::ServerAwaitQkdKey;
    const std::uint8_t split = reader.u8();
    if (split != 0) stage_->pair().split_every(split);
  }

  void run() {
    for (std::uint8_t deed = 0; deed < kMaxDeeds && reader_.remaining() > 0; ++deed) act();
    check(stage_->pair().defect().empty(), "a breach of Endpoint's contract");
    check(established_ || spoke_lawfully_ || !stage_->seen().session_id, "Established out of forged messages");
    check(stage_->seen().data.size() <= sealed_data_, "data that nobody sealed");
  }

 private:
  void act() {
    switch (reader_.u8() % 7) {
      case 0:
        return next_message();
      case 1:
        return seal(false);
      case 2:
        return seal(true);
      case 3:
        return stage_->give(taken(reader_, reader_.u8()));
      case 4:
        return answer();
      case 5:
        return stage_->pair().advance(std::chrono::seconds(reader_.u8()));
      default:
        return act_at_the_end();
    }
  }

  /// Only the first time: afterwards the puppet no longer knows what is lawful.
  void next_message() {
    std::vector<std::pair<std::uint16_t, std::uint8_t>> changes(reader_.u8() % 8);
    for (auto& [offset, mask] : changes) {
      offset = reader_.u16();
      mask = reader_.u8();
    }
    const Message more = taken(reader_, reader_.u8());
    const Edit edit = [&](Message& message) {
      for (const auto& [offset, mask] : changes) message[offset % message.size()] ^= mask;
      message.insert(message.end(), more.begin(), more.end());
    };
    if (spoke_lawfully_ || spoke_ || stage_->closed()) return;
    spoke_lawfully_ = true;
    stage_->give(lawful(edit));
  }

  Frame lawful(const Edit& edit) {
    Puppet& puppet = stage_->puppet();
    switch (state_) {
      case State::AwaitServerHello:
        return puppet.server_hello(stage_->take(), edit);
      case State::AwaitServerAuth:
        return puppet.server_auth(edit);
      case State::AwaitServerFinish:
        return puppet.server_finish(edit);
      case State::ClientIdle:
      case State::ClientAfterEnd:
        return puppet.init(true, false, edit);
      case State::AwaitDone:
        return puppet.done();
      case State::AwaitClientHello:
        return puppet.client_hello(edit);
      case State::AwaitClientAuth:
        return puppet.client_auth(edit);
      case State::AwaitAck:
      case State::AwaitAckNoKey:
      case State::AwaitAckLight:
        return puppet.ack(stage_->take(), edit);
      default:
        return puppet.say(FrameType::Close, close_text(0));
    }
  }

  void seal(bool forge) {
    Puppet& puppet = stage_->puppet();
    wire::FrameHeader header = puppet.next_header(static_cast<FrameType>(1 + reader_.u8() % 4));
    const std::uint8_t flags = reader_.u8();
    spoke_ = true;
    sealed_data_ += header.type == FrameType::AppData ? 1 : 0;
    if (!forge) {
      const Message plaintext = taken(reader_, reader_.u16());
      return stage_->give(puppet.say(header.type, plaintext, flags));
    }
    header.flags = flags;
    header.session_id += reader_.u8() % 2;
    header.seq += static_cast<std::uint32_t>(static_cast<std::int8_t>(reader_.u8()));
    const auto epoch = header.epoch + static_cast<std::uint32_t>(static_cast<std::int8_t>(reader_.u8()));
    // Only keys that the puppet has; another epoch's header stands before a payload of this one's.
    const Message plaintext = taken(reader_, reader_.u16());
    Frame frame = puppet.forge(header, puppet.sent(), plaintext);
    wire::FrameHeader shown = header_of(frame);
    shown.epoch = epoch;
    stage_->give(framed(shown, payload_of(frame)));
  }

  void answer() {
    const std::uint8_t how = reader_.u8() % 4;
    const auto& asked = stage_->seen().qkd;
    if (asked.empty()) return;
    if (how == 0) return stage_->answer_qkd();
    Endpoint& end = stage_->end();
    const Instant now = stage_->pair().now();
    if (how == 1) {
      static_cast<void>(end.provide_qkd_key({std::string(36, 'a'), QkdKey()}, now));
    } else {
      static_cast<void>(end.fail_qkd_key(how == 2 ? QkdFailure::Unavailable : QkdFailure::Budget, now));
    }
    stage_->pair().drain(stage_->genuine());
  }

  void act_at_the_end() {
    const Role role = stage_->genuine();
    switch (reader_.u8() % 4) {
      case 0:
        static_cast<void>(stage_->pair().send(role, "data"));
        break;
      case 1:
        static_cast<void>(stage_->pair().send(role, as_bytes("last"), true));
        break;
      case 2:
        static_cast<void>(stage_->pair().rekey(role));
        break;
      default:
        stage_->pair().close(role, Reason::Limit, "enough");
    }
  }

  const State state_;
  wire::Reader& reader_;
  std::unique_ptr<Stage> stage_;
  bool established_ = false;
  bool spoke_lawfully_ = false, spoke_ = false;
  std::size_t sealed_data_ = 1;  // one may have come on the way into the state
};

}  // namespace

void play_channel_peer(Role genuine, Bytes input) {
  std::vector<State> states = all_states();
  std::erase_if(states, [&](State state) { return role_of(state) != genuine; });
  wire::Reader reader(input);
  const State state = states[reader.u8() % states.size()];
  Play(state, reader).run();
}

}  // namespace qsp::fuzz

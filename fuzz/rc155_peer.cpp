#include "rc155_peer.hpp"

#include <algorithm>
#include <array>

#include "check.hpp"

namespace qsp::fuzz {

using rc155::State;
using test::Frame;
using wire::FrameHeader;
using wire::FrameType;

Rc155Peer::Rc155Peer(Role session_role, crypto::Provider& provider)
    : role_(session_role), provider_(&provider), observer_(provider) {
  auto made = rc155::Session::dangerous_make(session_role, provider);
  check(made.has_value(), "no session");
  session_ = std::move(*made);
  drain();
}

void Rc155Peer::play(Bytes script) {
  wire::Reader reader(script);
  for (int steps = 0; reader.remaining() > 0 && steps < 200; ++steps) step(reader);
  session_->handle_end_of_stream(now_);
  drain();
  check(session_->phase() == Phase::Closed, "open after the end of the stream");
}

void Rc155Peer::step(wire::Reader& script) {
  const std::uint8_t action = script.u8();
  switch (action % 9) {
    case 0:
    case 1: {
      const std::size_t size = std::min<std::size_t>(script.u8(), script.remaining());
      give(script.bytes(size));
      break;
    }
    case 2:
      say_hello();
      break;
    case 3:
      send_sealed(script);
      break;
    case 4: {
      const bool lawful = role_ == Role::Server && last_.state == State::Established;
      check(session_->request_rekey(now_).has_value() == lawful, "request_rekey");
      drain();
      break;
    }
    case 5:
      now_ += std::chrono::seconds(script.u8());
      session_->handle_timeout(now_);
      drain();
      break;
    case 6:
      write_data(script.u8());
      break;
    case 7:
      send_lawful_rekey(script.u8());
      break;
    default:
      session_->close(reason_from_wire(script.u8()).value_or(Reason::Normal), "fuzz");
      drain();
  }
}

void Rc155Peer::say_hello() {
  Frame payload(role_ == Role::Server ? 36 : 44, 0x61);
  std::ranges::copy(std::string_view(role_ == Role::Server ? "CHLO" : "SHLO"), payload.begin());
  const std::uint64_t id = role_ == Role::Server ? 0 : 0x6161'6161'6161'6161;
  const Frame hello = rc155::clear_frame({FrameType::Handshake, 0, id, 0, 0, 0}, payload);
  if (last_.state == State::Handshake && unread_.empty()) from_peer_.assign(1, hello);
  give(hello);
}

FrameHeader Rc155Peer::next_header(FrameType type) const {
  return {type, 0, session_->session_id(), last_.epoch, last_.received + 1, 0};
}

/// A frame of any type, label and plaintext, authentic unless the script alters its numbers.
void Rc155Peer::send_sealed(wire::Reader& script) {
  if (!has_keys()) return;
  constexpr std::array<std::string_view, 4> kLabels = {"app", "rekey-init", "rekey-ack", "close"};
  FrameHeader header = next_header(static_cast<FrameType>(2 + script.u8() % 3));
  const std::string_view label = kLabels[script.u8() % kLabels.size()];
  const std::uint8_t alter = script.u8();
  const Bytes plaintext = script.bytes(std::min<std::size_t>(script.u8(), script.remaining()));
  if ((alter & 1) != 0 && last_.previous_epoch != 0) header.epoch = last_.previous_epoch;
  const std::uint32_t key_epoch = header.epoch;
  if (alter % 16 == 6) ++header.epoch;
  if (alter % 16 == 8) ++header.seq;
  if (alter % 16 == 10) header.flags = alter;
  if (alter % 16 == 12) ++header.session_id;
  const Frame frame = observer_.seal(header, label, plaintext, key_epoch);
  if (header.type == FrameType::AppData && label == "app")
    sealed_data_.emplace_back(plaintext.begin(), plaintext.end());
  // An INIT that the client will accept is what the next keys follow from.
  if (role_ == Role::Client && header.type == FrameType::Rekey) from_peer_.push_back(frame);
  give(frame);
}

/// The rekey message that the session's state calls for.
void Rc155Peer::send_lawful_rekey(std::uint8_t seed) {
  if (!has_keys() || last_.state == State::Closed || !unread_.empty()) return;
  const FrameHeader header = next_header(FrameType::Rekey);
  if (role_ == Role::Client) {
    const Frame init = observer_.seal(header, "rekey-init", rc155::rekey_message(1, last_.epoch + 1, Frame(32, seed)));
    from_peer_.push_back(init);
    give(init);
    check(session_->epoch() == header.epoch + 1, "refused a lawful INIT");
    return;
  }
  if (last_.state != State::Rekey) return;
  const auto init = observer_.open(Role::Server, from_session_.back());
  check(init.has_value() && init->size() == 41, "an INIT that cannot be read");
  const auto confirm = rc155::confirm(provider_->hkdf(), Bytes(*init).last(32));
  check(confirm.has_value(), "no digest");
  give(observer_.seal(header, "rekey-ack", rc155::rekey_message(2, last_.epoch + 1, *confirm)));
  check(session_->epoch() == header.epoch + 1, "refused a lawful ACK");
}

void Rc155Peer::write_data(std::size_t size) {
  const FrameRoom room = session_->frame_room();
  Frame frame(room.head + size + room.tail, 0x62);
  const bool lawful = session_->phase() == Phase::Established;
  check(session_->seal_app_data(frame, size, false, now_).has_value() == lawful, "seal_app_data");
  drain();
}

void Rc155Peer::give(Bytes bytes) {
  unread_.insert(unread_.end(), bytes.begin(), bytes.end());
  while (!unread_.empty()) {
    const bool closed = last_.state == State::Closed;
    const std::size_t used = session_->handle_bytes(unread_, now_);
    check(used <= unread_.size(), "used more than there was");
    check(!closed || used == unread_.size(), "a closed session left bytes");
    drain();
    if (used == 0) {
      check(session_->bytes_needed() > unread_.size(), "a whole frame was not handled");
      check(session_->bytes_needed() <= Endpoint::kMaxFrameSize, "asks for too much");
      return;
    }
    unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(used));
  }
}

void Rc155Peer::drain() {
  while (auto event = session_->poll_event()) {
    check(!closed_event_, "an event after Closed");
    if (const auto* data = std::get_if<AppData>(&*event)) {
      const bool genuine = std::ranges::any_of(
          sealed_data_, [&](const Frame& sealed) { return std::ranges::equal(sealed, data->data); });
      check(genuine, "delivered data that nobody sealed");
    }
    closed_event_ = std::holds_alternative<Closed>(*event);
  }
  Frame made(4096);
  made.resize(session_->poll_transmit(made));
  for (MutableBytes rest(made); !rest.empty();) {
    const auto decoded = wire::decode_frame(rest, [](const FrameHeader&) { return Result<void>{}; });
    const auto* frame = decoded ? std::get_if<wire::FrameView>(&*decoded) : nullptr;
    check(frame != nullptr, "sent half a frame");
    if (frame->header.type != FrameType::Close) {
      from_session_.emplace_back(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(frame->size()));
    }
    rest = rest.subspan(frame->size());
  }
  check_state();
}

void Rc155Peer::check_state() {
  const rc155::Snapshot now = session_->snapshot();
  check(now.epoch >= last_.epoch && now.sent >= last_.sent && now.received >= last_.received, "a counter went back");
  check(now.previous_epoch == 0 || (role_ == Role::Client && now.previous_epoch + 1 == now.epoch), "epochs held");
  check(last_.state != State::Closed || now == last_, "a closed session changed");
  check((now.state == State::Handshake) == (now.epoch == 0) || now.state == State::Closed, "state without an epoch");
  check(closed_event_ == (now.state == State::Closed), "Closed is told exactly once");
  check(now.state != State::Closed || !session_->next_timeout(), "a closed session has a timer");
  last_ = now;
  // Keys follow from the recording whenever it has grown.
  const bool client = role_ == Role::Client;
  if (now.epoch > 0 && !from_peer_.empty()) {
    watching_ = observer_.watch(client ? from_session_ : from_peer_, client ? from_peer_ : from_session_);
  }
}

}  // namespace qsp::fuzz

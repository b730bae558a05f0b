#include "channel/session.hpp"
#include "base/try.hpp"
#include "channel/refusals.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "channel/options.hpp"

namespace qsp {

Result<std::unique_ptr<Channel>> Channel::client(crypto::Provider& provider, const ClientOptions& options,
                                                 Instant now) {
  auto session = std::make_unique<channel::Session>(Role::Client, provider, nullptr);
  QSP_TRY(session->open(options, now));
  return session;
}

Result<std::unique_ptr<Channel>> Channel::server(crypto::Provider& provider, const ServerOptions& options,
                                                 Instant now) {
  auto session = std::make_unique<channel::Session>(Role::Server, provider, nullptr);
  QSP_TRY(session->open(options, now));
  return session;
}

}  // namespace qsp

namespace qsp::channel {
namespace {

using wire::FrameType;
using wire::kFrameHeaderSize;

}  // namespace

Session::Session(Role role, crypto::Provider& provider, schedule::DangerousKeyLog* log) noexcept
    : role_(role), provider_(provider), log_(log) {
  if (role == Role::Client) receiver_.accept_any_session_id();
}

Session::~Session() { wipe_secrets(); }

/// §2.5: "A receiver MUST check the header in this order": type, flags, type allowed in this state, length, session_id,
/// epoch, seq. The decoder has checked the type.
Result<void> Session::check_header(const wire::FrameHeader& header) const {
  QSP_TRY(wire::check_bounds(header, record::stream::kBounds));
  const bool handshake = header.type == FrameType::Handshake;
  if (handshake != (live_ == nullptr)) return forbidden("frame header: type out of turn");
  if (header.type == FrameType::AppData && live_->ended_there) return forbidden("frame header: data after END");
  if (receiver_.opening() && header.payload_len < crypto::kTagSize) return forbidden("frame header: payload_len");
  return receiver_.check(header);
}

Result<void> Session::on_app_data(const wire::FrameView& frame, Instant now) {
  QSP_TRY(const auto plaintext, receiver_.open(frame));
  count_received(frame.header.epoch, plaintext.size());
  const bool ended = (frame.header.flags & record::stream::kFlagEnd) != 0;
  if (ended || !plaintext.empty()) {
    if (!data_ && events_.empty()) {
      data_.emplace(plaintext, ended);
    } else {
      events_.emplace_back(AppData{plaintext, ended});
    }
  }
  if (ended) {
    live_->ended_there = true;
    // §8.1: "An end that has both sent and received END MUST send CLOSE NORMAL".
    if (live_->ended_here) {
      close(Reason::Normal, "");
      return {};
    }
  }
  return check_triggers(now);
}

Result<void> Session::on_control(const wire::FrameView& frame, Instant now) {
  if (!receiver_.opening()) {
    receiver_.accept_clear();
    return on_handshake_message(frame.payload, frame.header.session_id, now);
  }
  const bool first_of_epoch = frame.header.epoch != receiver_.epoch();
  QSP_TRY(const auto plaintext, receiver_.open(frame));
  Result<void> handled;
  switch (frame.header.type) {
    case FrameType::Handshake:
      handled = on_handshake_message(plaintext, frame.header.session_id, now);
      break;
    case FrameType::Rekey:
      count_received(frame.header.epoch, plaintext.size());
      handled = on_rekey(plaintext, first_of_epoch, now);
      break;
    case FrameType::Close:
      handled = on_close(plaintext);
      break;
    case FrameType::AppData:
      break;
  }
  wipe(plaintext);
  return handled;
}

std::size_t Session::handle_bytes(MutableBytes in, Instant now) {
  if (closed_) return in.size();
  const auto decoded = wire::decode_frame(in, [this](const wire::FrameHeader& header) { return check_header(header); });
  if (!decoded) {
    die(decoded.error());
    return in.size();
  }
  if (const auto* need = std::get_if<wire::NeedBytes>(&*decoded)) {
    bytes_needed_ = need->total;
    return 0;
  }
  const auto& frame = std::get<wire::FrameView>(*decoded);
  bytes_needed_ = kFrameHeaderSize;
  const auto handled = frame.header.type == FrameType::AppData ? on_app_data(frame, now) : on_control(frame, now);
  if (!handled) die(handled.error());
  return closed_ ? in.size() : frame.size();
}

Result<void> Session::on_close(Bytes plaintext) {
  QSP_TRY(const auto close, wire::parse_close(plaintext));
  end({.reason = close.reason, .text = std::string(close.text), .by_peer = true, .truncated = !live_->ended_there});
  return {};
}

void Session::handle_end_of_stream(Instant /*now*/) {
  if (closed_) return;
  if (live_ == nullptr) {
    end({.reason = Reason::HandshakeFailed, .text = "the connection ended during the handshake"});
  } else {
    end({.reason = Reason::ProtocolError,
         .text = "the stream ended without CLOSE",
         .by_peer = false,
         .truncated = !live_->ended_there});
  }
}

void Session::count_received(std::uint32_t epoch, std::size_t size) noexcept {
  auto& previous = live_->previous;
  EpochStatus& status = previous && epoch == previous->epoch ? *previous : live_->current;
  ++status.frames_received;
  status.bytes_received += size;
}

std::optional<Event> Session::poll_event() {
  if (data_) return *std::exchange(data_, std::nullopt);
  if (events_.empty()) return std::nullopt;
  std::optional<Event> event(std::move(events_.front()));
  events_.erase(events_.begin());
  return event;
}

std::size_t Session::poll_transmit(MutableBytes out) {
  const std::size_t size = std::min(out.size(), transmit_.size() - transmitted_);
  std::copy_n(transmit_.begin() + static_cast<std::ptrdiff_t>(transmitted_), size, out.begin());
  transmitted_ += size;
  if (transmitted_ == transmit_.size()) {
    transmit_.clear();
    transmitted_ = 0;
    // The hello and auth messages are large and never come again: an idle session keeps no buffer for them.
    if (transmit_.capacity() > 4'096) transmit_.shrink_to_fit();
  }
  return size;
}

FrameRoom Session::frame_room() const noexcept { return {.head = kFrameHeaderSize, .tail = crypto::kTagSize}; }

Result<void> Session::seal_app_data(MutableBytes frame, std::size_t size, bool ends, Instant now) {
  if (live_ == nullptr) return misuse("no session is established");
  if (live_->ended_here) return misuse("this end has said that it writes no more");
  if (transmitted_ != transmit_.size()) return misuse("poll_transmit comes first");
  if (size > kMaxPlaintext || frame.size() != size + record::stream::kOverhead) return misuse("frame size");
  const auto sealed = sender_.seal(FrameType::AppData, ends ? record::stream::kFlagEnd : std::uint8_t{0}, frame);
  if (!sealed) {
    wipe(frame);
    die(sealed.error());
    return sealed;
  }
  ++live_->current.frames_sent;
  live_->current.bytes_sent += size;
  if (ends) {
    live_->ended_here = true;
    if (live_->ended_there) {
      close(Reason::Normal, "");
      return {};
    }
  }
  if (const auto checked = check_triggers(now); !checked) die(checked.error());
  return {};
}

/// Queues a frame of a small plaintext, sealed under the current sending key.
Result<void> Session::send_control(FrameType type, Bytes plaintext) {
  const std::size_t begin = transmit_.size();
  transmit_.resize(begin + plaintext.size() + record::stream::kOverhead);
  const MutableBytes frame = MutableBytes(transmit_).subspan(begin);
  std::copy(plaintext.begin(), plaintext.end(), frame.begin() + kFrameHeaderSize);
  const auto sealed = sender_.seal(type, 0, frame);
  if (!sealed) {
    wipe(frame);
    transmit_.resize(begin);
    return sealed;
  }
  if (live_ != nullptr) {
    ++live_->current.frames_sent;
    live_->current.bytes_sent += plaintext.size();
  }
  return {};
}

void Session::close(Reason reason, std::string_view text) {
  if (closed_) return;
  const std::string_view cut = wire::cut_text(text);
  say_goodbye(reason, cut);
  end({.reason = reason,
       .text = std::string(cut),
       .by_peer = false,
       .truncated = live_ != nullptr && !live_->ended_there});
}

/// Fails closed: tells the peer what it may know, then ends.
void Session::die(const Error& error) {
  if (closed_) return;
  if (live_ != nullptr) {
    const Disclosure disclosure = disclose(error, Audience::Established);
    say_goodbye(disclosure.reason, disclosure.text);
  } else {
    send_alert(disclose(error, peer_verified() ? Audience::Authenticated : Audience::Unauthenticated));
  }
  end({.reason = error.reason,
       .text = std::string(error.where),
       .by_peer = false,
       .truncated = live_ != nullptr && !live_->ended_there});
}

void Session::say_goodbye(Reason reason, std::string_view text) {
  if (live_ == nullptr) {
    // SPEC §5.8: an application that gives up is HANDSHAKE_FAILED on the wire, and a stranger learns no more than that.
    const bool precise = peer_verified() && reason != Reason::Normal;
    if (precise) return send_alert({reason, text});
    // But a server may tell anybody that it has no room, and before SERVER_HELLO that no suite is common: neither says
    // anything about the peer.
    const bool no_room = role_ == Role::Server && reason == Reason::Limit;
    const bool no_suite = role_ == Role::Server && reason == Reason::NoCommonSuite && !sender_.started();
    return send_alert({no_room || no_suite ? reason : Reason::HandshakeFailed, ""});
  }
  std::array<std::uint8_t, 2 + wire::kMaxCloseText> plaintext{};
  const std::size_t size = encode(wire::Close{reason, text}, plaintext);
  // A key that cannot seal one more frame leaves only the end of the stream to tell the peer.
  static_cast<void>(send_control(FrameType::Close, Bytes(plaintext).first(size)));
}

void Session::end(Closed closed) {
  closed_ = true;
  bytes_needed_ = kFrameHeaderSize;
  if (live_ != nullptr) last_status_ = std::make_unique<ChannelStatus>(status());
  if (opening_ != nullptr) {
    const auto presented = std::visit([](const auto& machine) { return machine.presented(); }, opening_->machine);
    if (presented) presented_ = std::make_unique<const Presented>(*presented);
  }
  wipe_secrets();
  events_.emplace_back(std::move(closed));
}

void Session::wipe_secrets() noexcept {
  opening_.reset();
  live_.reset();
  sender_.wipe();
  receiver_.wipe();
}

Phase Session::phase() const noexcept {
  if (closed_) return Phase::Closed;
  return live_ == nullptr ? Phase::Handshake : Phase::Established;
}

std::uint32_t Session::epoch() const noexcept {
  if (live_ != nullptr) return sender_.epoch();
  return last_status_ != nullptr ? last_status_->current.epoch : 0;
}

}  // namespace qsp::channel

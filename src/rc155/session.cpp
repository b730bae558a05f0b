#include "rc155/session.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "base/try.hpp"
#include "wire/cursor.hpp"

namespace qsp::rc155 {
namespace {

constexpr Instant kHandshakeTimeout = std::chrono::seconds(10);
constexpr Instant kRekeyTimeout = std::chrono::seconds(180);
constexpr std::size_t kRekeyFrameSize = kFrameHead + kRekeyMessageSize + kFrameTail;

std::unexpected<Error> misuse(std::string_view where) noexcept {
  return fail(ErrorKind::ApiMisuse, Reason::InternalError, where);
}

Closed closed_here(const Error& error) {
  return {.reason = error.reason, .text = std::string(error.where), .by_peer = false, .truncated = true};
}

}  // namespace

Result<std::unique_ptr<Endpoint>> dangerous_make_session(Role role, crypto::Provider& provider) {
  return Session::dangerous_make(role, provider);
}

Session::Session(Role role, crypto::Provider& provider)
    : provider_(&provider), record_(provider), bounds_(frame_bounds(role)), role_(role) {
  transmit_.reserve(kRekeyFrameSize);
}

Result<std::unique_ptr<Session>> Session::dangerous_make(Role role, crypto::Provider& provider) {
  std::unique_ptr<Session> session(new Session(role, provider));
  if (role == Role::Client) {
    QSP_TRY(provider.rng().fill(session->client_nonce_));
    session->queue_hello(0, kClientHelloSize);
    encode_client_hello(session->client_nonce_, MutableBytes(session->transmit_).last<kClientHelloSize>());
  }
  return session;
}

// Bytes and time.

std::size_t Session::handle_bytes(MutableBytes in, Instant now) {
  if (state_ == State::Closed) return in.size();
  start_clock(now);
  const auto decoded = wire::decode_frame(in, [this](const wire::FrameHeader& header) { return check_header(header); });
  if (!decoded) {
    end(closed_here(decoded.error()));
    return in.size();
  }
  const auto* frame = std::get_if<wire::FrameView>(&*decoded);
  if (frame == nullptr) {
    bytes_needed_ = std::get_if<wire::NeedBytes>(&*decoded)->total;
    return 0;
  }
  bytes_needed_ = wire::kFrameHeaderSize;
  if (auto handled = handle_frame(*frame); !handled) end(closed_here(handled.error()));
  return frame->size();
}

void Session::handle_end_of_stream(Instant now) {
  if (state_ == State::Closed) return;
  start_clock(now);
  const std::string_view where =
      state_ == State::Handshake ? "stream ended during the handshake" : "stream ended without CLOSE";
  end(closed_here({ErrorKind::PeerMisbehaved, Reason::ProtocolError, where}), Farewell::None);
}

void Session::start_clock(Instant now) noexcept {
  if (state_ == State::Handshake && !deadline_) deadline_ = now + kHandshakeTimeout;
}

std::optional<Instant> Session::next_timeout() const noexcept {
  if (state_ == State::Handshake && !deadline_) return Instant::zero();
  return deadline_;
}

void Session::handle_timeout(Instant now) {
  if (state_ == State::Closed) return;
  start_clock(now);
  if (!deadline_ || now < *deadline_) return;
  if (state_ == State::Handshake) {
    end(closed_here({ErrorKind::PeerMisbehaved, Reason::Timeout, "no handshake within 10 s"}));
  } else {
    end(closed_here({ErrorKind::PeerMisbehaved, Reason::RekeyFailed, "no REKEY_ACK within 180 s"}));
  }
}

std::optional<Event> Session::poll_event() {
  if (const auto id = std::exchange(established_event_, std::nullopt)) return Established{*id};
  if (const auto epoch = std::exchange(epoch_event_, std::nullopt)) return EpochChanged{*epoch};
  if (const auto data = std::exchange(data_event_, std::nullopt)) return AppData{*data, false};
  if (auto closed = std::exchange(closed_event_, std::nullopt)) return std::move(*closed);
  return std::nullopt;
}

std::size_t Session::poll_transmit(MutableBytes out) {
  const Bytes waiting = Bytes(transmit_).subspan(transmitted_);
  const std::size_t size = std::min(waiting.size(), out.size());
  std::ranges::copy(waiting.first(size), out.begin());
  transmitted_ += size;
  if (transmitted_ == transmit_.size()) {
    transmit_.clear();
    transmitted_ = 0;
  }
  return size;
}

// Frames from the peer.

/// Every failure but the epoch's is PROTOCOL_ERROR, so only the epoch's place in the order can be seen: before seq,
/// after all else.
Result<void> Session::check_header(const wire::FrameHeader& header) const noexcept {
  const bool is_hello = header.type == wire::FrameType::Handshake;
  const bool is_rekey = header.type == wire::FrameType::Rekey;
  // A server takes REKEY (an ACK) only with an INIT in flight.
  const bool allowed =
      is_hello == (state_ == State::Handshake) && !(is_rekey && role_ == Role::Server && state_ != State::Rekey);
  if (!allowed) return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "frame type not allowed in this state");
  QSP_TRY(wire::check_bounds(header, bounds_));
  if (!is_hello) {
    QSP_TRY(record_.check(header));
    if (is_rekey && role_ == Role::Client && header.epoch != record_.epoch()) {
      return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "second REKEY_INIT in one epoch");
    }
    return {};
  }
  if ((header.session_id == 0) != (role_ == Role::Server)) {
    return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "hello: session_id");
  }
  if (header.epoch != 0) return fail(ErrorKind::PeerMisbehaved, Reason::EpochMismatch, "hello: epoch");
  if (header.seq != 0) return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "hello: seq");
  return {};
}

Result<void> Session::handle_frame(const wire::FrameView& frame) {
  switch (frame.header.type) {
    case wire::FrameType::Handshake:
      return role_ == Role::Server ? handle_client_hello(frame) : handle_server_hello(frame);
    case wire::FrameType::AppData: {
      QSP_TRY(const auto data, open(frame, kAppLabel));
      data_event_ = data;
      return {};
    }
    case wire::FrameType::Rekey:
      return role_ == Role::Server ? handle_ack(frame) : handle_init(frame);
    case wire::FrameType::Close:
      return handle_close(frame);
  }
  return fail(ErrorKind::Internal, Reason::InternalError, "frame type without a handler");
}

Result<void> Session::handle_client_hello(const wire::FrameView& frame) {
  QSP_TRY(const auto client, decode_client_hello(frame.payload));

  std::array<std::uint8_t, kHelloNonceSize + 8> drawn;
  QSP_TRY(provider_->rng().fill(drawn));
  wire::Reader reader(drawn);
  ServerHello hello{};
  std::ranges::copy(reader.bytes(kHelloNonceSize), hello.nonce.begin());
  hello.session_id = reader.u64();
  if (hello.session_id == 0) return fail(ErrorKind::Provider, Reason::InternalError, "session_id 0 drawn");

  QSP_TRY(establish(client, hello));
  queue_hello(hello.session_id, kServerHelloSize);
  encode_server_hello(hello, MutableBytes(transmit_).last<kServerHelloSize>());
  return {};
}

Result<void> Session::handle_server_hello(const wire::FrameView& frame) {
  QSP_TRY(const auto hello, decode_server_hello(frame.payload));
  if (hello.session_id != frame.header.session_id) {
    return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "server hello: session_id unlike the header's");
  }
  return establish(client_nonce_, hello);
}

Result<void> Session::establish(const HelloNonce& client, const ServerHello& server) {
  QSP_TRY(auto key, first_key(provider_->hkdf(), client, server.nonce));
  QSP_TRY(record_.start(server.session_id, key));
  epoch_key_ = std::move(key);
  deadline_.reset();
  state_ = State::Established;
  established_event_ = server.session_id;
  return {};
}

/// Opens a frame. On a client, the first frame of the new epoch completes the rekey.
Result<MutableBytes> Session::open(const wire::FrameView& frame, std::string_view label) {
  auto data = record_.open(frame, label);
  if (data && role_ == Role::Client && !record_.receives_previous()) state_ = State::Established;
  return data;
}

/// SPEC_155 §7.3: the client commits with its ACK.
Result<void> Session::handle_init(const wire::FrameView& frame) {
  QSP_TRY(const auto plaintext, open(frame, kInitLabel));
  QSP_TRY(const auto init, decode_rekey(plaintext, RekeyType::Init));
  if (init.new_epoch != std::uint64_t{record_.epoch()} + 1) {
    return fail(ErrorKind::PeerMisbehaved, Reason::EpochMismatch, "REKEY_INIT: new_epoch");
  }
  const std::uint32_t new_epoch = init.new_epoch;
  const Material material = Material::copy_of(init.body);
  wipe(plaintext);  // the caller's buffer keeps nothing of the next key
  QSP_TRY(const auto confirmed, confirm(provider_->hkdf(), material.reveal()));
  QSP_TRY(queue_rekey(RekeyType::Ack, new_epoch, confirmed));
  auto committed = commit(new_epoch, material.reveal(), Record::Previous::Receive);
  if (committed) state_ = State::Rekey;
  return committed;
}

/// SPEC_155 §7.3: the server commits after verifying the ACK, and the old epoch ends there and then.
Result<void> Session::handle_ack(const wire::FrameView& frame) {
  QSP_TRY(const auto plaintext, open(frame, kAckLabel));
  QSP_TRY(const auto ack, decode_rekey(plaintext, RekeyType::Ack));
  if (ack.new_epoch != std::uint64_t{record_.epoch()} + 1) {
    return fail(ErrorKind::PeerMisbehaved, Reason::EpochMismatch, "REKEY_ACK: new_epoch");
  }
  QSP_TRY(const auto expected, confirm(provider_->hkdf(), material_.reveal()));
  if (!constant_time_equal(expected, ack.body)) {
    return fail(ErrorKind::PeerMisbehaved, Reason::RekeyFailed, "REKEY_ACK: confirm");
  }
  auto committed = commit(ack.new_epoch, material_.reveal(), Record::Previous::Refuse);
  material_.wipe();
  deadline_.reset();
  if (committed) state_ = State::Established;
  return committed;
}

Result<void> Session::commit(std::uint32_t new_epoch, Bytes material, Record::Previous previous) {
  QSP_TRY(auto key, next_key(provider_->hkdf(), epoch_key_, record_.session_id(), new_epoch, material));
  QSP_TRY(record_.advance(key, previous));
  epoch_key_ = std::move(key);
  epoch_event_ = new_epoch;
  return {};
}

Result<void> Session::handle_close(const wire::FrameView& frame) {
  QSP_TRY(const auto plaintext, open(frame, kCloseLabel));
  QSP_TRY(const auto message, decode_close(plaintext));
  // A receiver of CLOSE does not reply.
  end({.reason = message.reason,
       .text = std::string(message.text),
       .by_peer = true,
       .truncated = message.reason != Reason::Normal},
      Farewell::None);
  return {};
}

// Frames to the peer.

MutableBytes Session::queue(std::size_t size) {
  transmit_.resize(transmit_.size() + size);
  return MutableBytes(transmit_).last(size);
}

/// A HANDSHAKE frame: epoch 0, seq 0. The caller writes its payload.
void Session::queue_hello(std::uint64_t session_id, std::size_t payload_size) {
  const wire::FrameHeader header{
      wire::FrameType::Handshake, 0, session_id, 0, 0, static_cast<std::uint32_t>(payload_size)};
  wire::encode(header, queue(wire::kFrameHeaderSize + payload_size).first<wire::kFrameHeaderSize>());
}

Result<void> Session::queue_rekey(RekeyType type, std::uint32_t new_epoch,
                                  std::span<const std::uint8_t, kRekeyBodySize> body) {
  const MutableBytes frame = queue(kRekeyFrameSize);
  encode_rekey(type, new_epoch, body, frame.subspan<kFrameHead, kRekeyMessageSize>());
  return seal_queued(wire::FrameType::Rekey, type == RekeyType::Init ? kInitLabel : kAckLabel, frame.size());
}

/// Seals the frame at the end of the queue, or takes it back.
Result<void> Session::seal_queued(wire::FrameType type, std::string_view label, std::size_t size) {
  auto sealed = record_.seal(type, label, MutableBytes(transmit_).last(size));
  if (!sealed) transmit_.resize(transmit_.size() - size);
  return sealed;
}

Result<void> Session::seal_app_data(MutableBytes frame, std::size_t size, bool end_of_data, Instant /*now*/) {
  if (phase() != Phase::Established) return misuse("seal_app_data: not established");
  if (wrote_end_) return misuse("seal_app_data: after the end");
  if (!transmit_.empty()) return misuse("seal_app_data: control bytes not polled");
  if (size > kMaxPlaintext || frame.size() != kFrameHead + size + kFrameTail) return misuse("seal_app_data: size");
  auto sealed = record_.seal(wire::FrameType::AppData, kAppLabel, frame);
  if (!sealed) {
    end(closed_here(sealed.error()));
    return sealed;
  }
  wrote_end_ = end_of_data;
  return {};
}

Result<void> Session::request_rekey(Instant now) {
  if (role_ != Role::Server) return misuse("request_rekey: the server leads rekeys");
  if (state_ != State::Established) return misuse("request_rekey: not established, or a rekey is in flight");
  auto sent = send_init(now);
  if (!sent) end(closed_here(sent.error()));
  return sent;
}

Result<void> Session::send_init(Instant now) {
  if (record_.epoch() == std::numeric_limits<std::uint32_t>::max()) {
    return fail(ErrorKind::PeerIncompatible, Reason::Limit, "epochs used up");
  }
  QSP_TRY(provider_->rng().fill(material_.writable()));
  auto queued = queue_rekey(RekeyType::Init, record_.epoch() + 1, material_.reveal().first<kRekeyBodySize>());
  if (!queued) return queued;
  deadline_ = now + kRekeyTimeout;
  state_ = State::Rekey;
  return {};
}

void Session::close(Reason reason, std::string_view text) {
  if (state_ == State::Closed) return;
  end({.reason = reason,
       .text = std::string(wire::cut_text(text)),
       .by_peer = false,
       .truncated = reason != Reason::Normal});
}

/// The only way to Closed. In a handshake there is no key, so no CLOSE either.
void Session::end(Closed&& closed, Farewell farewell) {
  if (farewell == Farewell::None || state_ == State::Handshake) {
    transmit_.clear();
    transmitted_ = 0;
  } else {
    const MutableBytes frame = queue(kFrameHead + 2 + closed.text.size() + kFrameTail);
    encode_close(closed.reason, closed.text, frame.subspan(kFrameHead, 2 + closed.text.size()));
    // Without a key or a number for it there is no CLOSE: the peer sees the stream end.
    [[maybe_unused]] const auto told = seal_queued(wire::FrameType::Close, kCloseLabel, frame.size());
  }
  state_ = State::Closed;
  deadline_.reset();
  bytes_needed_ = wire::kFrameHeaderSize;
  record_.stop();
  epoch_key_.wipe();
  material_.wipe();
  closed_event_ = std::move(closed);
}

// Observation.

Phase Session::phase() const noexcept {
  switch (state_) {
    case State::Handshake:
      return Phase::Handshake;
    case State::Established:
    case State::Rekey:
      return Phase::Established;
    case State::Closed:
      return Phase::Closed;
  }
  return Phase::Closed;
}

Snapshot Session::snapshot() const noexcept {
  return {.state = state_,
          .epoch = record_.epoch(),
          .previous_epoch = record_.receives_previous() ? record_.epoch() - 1 : 0,
          .sent = record_.sent(),
          .received = record_.received()};
}

}  // namespace qsp::rc155

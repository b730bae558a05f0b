#include "net/connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <utility>
#include <variant>

#include "base/overloaded.hpp"

namespace qsp::net {

Connection::Connection(Loop& loop, Socket&& socket, const tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
                       ConnectionOwner& owner)
    : loop_(loop),
      owner_(owner),
      endpoint_(std::move(endpoint)),
      socket_(std::move(socket)),
      timer_(loop.executor()),
      queue_(loop.chunks()),
      peer_(peer) {}

Connection::~Connection() {
  if (state_ != State::Finished && delivery_ != nullptr) delivery_->forget(*this);
}

void Connection::start() {
  const ConnectionPtr self(this);
  error_code failed;
  socket_.non_blocking(true, failed);
  if (failed) {
    transport_ = failed;
    finish();
    return;
  }
  // Both only tune: a kernel that refuses them still carries the session.
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  // The endpoint has no clock: its handshake timer starts with the first time that it is told.
  endpoint_->handle_timeout(Loop::now());
  settle();
}

void Connection::close(Reason reason, std::string_view text) {
  if (state_ == State::Finished) return;
  const ConnectionPtr self(this);
  endpoint_->close(reason, text);
  settle();
}

void Connection::abort() {
  const ConnectionPtr self(this);
  finish();
}

void Connection::turn_away(Bytes last_words) {
  if (state_ == State::Finished) return;
  const ConnectionPtr self(this);
  if (heard_ && !closed_) {
    endpoint_->close(Reason::Limit, "");
    collect_control();
    flush();
    last_words = {};
  }
  error_code ignored;  // a peer that does not get them learns as much from the end of the stream
  if (!last_words.empty()) socket_.write_some(asio::buffer(last_words.data(), last_words.size()), ignored);
  finish();
}

void Connection::handle_readable() {
  if (state_ == State::Finished) return;
  // What completes a half-read frame goes straight behind it, the rest into the scratch buffer: one call for both.
  const MutableBytes room = partial_.room();
  const MutableBytes scratch = loop_.scratch();
  const std::array<asio::mutable_buffer, 2> buffers{asio::buffer(room.data(), room.size()),
                                                    asio::buffer(scratch.data(), scratch.size())};
  error_code failed;
  const std::size_t count = socket_.read_some(buffers, failed);
  if (!failed) {
    // After CLOSE is sent, what still comes is read so that no reset overtakes the CLOSE, and discarded (SPEC §8).
    if (!closed_) {
      settling_ = true;  // what an application closes meanwhile comes to rest below, after the data that it looks at
      handle_input(count);
      settling_ = false;
    }
  } else if (failed != asio::error::would_block && failed != asio::error::interrupted) {
    handle_end(failed);
  }
  settle();
}

void Connection::handle_input(std::size_t count) {
  heard_anything_ = true;
  const std::size_t behind_partial = std::min(count, partial_.room().size());
  partial_.added(behind_partial);
  const MutableBytes fresh = loop_.scratch().first(count - behind_partial);
  if (!heard_ && is_foreign(fresh)) return;
  std::unique_ptr<std::uint8_t[]> spent;  // the half-read frame, once it is whole: its data goes on with that behind it
  handle_frames(fresh, spent);
  handle_data_over();
}

void Connection::handle_frames(MutableBytes fresh, std::unique_ptr<std::uint8_t[]>& spent) {
  const Instant now = Loop::now();
  while (!partial_.empty() && !closed_) {
    if (!handle_partial(fresh, spent, now)) return;
  }
  while (!fresh.empty() && !closed_) {
    const std::size_t used = offer(fresh, now);
    if (used == 0) {
      partial_.grow(std::clamp(endpoint_->bytes_needed(), fresh.size() + 1, Endpoint::kMaxFrameSize));
      partial_.take_from(fresh);
      return;
    }
    fresh = fresh.subspan(used);
  }
}

/// Hands the endpoint at most one frame; returns the bytes that it used.
std::size_t Connection::offer(MutableBytes bytes, Instant now) {
  const std::size_t used = endpoint_->handle_bytes(bytes, now);
  drain_events();
  if (used != 0 && !heard_ && !closed_) {
    heard_ = true;
    first_frame_by_ = Instant::max();
    owner_.connection_heard(*this);
  }
  return used;
}

/// Whether the stream is of another well-known protocol: it then ends at once, without a word that its peer could not
/// read. The first bytes may come one by one.
bool Connection::is_foreign(Bytes fresh) {
  constexpr std::size_t kEnough = 8;
  std::array<std::uint8_t, kEnough> first{};
  const Bytes before = Bytes(partial_.bytes()).first(std::min(partial_.bytes().size(), kEnough));
  const Bytes behind = fresh.first(std::min(fresh.size(), kEnough - before.size()));
  std::ranges::copy(behind, std::ranges::copy(before, first.begin()).out);
  foreign_ = foreign_protocol(Bytes(first).first(before.size() + behind.size()));
  if (!foreign_) return false;
  endpoint_->close(Reason::ProtocolError, "the peer speaks another protocol");
  drain_events();
  queue_.clear();
  last_words_ = false;
  return true;
}

/// Goes on with a half-read frame. False: more bytes have to come first.
bool Connection::handle_partial(MutableBytes& fresh, std::unique_ptr<std::uint8_t[]>& spent, Instant now) {
  partial_.take_from(fresh);
  if (!partial_.full()) return false;
  const std::size_t used = offer(partial_.bytes(), now);
  if (used != 0) {
    spent = partial_.take();
    return true;
  }
  partial_.grow(std::clamp(endpoint_->bytes_needed(), partial_.bytes().size() + 1, Endpoint::kMaxFrameSize));
  return true;
}

void Connection::handle_end(const error_code& why) {
  ended_ = true;
  if (why != asio::error::eof && !transport_) transport_ = why;
  endpoint_->handle_end_of_stream(Loop::now());
}

MutableBytes Connection::reserve() {
  if (endpoint_->phase() != Phase::Established) return {};
  // Bytes leave in the order in which they were made: what the endpoint has to say comes before this frame.
  collect_control();
  const FrameRoom room = endpoint_->frame_room();
  return queue_.reserve(room.head + Endpoint::kMaxPlaintext + room.tail).subspan(room.head, Endpoint::kMaxPlaintext);
}

Result<void> Connection::send_reserved(std::size_t size, bool end) {
  if (endpoint_->phase() != Phase::Established) {
    return fail(ErrorKind::ApiMisuse, Reason::InternalError, "connection: send outside an established session");
  }
  const FrameRoom room = endpoint_->frame_room();
  const MutableBytes frame = queue_.reserve(room.head + size + room.tail);
  if (Result<void> sealed = endpoint_->seal_app_data(frame, size, end, Loop::now()); !sealed) return sealed;
  queue_.commit(frame.size());
  traffic_.sent_bytes += size;
  traffic_.sent_frames += 1;
  return {};
}

Result<void> Connection::send(Bytes data, bool end) {
  const MutableBytes plaintext = reserve();
  if (data.size() > Endpoint::kMaxPlaintext) {
    return fail(ErrorKind::ApiMisuse, Reason::InternalError, "connection: more data than a frame holds");
  }
  // libstdc++ 12's ranges::copy goes byte by byte where its source is const.
  if (!plaintext.empty()) std::copy(data.begin(), data.end(), plaintext.begin());
  return send_reserved(data.size(), end);
}

/// True if there was anything.
bool Connection::collect_control() {
  bool any = false;
  while (const std::size_t count = endpoint_->poll_transmit(loop_.control())) {
    queue_.append(loop_.control().first(count));
    any = true;
  }
  return any;
}

/// Writes what the socket takes. True if the queue is empty afterwards.
bool Connection::flush() {
  while (!queue_.empty() && !write_failed_ && !writing_) {
    SendQueue::Buffers storage;
    error_code failed;
    const std::size_t count = socket_.write_some(queue_.front(storage), failed);
    if (!failed) {
      queue_.consume(count);
      if (state_ == State::Flushing) linger_until_ = Loop::now() + flush_limit_;
    } else if (failed == asio::error::would_block) {
      wait_for_room();
    } else if (failed != asio::error::interrupted) {
      // The peer may have said why before it went away, so reading goes on until the stream ends.
      transport_ = failed;
      write_failed_ = true;
    }
  }
  if (write_failed_) queue_.clear();
  return queue_.empty();
}

void Connection::settle() {
  if (settling_ || state_ == State::Finished) return;
  settling_ = true;
  bool more = true;
  int turns = 0;
  while (more && turns++ < kTurns && state_ != State::Finished) {
    drain_events();
    more = false;
    if (!closed_ && endpoint_->phase() == Phase::Established && !write_failed_) {
      produce();
      drain_events();
      more = !queue_.empty();
    }
    // Whenever the socket took all that was queued the application is asked again: it may have stopped at kHighWater,
    // and nothing else would wake it.
    more = flush() && more;
  }
  settling_ = false;
  if (more && state_ != State::Finished) settle_later();
  if (queue_.empty()) queue_.clear();  // room that was reserved and not used
  if (closed_ || endpoint_->phase() == Phase::Closed) begin_closing();
  if (state_ == State::Finished) return;
  wait_for_input();
  arm_timer();
}

void Connection::settle_later() {
  if (std::exchange(settling_later_, true)) return;
  asio::post(loop_.executor(), [self = ConnectionPtr(this)] {
    self->settling_later_ = false;
    self->settle();
  });
}

void Connection::drain_events() {
  while (std::optional<Event> event = endpoint_->poll_event()) {
    std::visit(Overloaded{
                   [this](const Established&) {
                     established_ = true;
                     begin_epoch();
                     handle_established();
                     owner_.connection_established(*this);
                   },
                   [this](const AppData& data) {
                     traffic_.received_bytes += data.data.size();
                     traffic_.received_frames += 1;
                     handle_data(data);
                   },
                   [this](const EpochChanged& changed) {
                     begin_epoch();
                     handle_epoch(changed.epoch);
                     owner_.connection_rekeyed(*this);
                   },
                   [this](const QkdKeyNeeded& needed) { handle_qkd_key_needed(needed); },
                   [this](const Closed& closed) { handle_closed(closed); },
               },
               *event);
  }
  collect_control();
}

void Connection::handle_qkd_key_needed(const QkdKeyNeeded& needed) {
  asked_for_key_ = true;
  // A peer that names a key has signed (SPEC §5.7).
  if (!established_ && needed.key_id) owner_.connection_authenticated(*this);
  if (delivery_ != nullptr) return delivery_->fetch(*this, needed);
  deliver(std::unexpected(QkdFailure::Unavailable));
}

void Connection::begin_epoch() {
  epoch_began_ = Loop::now();
  pace_rekeys(epoch_began_);
}

void Connection::pace_rekeys(Instant now) {
  pace_at_ = Instant::max();
  if (delivery_ == nullptr || endpoint_->phase() != Phase::Established) return;
  const std::optional<Instant> at = delivery_->next_rekey(*this, epoch_began_, now);
  if (at && *at > now) {
    pace_at_ = *at;
  } else if (at) {
    // A session that is at it already, or waits for its next attempt, does nothing; one that fails says so itself.
    static_cast<void>(request_rekey());
  }
}

void Connection::deliver(Result<DeliveredKey, QkdFailure> answer) {
  const ConnectionPtr self(this);
  // An answer that comes too late is refused, and its key wiped with `answer`.
  static_cast<void>(answer ? endpoint_->provide_qkd_key(*std::move(answer), Loop::now())
                           : endpoint_->fail_qkd_key(answer.error(), Loop::now()));
  settle();
}

void Connection::handle_closed(const Closed& closed) {
  closed_ = true;
  cut_off_ = ended_;
  if (closed.reason == Reason::Normal && !closed.truncated) flush_limit_ = kDrain;
  // Nobody is left to read after the peer's CLOSE, or after the end of its stream.
  last_words_ = collect_control() && !closed.by_peer && !ended_;
  owner_.connection_closed(*this, closed, transport_);
}

void Connection::begin_closing() {
  if (state_ == State::Open) {
    if (!last_words_ || ended_ || write_failed_) {
      finish();
      return;
    }
    state_ = State::Flushing;
    partial_.release();
    linger_until_ = Loop::now() + flush_limit_;
  }
  if (ended_ || write_failed_) {
    finish();
    return;
  }
  if (state_ == State::Flushing && queue_.empty()) {
    state_ = State::Lingering;
    linger_until_ = Loop::now() + kLinger;
    owner_.connection_lingers(*this);
    error_code ignored;  // a socket that is already gone ends the wait for its end of stream at once
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }
}

void Connection::finish() {
  if (state_ == State::Finished) return;
  state_ = State::Finished;
  timer_.cancel();
  error_code ignored;  // the descriptor is released whatever close(2) says
  socket_.close(ignored);
  queue_.clear();
  partial_.release();
  if (delivery_ != nullptr) delivery_->forget(*this);
  handle_finished();
  owner_.connection_finished(*this);
}

void Connection::wait_for_input() {
  const bool wanted = state_ != State::Open || write_failed_ || wants_input();
  if (reading_ || ended_ || !wanted) return;
  reading_ = true;
  socket_.async_wait(Socket::wait_read, [self = ConnectionPtr(this)](const error_code& failed) {
    self->reading_ = false;
    if (!failed) self->handle_readable();
  });
}

void Connection::wait_for_room() {
  writing_ = true;
  socket_.async_wait(Socket::wait_write, [self = ConnectionPtr(this)](const error_code& failed) {
    self->writing_ = false;
    if (!failed) self->settle();
  });
}

/// A timer that would fire too early is left alone and asks again then; so the hot path never touches it.
void Connection::arm_timer() {
  if (state_ != State::Open) {
    wait_until(linger_until_);
  } else {
    const Instant at = std::min({endpoint_->next_timeout().value_or(Instant::max()), pace_at_, first_frame_by_,
                                 deadline().value_or(Instant::max())});
    if (at < timer_at_) wait_until(at);
  }
}

void Connection::wait_until(Instant at) {
  if (at == timer_at_) return;
  timer_at_ = at;
  timer_.expires_at(Loop::time_point(at));
  timer_.async_wait([self = ConnectionPtr(this)](const error_code& failed) {
    if (failed) return;  // replaced by another deadline, or the connection is finished
    self->timer_at_ = Instant::max();
    self->handle_timer();
  });
}

void Connection::handle_timer() {
  if (state_ == State::Finished) return;
  const Instant now = Loop::now();
  if (state_ != State::Open) {
    if (now >= linger_until_) {
      finish();
      return;
    }
  } else {
    if (const std::optional<Instant> at = endpoint_->next_timeout(); at && *at <= now) endpoint_->handle_timeout(now);
    if (first_frame_by_ <= now) endpoint_->close(Reason::Timeout, "no whole first message in time");
    if (pace_at_ <= now) pace_rekeys(now);
    if (const std::optional<Instant> at = deadline(); at && *at <= now) handle_deadline();
  }
  settle();
}

}  // namespace qsp::net

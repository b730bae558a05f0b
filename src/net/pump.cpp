#include "net/pump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace qsp::net {
namespace {

std::string system_text(int error) { return std::generic_category().message(error); }

}  // namespace

Result<void, std::string> Pump::attach(PipeEnds&& ends) {
  if (finished_) return std::unexpected("the session has ended");
  auto input = PipeEnd::open(loop_, ends.input(), Watch::For::Reading);
  if (!input) return std::unexpected(fmt::format("cannot watch the input: {}", input.error().message()));
  auto output = PipeEnd::open(loop_, ends.output(), Watch::For::Writing);
  if (!output) return std::unexpected(fmt::format("cannot watch the output: {}", output.error().message()));
  input_.emplace(std::move(*input));
  output_.emplace(std::move(*output));
  ends_.emplace(std::move(ends));
  write_output();
  return {};
}

void Pump::detach() {
  input_done_ = output_done_ = true;
  input_.reset();
  output_.reset();
  ends_.reset();
  error_code ignored;  // nothing waits for it any more
  drain_timer_.cancel(ignored);
}

void Pump::carrier_finished() {
  finished_ = true;
  input_done_ = true;
  peer_done_ = true;
  input_.reset();
  pass_on();
  if (ends_) write_output();
  if (!ends_ || output_done_) return detach();
  if (ends_->kind() == PipeEnds::Kind::Standard) return;  // the user decides how long a pipeline may take
  drain_timer_.expires_after(stall_limit_);
  drain_timer_.async_wait([self = CarrierPtr(&carrier_), this](const error_code& cancelled) {
    if (!cancelled) detach();
  });
}

void Pump::give_up(Reason reason, const std::string& why) {
  if (report_.failure.empty()) report_.failure = why;
  input_done_ = output_done_ = true;
  carrier_.close(reason, why);
}

// Input: from here to the carrier.

void Pump::fill() {
  while (ends_ && !input_done_ && !input_watched_ && carrier_.queued() < Carrier::kHighWater) send_input();
}

void Pump::wait_for_input() {
  if (std::exchange(input_watched_, true)) return;
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): called only while there is an input
  input_->watch().wait([self = CarrierPtr(&carrier_), this] {
    input_watched_ = false;
    carrier_.wake();
  });
}

void Pump::send_input() {
  const MutableBytes room = carrier_.reserve();
  if (room.empty()) {  // the carrier has ended meanwhile
    input_done_ = true;
    return;
  }
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): called only while there is an input
  const ssize_t count = input_->read(room);
  if (count < 0 && errno == EAGAIN) return wait_for_input();
  // A terminal that went away has nothing more to say. A socket that was reset might have had: its data is not
  // complete.
  if (count < 0 && errno != EIO) {
    return give_up(Reason::InternalError, fmt::format("cannot read the input: {}", system_text(errno)));
  }
  if (count <= 0) {
    input_done_ = input_ended_ = true;
    return end_input();
  }
  if (const Result<void> sent = carrier_.send_reserved(static_cast<std::size_t>(count), false); !sent) {
    give_up(Reason::InternalError, std::string(sent.error().where));
  }
}

void Pump::judge_input(std::string failure) {
  judgement_ = std::move(failure);
  if (input_ended_) end_input();
}

/// The input is over: what that means for the peer, once it is known.
void Pump::end_input() {
  if (!judgement_) return;
  if (judgement_->empty()) return finish_input();
  give_up(Reason::InternalError, *judgement_);
}

void Pump::finish_input() {
  // Bytes leave in the order in which they were made, and reserve() puts what the carrier itself has to say first.
  static_cast<void>(carrier_.reserve());
  const Result<void> sent = carrier_.send_reserved(0, true);
  if (!sent) return give_up(Reason::InternalError, std::string(sent.error().where));
  report_.input_sent = true;
}

// Output: from the carrier to here.

void Pump::take(Bytes fresh, bool end) {
  peer_done_ = peer_done_ || end;
  if (!output_done_) keep(fresh);
  // Both directions are over on this side, while the peer goes on: it would do so for as long as it likes.
  if (output_done_ && !peer_done_ && report_.input_sent && carrier_.queued() == 0) {
    carrier_.close(Reason::Normal, "the application has ended");
  }
}

void Pump::all_taken() {
  pass_on();
  if (waiting_.size() >= kMaxWaiting && !full_since_) full_since_ = Loop::now();
  if (ends_) write_output();
}

/// What can be written at once is gathered first, so that the frames of one read leave in one call and are not copied.
void Pump::keep(Bytes fresh) {
  if (fresh.empty()) return;
  if (!ends_ || output_watched_ || !waiting_.empty()) return waiting_.append(fresh);
  fresh_[fresh_count_++] = asio::const_buffer(fresh.data(), fresh.size());
  if (fresh_count_ == fresh_.size()) pass_on();
}

/// Writes what was gathered, and keeps a copy of what is not taken.
void Pump::pass_on() {
  const std::span<const asio::const_buffer> gathered = std::span(fresh_).first(std::exchange(fresh_count_, 0));
  if (gathered.empty() || output_done_) return;
  std::size_t gone = write_some(gathered);
  if (output_done_) return;
  for (const asio::const_buffer& buffer : gathered) {
    const std::size_t skipped = std::min(gone, buffer.size());
    gone -= skipped;
    waiting_.append(Bytes(static_cast<const std::uint8_t*>(buffer.data()), buffer.size()).subspan(skipped));
  }
}

void Pump::write_output() {
  while (!waiting_.empty() && !output_done_ && !output_watched_) {
    SendQueue::Buffers storage;
    waiting_.consume(write_some(waiting_.front(storage)));
  }
  if (waiting_.size() < kMaxWaiting) full_since_.reset();
  if (waiting_.empty() && peer_done_ && !output_done_) {
    output_done_ = true;
    output_.reset();
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): called only while there are ends
    ends_->end_output();
    report_.output_closed = ends_->output() < 0;
    if (finished_) detach();
  }
}

/// How many bytes the system took; fewer than all means that it waits for the reader, or that the output is over.
std::size_t Pump::write_some(std::span<const asio::const_buffer> buffers) {
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): called only while there is an output
  const ssize_t written = output_->write(buffers);
  if (written < 0 && errno != EAGAIN) {
    output_failed(errno);
    return 0;
  }
  const auto count = static_cast<std::size_t>(std::max<ssize_t>(written, 0));
  // A pipe or socket that took a part is full; a file that did says why next time.
  if (count < asio::buffer_size(buffers) && !output_->watch().always_ready()) wait_for_reader();
  return count;
}

void Pump::wait_for_reader() {
  if (std::exchange(output_watched_, true)) return;
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): called only while there is an output
  output_->watch().wait([self = CarrierPtr(&carrier_), this] {
    output_watched_ = false;
    if (ends_ && output_) write_output();
    carrier_.wake();
  });
}

void Pump::output_failed(int error) {
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): called only while there are ends
  if (error == EPIPE && ends_->kind() != PipeEnds::Kind::Standard) {
    // A program may stop reading before its input ends; what it has to say still counts.
    output_done_ = true;
    waiting_.clear();
    return;
  }
  give_up(Reason::InternalError, fmt::format("cannot write the output: {}", system_text(error)));
}

std::optional<Instant> Pump::deadline() const {
  if (!full_since_) return std::nullopt;
  return *full_since_ + stall_limit_;
}

}  // namespace qsp::net

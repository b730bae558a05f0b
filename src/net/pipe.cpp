#include "net/pipe.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

namespace qsp::net {
namespace {

std::string system_text(int error) { return std::generic_category().message(error); }

}  // namespace

PipeEnds::PipeEnds(PipeEnds&& other) noexcept
    : kind_(other.kind_), input_(std::exchange(other.input_, -1)), output_(std::exchange(other.output_, -1)) {}

void PipeEnds::end_output() noexcept {
  if (output_ < 0) return;
  if (kind_ == Kind::Stream) {
    ::shutdown(output_, SHUT_WR);
    return;
  }
  // Standard output is closed as well: the next program of a pipeline waits for that.
  ::close(std::exchange(output_, -1));
}

void PipeEnds::close() noexcept {
  const int input = std::exchange(input_, -1);
  const int output = std::exchange(output_, -1);
  if (kind_ == Kind::Standard) return;
  if (input >= 0) ::close(input);
  if (output >= 0 && output != input) ::close(output);
}

std::expected<void, std::string> PipeSession::attach(PipeEnds&& ends) {
  if (finished_) return std::unexpected("the session has ended");
  auto input = Watch::open(loop(), ends.input());
  if (!input) return std::unexpected(fmt::format("cannot watch the input: {}", input.error().message()));
  auto output = Watch::open(loop(), ends.output(), Watch::For::Writing);
  if (!output) return std::unexpected(fmt::format("cannot watch the output: {}", output.error().message()));
  input_watch_.emplace(std::move(*input));
  output_watch_.emplace(std::move(*output));
  ends_.emplace(std::move(ends));
  write_output();
  return {};
}

void PipeSession::detach() {
  if (input_watch_) input_watch_->cancel();
  if (output_watch_) output_watch_->cancel();
  input_done_ = output_done_ = true;
  ends_.reset();
  error_code ignored;  // nothing waits for it any more
  drain_timer_.cancel(ignored);
}

void PipeSession::handle_finished() {
  finished_ = true;
  input_done_ = true;
  peer_done_ = true;
  if (input_watch_) input_watch_->cancel();
  if (ends_) write_output();
  if (!ends_ || output_done_) return detach();
  if (ends_->kind() == PipeEnds::Kind::Standard) return;  // the user decides how long a pipeline may take
  drain_timer_.expires_after(stall_limit_);
  drain_timer_.async_wait([self = ConnectionPtr(this), this](const error_code& cancelled) {
    if (!cancelled) detach();
  });
}

void PipeSession::give_up(Reason reason, const std::string& why) {
  if (report_.failure.empty()) report_.failure = why;
  input_done_ = output_done_ = true;
  close(reason, why);
}

// Input: from here to the peer.

bool PipeSession::input_ready() {
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): called only while there are ends
  Watch& watch = *input_watch_;
  if (input_ready_ || watch.always_ready()) return true;
  if (!std::exchange(input_watched_, true)) {
    watch.wait([self = ConnectionPtr(this), this] {
      input_watched_ = false;
      input_ready_ = true;
      wake();
    });
  }
  return false;
}

void PipeSession::produce() {
  while (ends_ && !input_done_ && queued() < kHighWater && input_ready()) send_input();
}

void PipeSession::send_input() {
  input_ready_ = false;
  const MutableBytes room = reserve();
  if (room.empty()) {  // the session has ended meanwhile
    input_done_ = true;
    return;
  }
  ssize_t count = 0;
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): called only while there are ends
  const int fd = ends_->input();
  do count = ::read(fd, room.data(), room.size());
  while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return;
  // A terminal that went away has nothing more to say. A socket that was reset might have had: its data is not
  // complete.
  if (count < 0 && errno != EIO) {
    return give_up(Reason::InternalError, fmt::format("cannot read the input: {}", system_text(errno)));
  }
  if (count <= 0) {
    input_done_ = true;
    if (may_finish_input()) finish_input();
    return;
  }
  if (const Result<void> sent = send_reserved(static_cast<std::size_t>(count), false); !sent) {
    give_up(Reason::InternalError, std::string(sent.error().where));
  }
}

void PipeSession::finish_input() {
  const Result<void> sent = send({}, true);
  if (!sent) return give_up(Reason::InternalError, std::string(sent.error().where));
  report_.input_sent = true;
}

// Output: from the peer to here.

void PipeSession::handle_data(const AppData& data) {
  peer_done_ = peer_done_ || data.end;
  if (!output_done_) take(data.data);
  // Both directions are over on this side, while the peer goes on: it would do so for as long as it likes.
  if (output_done_ && !peer_done_ && report_.input_sent && queued() == 0)
    close(Reason::Normal, "the application has ended");
}

void PipeSession::take(Bytes fresh) {
  if (ends_ && waiting() == 0) {
    while (!fresh.empty()) {
      const auto count = write_some(fresh);
      if (!count) break;
      fresh = fresh.subspan(*count);
    }
  }
  if (!output_done_) waiting_.insert(waiting_.end(), fresh.begin(), fresh.end());
  if (waiting() >= kMaxWaiting && !full_since_) full_since_ = Loop::now();
  if (ends_) write_output();
}

void PipeSession::write_output() {
  while (waiting() > 0 && !output_done_) {
    const auto count = write_some(Bytes(waiting_).subspan(written_));
    if (!count) break;
    written_ += *count;
  }
  // Moving the rest down when half is gone keeps the cost per byte constant and the memory bounded.
  if (written_ * 2 >= waiting_.size()) {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(written_));
    written_ = 0;
    if (waiting_.empty()) waiting_.shrink_to_fit();
  }
  if (waiting() < kMaxWaiting) full_since_.reset();
  if (waiting() == 0 && peer_done_ && !output_done_) {
    output_done_ = true;
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): called only while there are ends
    ends_->end_output();
    if (finished_) detach();
  }
}

std::optional<std::size_t> PipeSession::write_some(Bytes bytes) {
  // NOLINTBEGIN(bugprone-unchecked-optional-access): called only while there are ends, and the watch comes before them
  PipeEnds& ends = *ends_;
  Watch& watch = *output_watch_;
  // NOLINTEND(bugprone-unchecked-optional-access)
  const int fd = ends.output();
  std::size_t size = bytes.size();
  if (ends.kind() == PipeEnds::Kind::Standard && !watch.always_ready()) {
    // The descriptor may block, and its flags are not ours to change; but up to PIPE_BUF bytes fit where poll(2) says
    // so.
    pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
    size = ::poll(&ready, 1, 0) > 0 ? std::min<std::size_t>(size, PIPE_BUF) : 0;
  }
  ssize_t count = -1;
  errno = EAGAIN;
  if (size > 0) {
    do count = ::write(fd, bytes.data(), size);
    while (count < 0 && errno == EINTR);
  }
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno == EAGAIN) {
    if (!std::exchange(output_watched_, true)) {
      watch.wait([self = ConnectionPtr(this), this] {
        output_watched_ = false;
        if (ends_) write_output();
        wake();
      });
    }
    return std::nullopt;
  }
  const int error = errno;
  if (error == EPIPE && ends.kind() != PipeEnds::Kind::Standard) {
    // A program may stop reading before its input ends; what it has to say still counts.
    output_done_ = true;
    waiting_.clear();
    written_ = 0;
    return std::nullopt;
  }
  give_up(Reason::InternalError, fmt::format("cannot write the output: {}", system_text(error)));
  return std::nullopt;
}

std::optional<Instant> PipeSession::deadline() const {
  if (!full_since_) return std::nullopt;
  return *full_since_ + stall_limit_;
}

}  // namespace qsp::net

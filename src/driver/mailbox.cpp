#include "driver/mailbox.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "driver/failures.hpp"
#include "driver/stream.hpp"

namespace qsp::driver {

void Mailbox::attach(Stream& stream) {
  const Lock lock(mutex_);
  stream_ = &stream;
}

void Mailbox::begin() {
  const Lock lock(mutex_);
  established_ = true;
  changed_.notify_all();
}

void Mailbox::take(Bytes data, bool end) {
  const Lock lock(mutex_);
  if (!data.empty()) {
    input_.emplace_back(data.begin(), data.end());
    input_size_ += data.size();
    if (input_size_ >= kMaxWaiting && !full_since_) full_since_ = net::Loop::now();
  }
  input_ended_ = input_ended_ || end;
  changed_.notify_all();
}

bool Mailbox::wants_more() const {
  const Lock lock(mutex_);
  return input_size_ < kMaxWaiting;
}

std::optional<Instant> Mailbox::full_since() const {
  const Lock lock(mutex_);
  return full_since_;
}

bool Mailbox::has_output() const {
  const Lock lock(mutex_);
  return !end_sent_ && (output_sent_ < output_.size() || output_ended_);
}

Mailbox::Filled Mailbox::fill(MutableBytes room) {
  const Lock lock(mutex_);
  const std::size_t size = std::min(room.size(), output_.size() - output_sent_);
  std::copy_n(output_.data() + output_sent_, size, room.data());
  output_sent_ += size;
  if (output_sent_ == output_.size()) {
    output_.clear();
    output_sent_ = 0;
    end_sent_ = output_ended_;
  }
  changed_.notify_all();
  return {.size = size, .end = end_sent_};
}

bool Mailbox::must_close() const {
  const Lock lock(mutex_);
  return close_wanted_ && !closed_ && output_.empty() && end_sent_ == output_ended_;
}

void Mailbox::keys_changed() {
  const Lock lock(mutex_);
  ++key_changes_;
  changed_.notify_all();
}

void Mailbox::end(const Closed& closed, ChannelStatus&& status) {
  const Lock lock(mutex_);
  closed_ = closed;
  last_status_ = std::move(status);
  changed_.notify_all();
}

void Mailbox::fail(Failure why) {
  const Lock lock(mutex_);
  failure_ = std::move(why);
  changed_.notify_all();
}

void Mailbox::finish() {
  const Lock lock(mutex_);
  stream_ = nullptr;
  finished_ = true;
  changed_.notify_all();
}

void Mailbox::post(const Lock& /*lock*/, Task task) {
  if (stream_ == nullptr) return;
  boost::asio::post(stream_->loop().executor(), [self = shared_from_this(), task = std::move(task)] {
    Stream* stream = nullptr;
    {
      const Lock lock(self->mutex_);
      stream = self->stream_;
    }
    // Only this thread ends it, and it is kept alive meanwhile.
    if (const net::ConnectionPtr kept(stream); kept) task(*stream);
  });
}

void Mailbox::wake(const Lock& lock) {
  if (std::exchange(waking_, true)) return;
  post(lock, [self = this](Stream& stream) {
    {
      const Lock again(self->mutex_);
      self->waking_ = false;
    }
    stream.look();
  });
}

bool Mailbox::run(Task task) {
  struct Call {
    bool started = false, done = false;
  };
  const auto call = std::make_shared<Call>();
  Lock lock(mutex_);
  if (stream_ == nullptr) return false;
  // `task` refers to the caller's stack. It starts only while the stream is there, and then the caller waits for its
  // end.
  post(lock, [this, call, task = std::move(task)](Stream& stream) {
    {
      const Lock again(mutex_);
      if (stream_ == nullptr) return;
      call->started = true;
    }
    task(stream);
    stream.look();
    const Lock again(mutex_);
    call->done = true;
    changed_.notify_all();
  });
  changed_.wait(lock, [&] { return call->done || (stream_ == nullptr && !call->started); });
  return call->done;
}

std::unexpected<Failure> Mailbox::ended() const {
  if (failure_) return std::unexpected(*failure_);
  if (closed_) return failure_of(*closed_, established_);
  return failure_of({.reason = Reason::Normal, .text = "", .truncated = true}, established_);
}

Result<void, Failure> Mailbox::wait_until_established() {
  Lock lock(mutex_);
  changed_.wait(lock, [this] { return established_ || over(); });
  if (!established_) return ended();
  return {};
}

Result<std::size_t, Failure> Mailbox::read(MutableBytes out) {
  if (out.empty()) return misuse("read: no room for any byte");
  Lock lock(mutex_);
  changed_.wait(lock, [this] { return input_size_ != 0 || input_ended_ || over(); });
  if (input_size_ == 0 && input_ended_) return std::size_t{0};
  if (input_size_ == 0) return ended();
  std::size_t size = 0;
  while (size < out.size() && !input_.empty()) {
    const Bytes first = Bytes(input_.front()).subspan(first_read_);
    const std::size_t count = std::min(first.size(), out.size() - size);
    std::copy_n(first.data(), count, out.data() + size);
    size += count;
    first_read_ = count == first.size() ? 0 : first_read_ + count;
    if (first_read_ == 0) input_.pop_front();
  }
  input_size_ -= size;
  if (full_since_ && input_size_ < kMaxWaiting) {
    full_since_.reset();
    wake(lock);
  }
  return size;
}

Result<void, Failure> Mailbox::write(Bytes data) {
  Lock lock(mutex_);
  while (true) {
    if (over()) return ended();
    if (output_ended_ || close_wanted_) return misuse("write: this end has said that it writes no more");
    if (data.empty()) return {};
    const std::size_t room = kMaxQueued - std::min(kMaxQueued, output_.size() - output_sent_);
    const Bytes piece = data.first(std::min(room, data.size()));
    output_.insert(output_.end(), piece.begin(), piece.end());
    data = data.subspan(piece.size());
    if (!piece.empty()) wake(lock);
    if (data.empty()) return {};
    changed_.wait(lock, [this] { return over() || output_.size() - output_sent_ < kMaxQueued; });
  }
}

Result<void, Failure> Mailbox::end_output() {
  const Lock lock(mutex_);
  if (over()) return ended();
  if (output_ended_) return misuse("finish: this end has said already that it writes no more");
  output_ended_ = true;
  wake(lock);
  return {};
}

Result<void, Failure> Mailbox::rekey() {
  std::uint64_t before = 0;
  Result<void> asked;
  const bool ran = run([&](Stream& stream) {
    {
      const Lock lock(mutex_);
      before = key_changes_;
    }
    asked = stream.ask_for_keys();
  });
  Lock lock(mutex_);
  if (!ran || over()) return ended();
  if (!asked) return std::unexpected(Failure{asked.error(), std::string(asked.error().where)});
  changed_.wait(lock, [&] { return key_changes_ != before || over(); });
  if (key_changes_ == before) return ended();
  return {};
}

Result<Exported, Failure> Mailbox::export_key(std::string_view label, Bytes context, std::size_t size) {
  Result<Exported> exported = qsp::fail(ErrorKind::Internal, Reason::InternalError, "export: not done");
  if (!run([&](Stream& stream) { exported = stream.channel().export_key(label, context, size); })) {
    const Lock lock(mutex_);
    return ended();
  }
  if (!exported) return std::unexpected(Failure{exported.error(), std::string(exported.error().where)});
  return *std::move(exported);
}

ChannelStatus Mailbox::status() {
  ChannelStatus now;
  if (run([&now](Stream& stream) { now = stream.endpoint().status(); })) return now;
  const Lock lock(mutex_);
  return last_status_;
}

std::optional<Closed> Mailbox::closed() const {
  const Lock lock(mutex_);
  return closed_;
}

void Mailbox::close(std::optional<std::chrono::nanoseconds> at_most) {
  Lock lock(mutex_);
  close_wanted_ = true;
  wake(lock);
  const auto gone = [this] { return stream_ == nullptr; };
  if (!at_most) return changed_.wait(lock, gone);
  if (changed_.wait_for(lock, *at_most, gone)) return;
  post(lock, [](Stream& stream) { stream.abort(); });
  changed_.wait(lock, gone);
}

}  // namespace qsp::driver

#include "driver/mailbox.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "driver/stream.hpp"

namespace qsp::driver {

Mailbox::Change::~Change() {
  mailbox_.changed_.notify_all();
  std::vector<Served> served;
  std::vector<Waiter> rest;
  for (Waiter& waiter : mailbox_.waiters_) {
    if (Served each = waiter()) {
      served.push_back(std::move(each));
    } else {
      rest.push_back(std::move(waiter));
    }
  }
  mailbox_.waiters_ = std::move(rest);
  lock_.unlock();
  for (Served& each : served) each();
}

void Mailbox::attach(Stream& stream) {
  const Lock lock(mutex_);
  stream_ = &stream;
}

void Mailbox::begin() {
  const Change change(*this);
  established_ = true;
}

void Mailbox::take(Bytes data, bool end) {
  const Change change(*this);
  input_.append(data);
  if (input_.size() >= kMaxWaiting && !full_since_) full_since_ = net::Loop::now();
  input_ended_ = input_ended_ || end;
}

bool Mailbox::wants_more() const {
  const Lock lock(mutex_);
  return input_.size() < kMaxWaiting;
}

std::optional<Instant> Mailbox::full_since() const {
  const Lock lock(mutex_);
  return full_since_;
}

bool Mailbox::has_output() const {
  const Lock lock(mutex_);
  return !end_sent_ && (!output_.empty() || output_ended_);
}

Mailbox::Filled Mailbox::fill(MutableBytes room) {
  const Change change(*this);
  const std::size_t size = output_.take(room);
  if (output_.empty()) end_sent_ = output_ended_;
  return {.size = size, .end = end_sent_};
}

bool Mailbox::must_close() const {
  const Lock lock(mutex_);
  return close_wanted_ && !closed_ && output_.empty() && end_sent_ == output_ended_;
}

void Mailbox::keys_changed() {
  const Change change(*this);
  ++key_changes_;
}

void Mailbox::end(const Closed& closed, ChannelStatus&& status) {
  const Change change(*this);
  closed_ = closed;
  last_status_ = std::move(status);
}

void Mailbox::fail(Failure why) {
  const Change change(*this);
  failure_ = std::move(why);
}

void Mailbox::finish() {
  const Change change(*this);
  stream_ = nullptr;
  finished_ = true;
}

void Mailbox::post(Task task) {
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

void Mailbox::wake() {
  if (std::exchange(waking_, true)) return;
  post([this](Stream& stream) {  // which keeps this alive
    {
      const Lock lock(mutex_);
      waking_ = false;
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
  post([this, call, task = std::move(task)](Stream& stream) {
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

}  // namespace qsp::driver

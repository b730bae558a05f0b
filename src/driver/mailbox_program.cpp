// What a program does with its end of a mailbox.
#include <algorithm>
#include <utility>

#include "base/try.hpp"
#include "driver/failures.hpp"
#include "driver/mailbox.hpp"
#include "driver/stream.hpp"

namespace qsp::driver {

void Mailbox::wait(Waiter waiter) {
  const Change change(*this);  // asks it at once
  waiters_.push_back(std::move(waiter));
}

std::unexpected<Failure> Mailbox::ended() const {
  if (failure_) return std::unexpected(*failure_);
  if (closed_) return failure_of(*closed_, established_);
  return failure_of({.reason = Reason::Normal, .text = "", .truncated = true}, established_);
}

Result<void, Failure> Mailbox::decided() const {
  if (!established_) return ended();
  return {};
}

Result<void, Failure> Mailbox::wait_until_established() {
  Lock lock(mutex_);
  changed_.wait(lock, [this] { return established_ || over(); });
  return decided();
}

void Mailbox::when_decided(Then<Result<void, Failure>> then) {
  wait([this, then = std::move(then)]() mutable -> Served {
    if (!established_ && !finished_) return nullptr;
    return [then = std::move(then), answer = decided()]() mutable { then(std::move(answer)); };
  });
}

Result<std::size_t, Failure> Mailbox::read_now(MutableBytes out) {
  if (input_.empty() && input_ended_) return std::size_t{0};
  if (input_.empty()) return ended();
  const std::size_t size = input_.take(out);
  if (full_since_ && input_.size() < kMaxWaiting) {
    full_since_.reset();
    wake();
  }
  return size;
}

Result<std::size_t, Failure> Mailbox::read(MutableBytes out) {
  if (out.empty()) return misuse("read: no room for any byte");
  Lock lock(mutex_);
  changed_.wait(lock, [this] { return readable(); });
  return read_now(out);
}

void Mailbox::when_read(MutableBytes out, Then<Result<std::size_t, Failure>> then) {
  if (out.empty()) return then(misuse("read: no room for any byte"));
  wait([this, out, then = std::move(then)]() mutable -> Served {
    if (!readable()) return nullptr;
    return [then = std::move(then), answer = read_now(out)]() mutable { then(std::move(answer)); };
  });
}

/// Queues as much as there is room for. Precondition: writable().
Result<std::size_t, Failure> Mailbox::write_now(Bytes data) {
  if (over()) return ended();
  if (output_ended_ || close_wanted_) return misuse("write: this end has said that it writes no more");
  const Bytes piece = data.first(std::min(data.size(), kMaxQueued - output_.size()));
  output_.append(piece);
  if (!piece.empty()) wake();
  return piece.size();
}

Result<void, Failure> Mailbox::write(Bytes data) {
  Lock lock(mutex_);
  do {
    changed_.wait(lock, [this] { return writable(); });
    QSP_TRY(const auto size, write_now(data));
    data = data.subspan(size);
  } while (!data.empty());
  return {};
}

void Mailbox::when_written(Bytes data, Then<Result<std::size_t, Failure>> then) {
  wait([this, data, then = std::move(then)]() mutable -> Served {
    if (!writable()) return nullptr;
    return [then = std::move(then), answer = write_now(data)]() mutable { then(std::move(answer)); };
  });
}

Result<void, Failure> Mailbox::end_output() {
  const Change change(*this);
  if (over()) return ended();
  if (output_ended_) return misuse("finish: this end has said already that it writes no more");
  output_ended_ = true;
  wake();
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

Result<Exported, Failure> Mailbox::export_key(std::string_view label, Bytes context, std::size_t size,
                                              std::optional<std::uint32_t> epoch) {
  Result<Exported> exported = qsp::fail(ErrorKind::Internal, Reason::InternalError, "export: not done");
  if (!run([&](Stream& stream) { exported = stream.channel().export_key(label, context, size, epoch); })) {
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
  wake();
  const auto gone = [this] { return stream_ == nullptr; };
  if (!at_most) return changed_.wait(lock, gone);
  if (changed_.wait_for(lock, *at_most, gone)) return;
  post([](Stream& stream) { stream.abort(); });
  changed_.wait(lock, gone);
}

void Mailbox::when_gone(std::move_only_function<void()> then) {
  {
    const Lock lock(mutex_);
    close_wanted_ = true;
    wake();
  }
  wait([this, then = std::move(then)]() mutable -> Served {
    if (stream_ != nullptr) return nullptr;
    return std::move(then);
  });
}

}  // namespace qsp::driver

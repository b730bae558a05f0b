#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_queue.hpp"
#include "qsp/channel.hpp"
#include "qsp/failure.hpp"

namespace qsp::driver {

class Stream;

/// What a program's threads and a session's loop have in common: data on its way, and how the session stands. A program
/// may wait in it, the loop never does.
class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  /// SPEC §7.7: an end keeps reading until 4 MiB wait for its application.
  static constexpr std::size_t kMaxWaiting = std::size_t{4} * 1024 * 1024;
  static constexpr std::size_t kMaxQueued = std::size_t{256} * 1024;  ///< bytes of the program's, towards the peer

  // By the stream and its owner, on the loop's thread.

  void attach(Stream& stream);
  void begin();
  void take(Bytes data, bool end);
  [[nodiscard]] bool wants_more() const;
  /// Since when the program has left kMaxWaiting untouched.
  [[nodiscard]] std::optional<Instant> full_since() const;
  struct Filled {
    std::size_t size;  ///< bytes written to the room
    bool end;          ///< the program's last
  };
  [[nodiscard]] bool has_output() const;
  Filled fill(MutableBytes room);
  /// Whether the program wants the session to close, and has nothing to be sent before.
  [[nodiscard]] bool must_close() const;
  void keys_changed();
  void end(const Closed& closed, ChannelStatus&& status);
  /// There will be no session.
  void fail(Failure why);
  /// The stream is gone, or never was, or its loop runs no more. The last call.
  void finish();

  // By the program, on its threads.

  Result<void, Failure> wait_until_established();
  Result<std::size_t, Failure> read(MutableBytes out);
  Result<void, Failure> write(Bytes data);
  Result<void, Failure> end_output();
  Result<void, Failure> rekey();
  Result<Exported, Failure> export_key(std::string_view label, Bytes context, std::size_t size,
                                       std::optional<std::uint32_t> epoch);
  [[nodiscard]] ChannelStatus status();
  [[nodiscard]] std::optional<Closed> closed() const;
  /// Asks for the end; waits for it until the connection is gone, or that long.
  void close(std::optional<std::chrono::nanoseconds> at_most);

  // Likewise, but without waiting: `then` is called once, on the caller's thread before these return, or on the loop's.
  // It must not wait for anything there.

  template <class T>
  using Then = std::move_only_function<void(T)>;
  /// Once there is a session, or is none and its connection is gone.
  void when_decided(Then<Result<void, Failure>> then);
  void when_read(MutableBytes out, Then<Result<std::size_t, Failure>> then);
  /// As much as there is room for, at least one byte.
  void when_written(Bytes data, Then<Result<std::size_t, Failure>> then);
  void when_gone(std::move_only_function<void()> then);

 private:
  using Task = std::function<void(Stream&)>;
  using Lock = std::unique_lock<std::mutex>;
  using Served = std::move_only_function<void()>;
  /// Asked after each change, under the lock: what to do after it once its time has come, else nothing.
  using Waiter = std::move_only_function<Served()>;

  /// The lock over a change, and what it sets off: whoever waits is told when it ends.
  class Change {
   public:
    explicit Change(Mailbox& mailbox) : mailbox_(mailbox), lock_(mailbox.mutex_) {}
    ~Change();
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

   private:
    Mailbox& mailbox_;
    Lock lock_;
  };

  void wait(Waiter waiter);
  /// Runs on the loop's thread, and waits for that. False: the stream is gone, and it does not run.
  bool run(Task task);

  // Under the lock.

  /// The stream looks at what has changed here, soon.
  void wake();
  void post(Task task);
  [[nodiscard]] bool over() const noexcept { return closed_ || failure_ || finished_; }
  [[nodiscard]] bool readable() const noexcept { return !input_.empty() || input_ended_ || over(); }
  [[nodiscard]] bool writable() const noexcept { return output_.size() < kMaxQueued || output_ended_ || over(); }
  Result<std::size_t, Failure> read_now(MutableBytes out);
  Result<std::size_t, Failure> write_now(Bytes data);
  Result<void, Failure> decided() const;
  /// Why nothing goes any more.
  [[nodiscard]] std::unexpected<Failure> ended() const;

  mutable std::mutex mutex_;  ///< of all below
  std::condition_variable changed_;
  std::vector<Waiter> waiters_;
  Stream* stream_ = nullptr;  ///< its loop lives while it is set
  ByteQueue input_, output_;
  std::optional<Instant> full_since_;
  std::uint64_t key_changes_ = 0;
  ChannelStatus last_status_;
  std::optional<Closed> closed_;
  std::optional<Failure> failure_;
  bool waking_ = false, established_ = false, input_ended_ = false;
  bool output_ended_ = false, end_sent_ = false, close_wanted_ = false, finished_ = false;
};

}  // namespace qsp::driver

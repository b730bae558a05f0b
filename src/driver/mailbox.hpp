#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "qsp/channel.hpp"
#include "qsp/failure.hpp"

namespace qsp::driver {

class Stream;

/// What a program's threads and a session's loop have in common: data on its way, and how the session stands. A program
/// waits in it, the loop never does.
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
  /// The stream is gone, or never was. The last call.
  void finish();

  // By the program, on its threads.

  Result<void, Failure> wait_until_established();
  Result<std::size_t, Failure> read(MutableBytes out);
  Result<void, Failure> write(Bytes data);
  Result<void, Failure> end_output();
  Result<void, Failure> rekey();
  Result<Exported, Failure> export_key(std::string_view label, Bytes context, std::size_t size);
  [[nodiscard]] ChannelStatus status();
  [[nodiscard]] std::optional<Closed> closed() const;
  /// Asks for the end; waits for it until the connection is gone, or that long.
  void close(std::optional<std::chrono::nanoseconds> at_most);

 private:
  using Task = std::function<void(Stream&)>;
  using Lock = std::unique_lock<std::mutex>;

  /// Runs on the loop's thread, and waits for that. False: the stream is gone, and it does not run.
  bool run(Task task);
  /// The stream looks at what has changed here, soon.
  void wake(const Lock& lock);
  void post(const Lock& lock, Task task);
  [[nodiscard]] bool over() const noexcept { return closed_ || failure_ || finished_; }
  /// Why nothing goes any more.
  [[nodiscard]] std::unexpected<Failure> ended() const;

  mutable std::mutex mutex_;  ///< of all below
  std::condition_variable changed_;
  Stream* stream_ = nullptr;  ///< its loop lives while it is set
  std::deque<std::vector<std::uint8_t>> input_;
  std::size_t input_size_ = 0;
  std::size_t first_read_ = 0;  ///< bytes of the first one
  std::optional<Instant> full_since_;
  std::vector<std::uint8_t> output_;
  std::size_t output_sent_ = 0;
  std::uint64_t key_changes_ = 0;
  ChannelStatus last_status_;
  std::optional<Closed> closed_;
  std::optional<Failure> failure_;
  bool waking_ = false, established_ = false, input_ended_ = false;
  bool output_ended_ = false, end_sent_ = false, close_wanted_ = false, finished_ = false;
};

}  // namespace qsp::driver

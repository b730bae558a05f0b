#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "net/carrier.hpp"
#include "net/loop.hpp"
#include "net/pipe_end.hpp"
#include "net/pipe_ends.hpp"
#include "net/send_queue.hpp"

namespace qsp::net {

/// Moves bytes both ways between a carrier and two descriptors here, each way with backpressure and an end of its own
/// (SPEC §8). It serves standard input and output, a child's pipes and a socket, over a session or whatever else is a
/// Carrier.
///
/// Input is read straight into the carrier's room. What the carrier brings leaves in one gathered write from where it
/// was received; only what is not taken at once is copied, into chunks of the loop's pool.
///
/// It lives inside its carrier, or as long, and its handlers keep the carrier alive.
class Pump {
 public:
  /// SPEC §7.7: an end keeps reading until 4 MiB wait for its application.
  static constexpr std::size_t kMaxWaiting = std::size_t{4} * 1024 * 1024;

  /// What may be said of a pump once its carrier is finished.
  struct Report {
    std::string failure;         ///< reading or writing here failed, which ended the carrier; empty otherwise
    bool input_sent = false;     ///< all of the input, and its end
    bool output_closed = false;  ///< its descriptor, since all that the carrier brought was written
  };

  /// `stall_limit`: how long the reader of the output may leave kMaxWaiting untouched.
  Pump(Loop& loop, Carrier& carrier, std::chrono::nanoseconds stall_limit)
      : loop_(loop),
        carrier_(carrier),
        stall_limit_(stall_limit),
        waiting_(loop.chunks()),
        drain_timer_(loop.executor()) {}

  /// Gives it its descriptors; bytes flow once the carrier is woken. Until then what the carrier brings waits. Error:
  /// one line.
  Result<void, std::string> attach(PipeEnds&& ends);

  // For the carrier.

  /// Bytes came, and with `end` the last of them. They stay where they are until all_taken().
  void take(Bytes fresh, bool end);
  /// All that one read brought was taken, and its memory is used again after this.
  void all_taken();
  /// The carrier has room: sends it what can be read, up to kHighWater.
  void fill();
  /// False while too much waits for the reader of the output: the carrier then stops reading.
  [[nodiscard]] bool wants_more() const noexcept { return waiting_.size() < kMaxWaiting; }
  /// When the reader of the output will have stalled for too long; the carrier then closes with TIMEOUT.
  [[nodiscard]] std::optional<Instant> deadline() const;
  /// The carrier is over. What it brought is written out even so; then the descriptors are closed.
  void carrier_finished();

  // For whoever owns the other ends.

  /// Whether the end of the input is a good one is not known yet: judge_input() will say so. Call it before attach().
  void await_judgement() noexcept { judgement_.reset(); }
  /// It is a good one, and the peer is told when it comes; or, with a text, it ends the carrier as a failure.
  void judge_input(std::string failure);
  /// Ends the carrier, for a reason of this end.
  void give_up(Reason reason, const std::string& why);
  [[nodiscard]] const Report& report() const noexcept { return report_; }

 private:
  void send_input();
  void end_input();
  void finish_input();
  void wait_for_input();
  void keep(Bytes fresh);
  void pass_on();
  void write_output();
  std::size_t write_some(std::span<const asio::const_buffer> buffers);
  void wait_for_reader();
  void output_failed(int error);
  void detach();

  Loop& loop_;
  Carrier& carrier_;
  std::chrono::nanoseconds stall_limit_;
  std::optional<PipeEnds> ends_;
  std::optional<PipeEnd> input_, output_;
  SendQueue waiting_;                         ///< for the output
  std::array<asio::const_buffer, 16> fresh_;  ///< for the output as well, and still where it was received
  std::size_t fresh_count_ = 0;
  std::optional<Instant> full_since_;
  Timer drain_timer_;
  Report report_;
  std::optional<std::string> judgement_{std::in_place};  ///< of the input's end; empty: a good one
  bool input_watched_ = false, output_watched_ = false;
  bool input_ended_ = false;  ///< by itself
  bool input_done_ = false, peer_done_ = false, output_done_ = false, finished_ = false;
};

}  // namespace qsp::net

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/connection.hpp"
#include "net/pipe_end.hpp"
#include "net/send_queue.hpp"
#include "qsp/error.hpp"

namespace qsp::net {

/// The two descriptors that a PipeSession carries bytes between and its peer: standard input and output, a child's
/// pipes, or one socket twice.
class PipeEnds {
 public:
  /// Whose descriptors they are: ours are non-blocking and closed by us; the process's own may block, and stay open.
  enum class Kind : std::uint8_t { Standard, Pipes, Stream };

  PipeEnds(Kind kind, int input, int output) noexcept : kind_(kind), input_(input), output_(output) {}
  PipeEnds(PipeEnds&& other) noexcept;
  PipeEnds& operator=(PipeEnds&&) = delete;
  PipeEnds(const PipeEnds&) = delete;
  PipeEnds& operator=(const PipeEnds&) = delete;
  ~PipeEnds() { close(); }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] int input() const noexcept { return input_; }
  [[nodiscard]] int output() const noexcept { return output_; }
  /// The reader of the output sees its end: the descriptor is closed, or a socket shut for writing.
  void end_output() noexcept;
  void close() noexcept;

 private:
  Kind kind_;
  int input_;
  int output_;
};

/// What may be said of a pipe once its connection is finished.
struct PipeReport {
  std::string failure;         ///< reading or writing here failed, which ended the session; empty otherwise
  bool input_sent = false;     ///< all of the input, and its end
  bool output_closed = false;  ///< its descriptor, since all of the peer's data was written
};

/// Carries bytes both ways between its ends and the peer, each direction with backpressure and an end of its own (SPEC
/// §8).
class PipeSession : public Connection {
 public:
  /// SPEC §7.7: an end keeps reading until 4 MiB wait for its application.
  static constexpr std::size_t kMaxWaiting = std::size_t{4} * 1024 * 1024;

  /// `stall_limit`: how long the application may leave kMaxWaiting untouched.
  PipeSession(Loop& loop, Socket&& socket, const tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
              ConnectionOwner& owner, std::chrono::nanoseconds stall_limit)
      : Connection(loop, std::move(socket), peer, std::move(endpoint), owner),
        stall_limit_(stall_limit),
        waiting_(loop.chunks()),
        drain_timer_(loop.executor()) {}

  [[nodiscard]] const PipeReport& report() const noexcept { return report_; }

 protected:
  /// Gives the session its ends; bytes flow from then on. Until then what the peer sends waits. Error: one line.
  Result<void, std::string> attach(PipeEnds&& ends);
  void give_up(Reason reason, const std::string& why);
  /// The input has ended. False: whether that is a good end is not known yet; finish_input() says so later.
  virtual bool may_finish_input() { return true; }
  /// Tells the peer that no more data comes.
  void finish_input();
  /// What was received is written out even after the connection is gone; then the ends are closed.
  void handle_finished() override;

 private:
  void handle_data(const AppData& data) override;
  void handle_data_over() override;
  void take(Bytes fresh);
  void pass_on();
  void produce() override;
  [[nodiscard]] bool wants_input() const override { return waiting_.size() < kMaxWaiting; }
  [[nodiscard]] std::optional<Instant> deadline() const override;
  void handle_deadline() override { close(Reason::Timeout, "the application does not read"); }

  void send_input();
  void wait_for_pipe();
  void detach();
  void write_output();
  void wait_for_reader();
  void output_failed(int error);
  /// How many bytes the system took; fewer than all means that it waits for the reader, or that the output is over.
  std::size_t write_some(std::span<const asio::const_buffer> buffers);

  std::chrono::nanoseconds stall_limit_;
  std::optional<PipeEnds> ends_;
  std::optional<PipeEnd> input_, output_;
  SendQueue waiting_;                         ///< for the output
  std::array<asio::const_buffer, 16> fresh_;  ///< for the output as well, and still where it was received
  std::size_t fresh_count_ = 0;
  std::optional<Instant> full_since_;
  Timer drain_timer_;
  PipeReport report_;
  bool input_watched_ = false, output_watched_ = false;
  bool input_done_ = false, peer_done_ = false, output_done_ = false, finished_ = false;
};

}  // namespace qsp::net

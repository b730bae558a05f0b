#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/connection.hpp"
#include "net/descriptor.hpp"

namespace qsp::cli {

/// The bytes that were sent and have not come back, in order, in a ring of fixed size.
class EchoWindow {
 public:
  /// `capacity` is what a peer may owe at most, in bytes: it bounds memory and how far sending runs ahead.
  explicit EchoWindow(std::size_t capacity) : ring_(capacity) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t room() const noexcept { return ring_.size() - size_; }

  /// Precondition: sent.size() <= room().
  void push(Bytes sent) noexcept;
  /// Removes what came back. False if it differs from the oldest bytes, or is more than was sent.
  [[nodiscard]] bool match(Bytes echoed) noexcept;

 private:
  std::vector<std::uint8_t> ring_;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
};

/// How a session of an EchoClient went.
struct EchoReport {
  std::optional<Closed> closed;  ///< nothing: the session never ended by itself
  std::string transport;         ///< why the stream ended, where the system said so
  std::string local_failure;     ///< input, output or comparison failed, which ended the session
  bool established = false;
  bool may_redial_without_qkd = false;
  bool input_done = false;
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_frames = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t compared_bytes = 0;
  std::uint64_t missing_bytes = 0;     ///< sent and not echoed
  std::uint32_t epoch = 0;             ///< the last one
  std::chrono::nanoseconds elapsed{};  ///< from Established to the end
};

/// Sends a descriptor's bytes to an echo server and compares what comes back, in bounded memory.
class EchoClient final : public net::Connection, private net::ConnectionOwner {
 public:
  struct Files {
    int input;          ///< to send; stays the caller's
    net::Watch watch;   ///< of `input`
    int output = -1;    ///< where the echo goes; -1: nowhere
    bool show = false;  ///< the echo goes to stdout as text
  };

  struct Options {
    bool half_close;     ///< the profile tells the end of data
    std::size_t window;  ///< bytes, at least kMaxPlaintext
  };

  /// `report` is complete once the loop has nothing left to do.
  EchoClient(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
             Files files, const Options& options, EchoReport& report);

  /// Called once, when the socket is closed.
  void when_finished(std::function<void()> finished) { finished_ = std::move(finished); }

 private:
  void handle_data(const AppData& data) override;
  void handle_epoch(std::uint32_t epoch) override;
  void produce() override;

  void connection_established(net::Connection& connection) override;
  void connection_rekeyed(net::Connection&) override {}
  void connection_closed(net::Connection& connection, const Closed& closed, const net::error_code& transport) override;
  void connection_finished(net::Connection& connection) override;

  bool input_ready();
  void send_input();
  void give_up(std::string why);

  Files files_;
  bool half_close_;
  EchoReport& report_;
  EchoWindow window_;
  std::function<void()> finished_;
  Instant established_at_{};
  bool watching_ = false;
  bool ready_ = false;
  bool end_received_ = false;
};

}  // namespace qsp::cli

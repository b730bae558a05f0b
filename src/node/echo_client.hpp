#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/connection.hpp"
#include "net/descriptor.hpp"

namespace qsp::node {

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

/// What came of the comparison.
struct EchoReport {
  std::string failure;      ///< input, output or comparison failed, which ended the session; else empty
  bool input_done = false;  ///< all of the input was sent
  std::uint64_t compared_bytes = 0;
  std::uint64_t missing_bytes = 0;  ///< sent and not echoed
};

/// Sends a descriptor's bytes to an echo server and compares what comes back, in bounded memory.
class EchoClient final : public net::Connection {
 public:
  struct Files {
    int input;                        ///< to send; stays the caller's
    net::Watch watch;                 ///< of `input`
    int output = -1;                  ///< where the echo goes; -1: nowhere
    std::function<void(Bytes)> show;  ///< is shown the echo; may be empty
  };

  struct Options {
    bool half_close;     ///< the profile tells the end of data
    std::size_t window;  ///< bytes, at least kMaxPlaintext
  };

  EchoClient(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
             net::ConnectionOwner& owner, Files files, const Options& options);

  [[nodiscard]] EchoReport report() const {
    EchoReport report = report_;
    report.missing_bytes = window_.size();
    return report;
  }

 private:
  void handle_data(const AppData& data) override;
  void handle_finished() override { files_.watch.cancel(); }
  void produce() override;

  bool input_ready();
  void send_input();
  void give_up(std::string why);

  Files files_;
  bool half_close_;
  EchoReport report_;
  EchoWindow window_;
  bool watching_ = false;
  bool ready_ = false;
  bool end_received_ = false;
};

}  // namespace qsp::node

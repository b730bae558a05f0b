#pragma once

#include <array>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "net/send_queue.hpp"
#include "qsp/bytes.hpp"
#include "qsp/endpoint.hpp"

namespace qsp::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// The executor is named, not type-erased: that makes a socket 40 bytes smaller.
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

/// One thread's event loop, and the memory that the sessions pinned to it use in turn. Only `io()` and its executor may
/// be touched from another thread.
class Loop {
 public:
  /// Bytes that one read takes at most.
  static constexpr std::size_t kScratchSize = std::size_t{256} * 1024;

  Loop() : scratch_(std::make_unique_for_overwrite<std::uint8_t[]>(kScratchSize)) {}

  /// The clock that endpoints are driven with.
  static Instant now() noexcept { return std::chrono::steady_clock::now().time_since_epoch(); }
  static std::chrono::steady_clock::time_point time_point(Instant at) noexcept {
    return std::chrono::steady_clock::time_point(at);
  }

  [[nodiscard]] asio::io_context& io() noexcept { return io_; }
  [[nodiscard]] Executor executor() noexcept { return io_.get_executor(); }
  /// Where a session reads into. It holds one session's bytes during one call, never between two.
  [[nodiscard]] MutableBytes scratch() noexcept { return {scratch_.get(), kScratchSize}; }
  /// Where an endpoint's control bytes pass through: no handshake, rekey or close frame is longer.
  [[nodiscard]] MutableBytes control() noexcept { return control_; }
  [[nodiscard]] ChunkPool& chunks() noexcept { return chunks_; }

  /// Runs until nothing is left to do or io() is stopped. An exception that a handler let escape (memory ran out) ends
  /// the process: sessions would be left half changed.
  void run() noexcept { io_.run(); }  // NOLINT(bugprone-exception-escape): it ends the process

 private:
  ChunkPool chunks_;
  std::unique_ptr<std::uint8_t[]> scratch_;
  std::array<std::uint8_t, std::size_t{20} * 1024> control_{};
  /// Last, so that it goes first: the handlers that it still holds own sessions, and those give chunks back.
  asio::io_context io_{1};
};

}  // namespace qsp::net

#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "net/echo.hpp"
#include "net/server.hpp"
#include "qsp/crypto.hpp"
#include "qsp/endpoint.hpp"

namespace qsp::net::test {

using namespace std::chrono_literals;

/// For anything that has to happen: so long that only what never happens takes it, however loaded the machine is.
inline constexpr std::chrono::seconds kPatience{90};

/// Makes the server's end of a session.
using MakeEndpoint = std::function<std::unique_ptr<Endpoint>()>;

/// Takes whatever comes, says nothing, and never becomes a session.
class IdleEndpoint : public Endpoint {
 public:
  std::size_t handle_bytes(MutableBytes in, Instant) override { return in.size(); }
  [[nodiscard]] std::size_t bytes_needed() const noexcept override { return 1; }
  void handle_end_of_stream(Instant) override { close(Reason::ProtocolError, "end of stream"); }
  [[nodiscard]] std::optional<Instant> next_timeout() const noexcept override { return std::nullopt; }
  void handle_timeout(Instant) override {}
  std::optional<Event> poll_event() override { return std::exchange(event_, std::nullopt); }
  std::size_t poll_transmit(MutableBytes) override { return 0; }
  [[nodiscard]] FrameRoom frame_room() const noexcept override { return {0, 0}; }
  Result<void> seal_app_data(MutableBytes, std::size_t, bool, Instant) override { return {}; }
  Result<void> request_rekey(Instant) override { return {}; }
  void close(Reason reason, std::string_view text) override {
    if (phase_ == Phase::Closed) return;
    phase_ = Phase::Closed;
    event_ = Closed{.reason = reason, .text = std::string(text)};
  }
  [[nodiscard]] Phase phase() const noexcept override { return phase_; }
  [[nodiscard]] std::uint64_t session_id() const noexcept override { return 0; }
  [[nodiscard]] std::uint32_t epoch() const noexcept override { return 0; }

 private:
  Phase phase_ = Phase::Handshake;
  std::optional<Event> event_;
};

/// What a server said, to be waited for from the test's thread.
class Recorded final : public ServerEvents {
 public:
  struct End {
    Closed closed;
    bool established;
  };

  void session_established(const Connection&) override {
    note([this] { ++established; });
  }
  void session_rekeyed(const Connection&) override {
    note([this] { ++rekeyed; });
  }
  void session_closed(const Connection& connection, const Closed& closed, const error_code&) override {
    note([&] { ends.push_back({closed, connection.established()}); });
  }
  void refused(Refusal why, std::uint64_t count, const tcp::endpoint&) override {
    note([&] {
      refusals += count;
      ++refusal_reports;
      last_refusal = why;
      if (why == Refusal::DisplacedHandshake) displaced_handshakes += count;
    });
  }
  void strangers(const Tally::Told& stranger) override {
    note([&] {
      strange += stranger.count;
      ++told;
      kinds.push_back(stranger.kind);
    });
  }
  void accept_failed(const error_code&) override {
    note([this] { ++accept_failures; });
  }

  /// Waits until `condition` holds over the members below; false after kPatience.
  bool wait(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, condition);
  }
  template <class Value>
  Value read(Value Recorded::* member) {
    const std::scoped_lock lock(mutex_);
    return this->*member;
  }

  std::size_t established = 0;
  std::size_t rekeyed = 0;
  std::uint64_t refusals = 0;
  std::size_t refusal_reports = 0;
  std::optional<Refusal> last_refusal;
  std::uint64_t displaced_handshakes = 0;
  std::uint64_t strange = 0;
  std::size_t told = 0;
  std::vector<std::string> kinds;
  std::size_t accept_failures = 0;
  std::vector<End> ends;

 private:
  void note(const std::function<void()>& change) {
    const std::scoped_lock lock(mutex_);
    change();
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
};

struct TestOptions {
  ListenOptions server{.listen = {.host = "127.0.0.1", .port = 0}};
  std::uint64_t rekey_after = 0;
  MakeEndpoint make_endpoint{};       ///< nothing: rc155 over a fake provider
  MakeSessionFactory make_factory{};  ///< nothing: echoes over make_endpoint's sessions
};

/// An echo server on a loopback port of the system's choice, in a thread of its own; stopped with the object.
class TestServer {
 public:
  explicit TestServer(const TestOptions& options = {});
  ~TestServer() { stop(); }

  /// Stops and waits for the end of run().
  void stop();
  [[nodiscard]] std::uint16_t port() const { return server_->local_endpoint().port(); }
  [[nodiscard]] Server& server() { return *server_; }

  Recorded events;

 private:
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

/// A client over a blocking socket that the test drives by hand, byte by byte if it likes. Reads give up after
/// kPatience.
class Peer {
 public:
  explicit Peer(std::uint16_t port, int receive_buffer = 0);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void write_raw(Bytes bytes) const;
  /// What the socket takes without blocking; 0 if it is full.
  std::size_t write_some(Bytes bytes) const;
  /// Nothing: the stream ended or was reset.
  std::optional<std::vector<std::uint8_t>> read_raw() const;
  void end_writing() const;
  void disconnect();

  /// rc155: runs until established; false if the connection ended instead.
  bool handshake();
  /// The frame of this plaintext, sealed and not yet sent.
  std::vector<std::uint8_t> seal(Bytes plaintext);
  void send(Bytes plaintext) { write_raw(seal(plaintext)); }
  void send_control();
  /// Takes what comes until `size` bytes of plaintext are there or the session is over; returns all so far.
  const std::vector<std::uint8_t>& receive(std::size_t size);
  /// Takes what comes until the stream ends.
  void receive_to_end();

  [[nodiscard]] Endpoint& endpoint() { return *endpoint_; }
  std::optional<Closed> closed;
  bool stream_ended = false;
  mutable bool reset = false;  ///< not in good order, but by a reset

 private:
  bool receive_once();
  void drain();

  int socket_;
  std::unique_ptr<crypto::Provider> provider_;
  std::unique_ptr<Endpoint> endpoint_;
  std::vector<std::uint8_t> pending_;
  std::vector<std::uint8_t> received_;
};

std::vector<std::uint8_t> pattern(std::size_t size, std::uint32_t seed = 1);

/// A server that is expected to serve on: a fresh peer gets its echo.
void expect_serves(std::uint16_t port);

}  // namespace qsp::net::test

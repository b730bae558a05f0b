#include "bench/bulk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "base/try.hpp"
#include "net/server.hpp"

namespace qsp::bench {
namespace {

/// Sends `bytes` zeros out of a buffer of its own, as a program would that has read them.
class Source final : public net::Connection {
 public:
  Source(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
         net::ConnectionOwner& owner, std::uint64_t bytes)
      : Connection(loop, std::move(socket), peer, std::move(endpoint), owner), left_(bytes) {}

 private:
  void handle_data(const AppData&) override {}
  void produce() override {
    while (!ended_ && queued() < kHighWater) {
      const std::size_t size = std::min<std::uint64_t>(left_, data_.size());
      left_ -= size;
      ended_ = left_ == 0;
      if (!send(Bytes(data_).first(size), ended_)) return;
    }
  }

  std::uint64_t left_;
  bool ended_ = false;
  std::array<std::uint8_t, Endpoint::kMaxPlaintext> data_{};
};

/// Drops what comes, and says END when the peer has.
class Sink final : public net::Connection {
 public:
  Sink(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
       net::ConnectionOwner& owner)
      : Connection(loop, std::move(socket), peer, std::move(endpoint), owner) {}

 private:
  void handle_data(const AppData& data) override {
    if (data.end) static_cast<void>(send({}, true));  // a failure ends the session, and the client sees that
  }
};

class SinkFactory final : public net::SessionFactory {
 public:
  explicit SinkFactory(std::unique_ptr<Ends> ends) : ends_(std::move(ends)) {}
  Result<net::ConnectionPtr> make(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                  net::ConnectionOwner& owner) override {
    QSP_TRY(auto channel, ends_->server(net::Loop::now()));
    return net::ConnectionPtr(new Sink(loop, std::move(socket), peer, std::move(channel), owner));
  }

 private:
  std::unique_ptr<Ends> ends_;
};

/// Keeps what the server received.
class Received final : public net::ServerEvents {
 public:
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  void session_established(const net::Connection&) override {}
  void session_rekeyed(const net::Connection&) override {}
  void session_closed(const net::Connection& connection, const Closed&, const net::error_code&) override {
    bytes_ = connection.traffic().received_bytes;
  }
  void refused(net::Refusal, std::uint64_t, const net::tcp::endpoint&) override {}
  void accept_failed(const net::error_code&) override {}

  std::atomic<std::uint64_t> bytes_ = 0;
};

/// Stops the client's loop at the end of its session.
class Watch final : public net::ConnectionOwner {
 public:
  explicit Watch(net::Loop& loop) : loop_(loop) {}
  [[nodiscard]] std::optional<Reason> ended() const noexcept { return ended_; }

 private:
  void connection_established(net::Connection&) override {}
  void connection_rekeyed(net::Connection&) override {}
  void connection_closed(net::Connection&, const Closed& closed, const net::error_code&) override {
    ended_ = closed.reason;
    loop_.io().stop();
  }
  void connection_finished(net::Connection&) override {}

  net::Loop& loop_;
  std::optional<Reason> ended_;
};

Outcome<double> dial_and_send(Ends& ends, const net::tcp::endpoint& server, std::uint64_t bytes) {
  const auto start = std::chrono::steady_clock::now();
  net::Loop loop;
  Watch watch(loop);
  net::Socket socket(loop.executor());
  net::error_code failed;
  socket.connect(server, failed);
  if (failed) return std::unexpected("cannot connect: " + failed.message());
  QSP_TRY(auto channel, outcome(ends.client(net::Loop::now())));
  const net::ConnectionPtr source(new Source(loop, std::move(socket), server, std::move(channel), watch, bytes));
  source->start();
  loop.run();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  source->abort();
  if (watch.ended() != Reason::Normal) {
    return std::unexpected(fmt::format("the session ended: {}", name(watch.ended().value_or(Reason::InternalError))));
  }
  return elapsed.count();
}

}  // namespace

Outcome<double> send_with_qsp(const KeyPair& keys, std::uint64_t bytes) {
  QSP_TRY(auto ends, Ends::make(keys));
  net::ListenOptions options;
  options.listen.port = 0;
  options.stop_timeout = std::chrono::milliseconds(0);
  const auto make_factory = [&]() -> Outcome<std::unique_ptr<net::SessionFactory>> {
    QSP_TRY(auto own, Ends::make(keys));
    return std::make_unique<SinkFactory>(std::move(own));
  };
  Received received;
  QSP_TRY(const auto server, net::Server::open(options, make_factory, received));
  Outcome<void> ran;
  std::jthread thread([&] { ran = server->run(); });
  auto seconds = dial_and_send(*ends, server->local_endpoint(), bytes);
  server->stop();
  thread.join();
  if (!ran) return std::unexpected(ran.error());
  if (seconds && received.bytes() != bytes) {
    return std::unexpected(fmt::format("QSP 1.0 brought {} of {} bytes", received.bytes(), bytes));
  }
  return seconds;
}

}  // namespace qsp::bench

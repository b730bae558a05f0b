#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "https/server.hpp"
#include "https/stream.hpp"
#include "https/tls.hpp"
#include "net/admission.hpp"
#include "net/loop.hpp"
#include "net/tally.hpp"

namespace qsp::https {

class ServerConnection;
class ServerCore;

/// The way of an answer from any thread back to the loop. Closed for good when the server goes, after which answers,
/// and the loop too, may be gone.
class Mailbox {
 public:
  Mailbox(net::Executor executor, std::weak_ptr<ServerCore> core) : executor_(executor), core_(std::move(core)) {}

  /// Nothing instead of an answer: there will be none.
  void send(std::uint64_t connection, std::optional<Response> response);
  void close();

 private:
  std::mutex mutex_;
  std::optional<net::Executor> executor_;
  std::weak_ptr<ServerCore> core_;
};

/// What a server is while anything of it is left: its connections keep it alive. On the loop's thread.
class ServerCore : public std::enable_shared_from_this<ServerCore> {
 public:
  ServerCore(net::Loop& loop, const HttpServerOptions& options, Handler& handler)
      : loop_(loop),
        options_(options),
        handler_(&handler),
        acceptor_(loop.executor()),
        stop_timer_(loop.executor()),
        excess_timer_(loop.executor()),
        admission_(limits_of(options)) {}

  /// Reads the files, listens and accepts.
  files::OrText<void> open();
  /// Null on a plain server.
  [[nodiscard]] files::OrText<TlsContext> read_tls() const;
  /// Takes other files into use, and closes whom they do not admit.
  void renew(TlsContext context);
  void stop(std::chrono::nanoseconds grace);
  /// The server is gone, and with it the handler.
  void close();

  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] const ServerCounts& counts() const noexcept { return counts_; }

  // For its connections.
  [[nodiscard]] net::Loop& loop() noexcept { return loop_; }
  [[nodiscard]] const HttpServerOptions& options() const noexcept { return options_; }
  [[nodiscard]] ServerCounts& count() noexcept { return counts_; }
  [[nodiscard]] bool stopping() const noexcept { return stopping_; }
  [[nodiscard]] const TlsContext& tls() const noexcept { return tls_; }
  void handle(std::uint64_t connection, Request request);
  void answer(std::uint64_t connection, std::optional<Response> response);
  /// How far a connection has come, for the count of them.
  void moved(std::uint64_t connection, void (net::Admission::*change)(net::Place)) { (admission_.*change)(connection); }
  /// The connection is closed.
  void release(std::uint64_t connection);

 private:
  files::OrText<void> listen();
  Awaited<void> accept();
  Awaited<void> make_room(const net::error_code& why);
  void adopt(net::Socket&& socket, const net::tcp::endpoint& peer);
  void displace(net::Place place);
  void tell_of_excess(std::string_view why, const net::tcp::endpoint& peer);
  [[nodiscard]] std::vector<std::shared_ptr<ServerConnection>> all_connections() const;
  static net::Limits limits_of(const HttpServerOptions& options);
  void close_connections();

  net::Loop& loop_;
  HttpServerOptions options_;
  Handler* handler_;  ///< null once the server is gone
  std::shared_ptr<Mailbox> mailbox_;
  TlsContext tls_;  ///< of the next connection; null on a plain server
  net::asio::basic_socket_acceptor<net::tcp, net::Executor> acceptor_;
  net::Timer stop_timer_;
  net::Timer excess_timer_;
  net::Tally excess_;  ///< connections that found no room
  std::map<std::uint64_t, std::shared_ptr<ServerConnection>> connections_;
  net::Admission admission_;  ///< whose places are the connections' names
  ServerCounts counts_;
  bool accept_failing_ = false;
  bool stopping_ = false;
};

}  // namespace qsp::https

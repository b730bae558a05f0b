#pragma once

#include <spdlog/spdlog.h>

#include <boost/asio/signal_set.hpp>
#include <functional>
#include <memory>
#include <string>

#include "cli/e91_processes.hpp"
#include "cli/sessions.hpp"
#include "e91/station/dialler.hpp"
#include "e91/station/message_session.hpp"
#include "net/server.hpp"

/// QSP 1.0 sessions between the processes of a simulated link.
namespace qsp::cli {

/// What it takes to make one: this process's key, and the pinned peer where it dials one.
class E91Sessions {
 public:
  static std::expected<E91Sessions, Refused> load(const E91Identity& identity, Role role, const std::string& peer = {});

  Result<std::unique_ptr<Endpoint>> make() { return sessions_->make(false); }

 private:
  E91Sessions(std::unique_ptr<Setup> setup, std::unique_ptr<Sessions> sessions)
      : setup_(std::move(setup)), sessions_(std::move(sessions)) {}

  std::unique_ptr<Setup> setup_;
  std::unique_ptr<Sessions> sessions_;
};

/// A server on one thread whose sessions bring messages to `handler`.
class E91Server final : private net::ServerEvents {
 public:
  /// References outlive the server. The error is one line.
  static std::expected<std::unique_ptr<E91Server>, std::string> open(const net::Address& listen, E91Sessions& sessions,
                                                                     e91::station::MessageHandler& handler,
                                                                     std::size_t most);
  E91Server(const E91Server&) = delete;
  E91Server& operator=(const E91Server&) = delete;
  ~E91Server() override = default;

  [[nodiscard]] net::Server& server() noexcept { return *server_; }

 private:
  E91Server() = default;

  void session_established(const net::Connection&) override {}
  void session_rekeyed(const net::Connection&) override {}
  void session_closed(const net::Connection& connection, const Closed& closed,
                      const net::error_code& transport) override;
  void refused(net::Refusal why, std::uint64_t count, const net::tcp::endpoint& last) override;
  void strangers(const net::Tally::Told& told) override;
  void accept_failed(const net::error_code& why) override;

  std::unique_ptr<net::Server> server_;
};

/// Calls `stop` at the first SIGINT or SIGTERM; the second ends the process.
void stop_on_signals(boost::asio::signal_set& signals, std::function<void()> stop);

/// "listening on …" or its event; `what` is "link" or "alice". False: nobody could read it, and so the process ends.
[[nodiscard]] bool announce_listening(bool json, std::string_view what, const net::tcp::endpoint& where);

}  // namespace qsp::cli

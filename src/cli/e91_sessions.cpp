#include "cli/e91_sessions.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "cli/app.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "net/descriptor_limit.hpp"
#include "qsp/full_alert.hpp"
#include "text/escape.hpp"

namespace qsp::cli {
namespace {

/// Two stations need two sessions. The rest is for strangers: the more of them fit in, the longer a station whose first
/// message is on its way keeps its place among them.
constexpr net::Limits kLimits{.sessions = 128, .handshakes = 96, .handshakes_per_source = 48};

class Factory final : public net::SessionFactory {
 public:
  Factory(E91Sessions& sessions, e91::station::MessageHandler& handler, std::size_t most)
      : sessions_(sessions), handler_(handler), most_(most) {}

  Result<net::ConnectionPtr> make(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                  net::ConnectionOwner& owner) override {
    auto session = sessions_.make();
    if (!session) return std::unexpected(session.error());
    return net::ConnectionPtr(
        new e91::station::MessageSession(loop, std::move(socket), peer, std::move(*session), owner, handler_, most_));
  }
  [[nodiscard]] Bytes full_alert() const noexcept override { return qsp::full_alert(); }

 private:
  E91Sessions& sessions_;
  e91::station::MessageHandler& handler_;
  std::size_t most_;
};

}  // namespace

std::expected<E91Sessions, Refused> E91Sessions::load(const E91Identity& identity, Role role, const std::string& peer) {
  SessionOptions options;
  options.keys = {identity.key};
  options.passphrase_file = identity.passphrase_file;
  options.peers = identity.peers;
  options.peer = peer;
  options.signatures = {"ML-DSA-65"};
  auto setup = Setup::load(options, role);
  if (!setup) return std::unexpected(setup.error());
  auto sessions = (*setup)->sessions();
  if (!sessions) return std::unexpected(Refused{kFailed, sessions.error()});
  return E91Sessions(std::move(*setup), std::move(*sessions));
}

std::expected<std::unique_ptr<E91Server>, std::string> E91Server::open(const net::Address& listen,
                                                                       E91Sessions& sessions,
                                                                       e91::station::MessageHandler& handler,
                                                                       std::size_t most) {
  std::unique_ptr<E91Server> made(new E91Server);
  const auto factory = [&]() -> std::expected<std::unique_ptr<net::SessionFactory>, std::string> {
    return std::make_unique<Factory>(sessions, handler, most);
  };
  auto server = net::Server::open(
      {.listen = listen, .threads = 1, .limits = kLimits, .stop_timeout = std::chrono::milliseconds(1000)}, factory,
      *made);
  if (!server) return std::unexpected(server.error());
  made->server_ = std::move(*server);
  return made;
}

void E91Server::session_closed(const net::Connection& connection, const Closed& closed,
                               const net::error_code& transport) {
  if (!connection.established()) return;  // strangers() tells
  const std::string text = text::terminal_escape(closed.text);
  const bool clean = closed.reason == Reason::Normal;
  spdlog::log(clean ? spdlog::level::info : spdlog::level::warn, "session of {} closed{}: {}{}{}{}",
              net::to_string(connection.peer()), closed.by_peer ? " by the peer" : "", name(closed.reason),
              text.empty() ? "" : ": " + text, transport ? ", " : "", transport ? transport.message() : "");
}

void E91Server::refused(net::Refusal why, std::uint64_t count, const net::tcp::endpoint& last) {
  spdlog::warn("{} {} connections: {}; the last from {}", net::is_displacement(why) ? "closed" : "refused", count,
               net::describe(why), net::to_string(last));
}

void E91Server::strangers(const net::Tally::Told& told) {
  spdlog::warn("{} connection{} closed before {} a session: {}; the last of {}", told.count, told.count == 1 ? "" : "s",
               told.count == 1 ? "it was" : "they were", text::terminal_escape(told.kind), net::to_string(told.last));
}

void E91Server::accept_failed(const net::error_code& why) {
  spdlog::error("cannot accept connections: {}; trying again until it works (the limit is {} open files: ulimit -n)",
                why.message(), net::descriptor_limit());
}

void stop_on_signals(boost::asio::signal_set& signals, std::function<void()> stop) {
  signals.async_wait([&signals, stop = std::move(stop)](const net::error_code& cancelled, int) {
    if (cancelled) return;
    spdlog::info("stopping; a second signal stops at once");
    signals.async_wait([](const net::error_code& gone, int) {
      if (!gone) ::_exit(kFailed);
    });
    stop();
  });
}

bool announce_listening(bool json, std::string_view what, const net::tcp::endpoint& where) {
  if (json) {
    print_json({{"event", "listening"}, {"what", what}, {"address", net::to_string(where)}});
  } else {
    print_out("{}: listening on {}\n", what, net::to_string(where));
    flush_out();
  }
  return output_works();
}

}  // namespace qsp::cli

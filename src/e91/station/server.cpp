#include "e91/station/server.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "base/try.hpp"
#include "net/descriptor_limit.hpp"
#include "qsp/full_alert.hpp"
#include "text/escape.hpp"

namespace qsp::e91::station {
namespace {

/// Two stations need two sessions. The rest is for strangers: the more of them fit in, the longer a station whose first
/// message is on its way keeps its place among them.
constexpr net::Limits kLimits{.sessions = 128, .handshakes = 96, .handshakes_per_source = 48};

class Factory final : public net::SessionFactory {
 public:
  Factory(StationEnd& end, MessageHandler& handler, std::size_t most) : end_(end), handler_(handler), most_(most) {}

  Result<net::ConnectionPtr> make(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                  net::ConnectionOwner& owner) override {
    QSP_TRY(auto session, end_.make());
    return net::ConnectionPtr(
        new MessageSession(loop, std::move(socket), peer, std::move(session), owner, handler_, most_));
  }
  [[nodiscard]] Bytes full_alert() const noexcept override { return qsp::full_alert(); }

 private:
  StationEnd& end_;
  MessageHandler& handler_;
  std::size_t most_;
};

}  // namespace

std::expected<std::unique_ptr<StationServer>, std::string> StationServer::open(const net::Address& listen,
                                                                               StationEnd& end, MessageHandler& handler,
                                                                               std::size_t most) {
  std::unique_ptr<StationServer> made(new StationServer);
  const auto factory = [&]() -> std::expected<std::unique_ptr<net::SessionFactory>, std::string> {
    return std::make_unique<Factory>(end, handler, most);
  };
  QSP_TRY(auto server,
          net::Server::open(
              {.listen = listen, .threads = 1, .limits = kLimits, .stop_timeout = std::chrono::milliseconds(1000)},
              factory, *made));
  made->server_ = std::move(server);
  return made;
}

void StationServer::session_closed(const net::Connection& connection, const Closed& closed,
                                   const net::error_code& transport) {
  if (!connection.established()) return;  // strangers() tells
  const std::string said = text::terminal_escape(closed.text);
  const bool clean = closed.reason == Reason::Normal;
  spdlog::log(clean ? spdlog::level::info : spdlog::level::warn, "session of {} closed{}: {}{}{}{}",
              net::to_string(connection.peer()), closed.by_peer ? " by the peer" : "", name(closed.reason),
              said.empty() ? "" : ": " + said, transport ? ", " : "", transport ? transport.message() : "");
}

void StationServer::refused(net::Refusal why, std::uint64_t count, const net::tcp::endpoint& last) {
  spdlog::warn("{} {} connections: {}; the last from {}", net::is_displacement(why) ? "closed" : "refused", count,
               net::describe(why), net::to_string(last));
}

void StationServer::strangers(const net::Tally::Told& told) {
  spdlog::warn("{} connection{} closed before {} a session: {}; the last of {}", told.count, told.count == 1 ? "" : "s",
               told.count == 1 ? "it was" : "they were", text::terminal_escape(told.kind), net::to_string(told.last));
}

void StationServer::accept_failed(const net::error_code& why) {
  spdlog::error("cannot accept connections: {}; trying again until it works (the limit is {} open files: ulimit -n)",
                why.message(), net::descriptor_limit());
}

}  // namespace qsp::e91::station

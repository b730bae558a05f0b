#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "e91/station/end.hpp"
#include "e91/station/message_session.hpp"
#include "net/server.hpp"

namespace qsp::e91::station {

/// A server on one thread whose sessions bring messages to a handler.
class StationServer final : private net::ServerEvents {
 public:
  /// A message has at most `most` bytes. References outlive the server. The error is one line.
  static std::expected<std::unique_ptr<StationServer>, std::string> open(const net::Address& listen, StationEnd& end,
                                                                         MessageHandler& handler, std::size_t most);
  StationServer(const StationServer&) = delete;
  StationServer& operator=(const StationServer&) = delete;
  ~StationServer() override = default;

  [[nodiscard]] net::Server& server() noexcept { return *server_; }

 private:
  StationServer() = default;

  void session_established(const net::Connection&) override {}
  void session_rekeyed(const net::Connection&) override {}
  void session_closed(const net::Connection& connection, const Closed& closed,
                      const net::error_code& transport) override;
  void refused(net::Refusal why, std::uint64_t count, const net::tcp::endpoint& last) override;
  void strangers(const net::Tally::Told& told) override;
  void accept_failed(const net::error_code& why) override;

  std::unique_ptr<net::Server> server_;
};

}  // namespace qsp::e91::station

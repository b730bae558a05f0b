#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/pipe.hpp"
#include "qsp/channel.hpp"

namespace qsp::cli {

/// How a session of a PipeClient went.
struct PipeClientReport {
  std::optional<Closed> closed;
  std::string transport;
  bool established = false;
  net::Traffic traffic;
  std::optional<ChannelStatus> status;
  bool may_redial_without_qkd = false;
};

/// Carries standard input to the peer and the peer's data to standard output.
class PipeClient final : public net::PipeSession, private net::ConnectionOwner {
 public:
  /// `report` is complete once the loop has nothing left to do.
  PipeClient(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
             std::chrono::nanoseconds stall_limit, PipeClientReport& report)
      : PipeSession(loop, std::move(socket), peer, std::move(endpoint), *this, stall_limit), report_(report) {}

  /// Called once, when the socket is closed; output may still be on its way.
  void when_finished(std::function<void()> finished) { finished_callback_ = std::move(finished); }

 private:
  void handle_established() override;
  void handle_epoch(std::uint32_t) override;
  void connection_established(net::Connection&) override {}
  void connection_rekeyed(net::Connection&) override {}
  void connection_closed(net::Connection& connection, const Closed& closed, const net::error_code& transport) override;
  void connection_finished(net::Connection& connection) override;

  PipeClientReport& report_;
  std::function<void()> finished_callback_;
};

}  // namespace qsp::cli

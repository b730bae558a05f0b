#pragma once

#include "net/pumped_connection.hpp"

namespace qsp::node {

/// Carries what comes from one descriptor to the peer, and the peer's data to another. The second is closed once all of
/// that data is written, so that who reads there sees its end: net::Pump::Report::output_closed tells. Otherwise both
/// stay open, and the caller's.
class PipeClient final : public net::PumpedConnection {
 public:
  struct Ends {
    int input;
    int output;
  };

  PipeClient(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
             net::ConnectionOwner& owner, std::chrono::nanoseconds stall_limit, const Ends& ends)
      : PumpedConnection(loop, std::move(socket), peer, std::move(endpoint), owner, stall_limit), ends_(ends) {}

 private:
  void handle_established() override {
    const auto attached = attach(net::PipeEnds(net::PipeEnds::Kind::Standard, ends_.input, ends_.output));
    if (!attached) give_up(Reason::InternalError, attached.error());
  }

  Ends ends_;
};

}  // namespace qsp::node

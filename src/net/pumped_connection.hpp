#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "net/connection.hpp"
#include "net/pump.hpp"

namespace qsp::net {

/// A connection whose application is a pump: the session's bytes go to and come from two descriptors here.
class PumpedConnection : public Connection {
 public:
  /// `stall_limit`: see Pump.
  PumpedConnection(Loop& loop, Socket&& socket, const tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
                   ConnectionOwner& owner, std::chrono::nanoseconds stall_limit)
      : Connection(loop, std::move(socket), peer, std::move(endpoint), owner), pump_(loop, *this, stall_limit) {}

  [[nodiscard]] const Pump::Report& report() const noexcept { return pump_.report(); }

 protected:
  [[nodiscard]] Pump& pump() noexcept { return pump_; }
  /// See Pump.
  Result<void, std::string> attach(PipeEnds&& ends) { return pump_.attach(std::move(ends)); }
  void give_up(Reason reason, const std::string& why) { pump_.give_up(reason, why); }
  void handle_finished() override { pump_.carrier_finished(); }

 private:
  void handle_data(const AppData& data) override { pump_.take(data.data, data.end); }
  void handle_data_over() override { pump_.all_taken(); }
  void produce() override { pump_.fill(); }
  [[nodiscard]] bool wants_input() const override { return pump_.wants_more(); }
  [[nodiscard]] std::optional<Instant> deadline() const override { return pump_.deadline(); }
  void handle_deadline() override { close(Reason::Timeout, "the application does not read"); }

  Pump pump_;
};

}  // namespace qsp::net

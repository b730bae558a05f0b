#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "net/connection.hpp"
#include "net/foreign.hpp"
#include "net/pump.hpp"
#include "node/echo_client.hpp"
#include "qsp/channel.hpp"

namespace qsp::node {

/// How one dial went, from resolving the name to the end of the session.
struct DialReport {
  bool without_qkd = false;  ///< it was the one dial of SPEC §5.9
  std::string before{};      ///< why the dial before it had to be repeated; empty where there was none
  std::string failure{};     ///< why there was no connection, or nothing to put on it; else empty
  bool connected = false;    ///< to an address of the target; what follows is of this connection
  bool established = false;  ///< it became a session
  bool interrupted = false;  ///< by this end, as its user wished
  bool out_of_time = false;  ///< its handshake was ended when the time for dialling was over
  bool cut_off = false;      ///< the peer's stream ended before the session did
  bool heard_anything = false;
  bool asked_for_key = false;  ///< of a QKD link
  bool may_redial_without_qkd = false;
  std::optional<Closed> closed{};
  std::string transport{};                ///< why the stream ended, where the system said so; else empty
  std::optional<net::Foreign> foreign{};  ///< what answered instead of QSP
  std::string stranger{};  ///< an identity that was presented and is not the one dialled, with what to do; else empty
  std::optional<ChannelStatus> status{};  ///< of QSP 1.0, when it ended
  std::uint32_t epoch = 0;                ///< the last one; 0: never established
  net::Traffic traffic{};
  std::chrono::nanoseconds elapsed{};  ///< of the session
  EchoReport echo{};                   ///< where the echo was checked
  net::Pump::Report pipe{};            ///< where a pipe was carried

  /// Whether the server said that it has no room (SPEC §5.8). It takes from a budget of QKD keys only once this end has
  /// named a key; from then on LIMIT is taken for a spent budget, which is waited for longer.
  [[nodiscard]] bool server_is_full() const noexcept;
  /// Whether a budget of QKD keys, this end's or the server's, is spent.
  [[nodiscard]] bool budget_is_spent() const noexcept;
};

}  // namespace qsp::node

#pragma once

#include <boost/asio/signal_set.hpp>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "cli/refused.hpp"
#include "e91/station/server.hpp"

/// What the processes of a simulated link have in common: who they are, when they stop, what they say first.
namespace qsp::cli {

/// `peer`: a client's, by its pinned name.
std::expected<e91::station::StationEnd, Refused> load_station(const e91::station::StationIdentity& identity, Role role,
                                                              const std::string& peer = {});

/// Calls `stop` at the first SIGINT or SIGTERM; the second ends the process.
void stop_on_signals(boost::asio::signal_set& signals, std::function<void()> stop);

/// "listening on …" or its event; `what` is "link" or "alice". False: nobody could read it, and so the process ends.
[[nodiscard]] bool announce_listening(bool json, std::string_view what, const net::tcp::endpoint& where);

}  // namespace qsp::cli

#include "cli/e91_service.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <utility>

#include "cli/app.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "cli/session_options.hpp"
#include "cli/setting_names.hpp"

namespace qsp::cli {

std::expected<e91::station::StationEnd, Refused> load_station(const e91::station::StationIdentity& identity, Role role,
                                                              const std::string& peer) {
  auto end = e91::station::StationEnd::load(identity, role, peer, option_name, ask_passphrase);
  if (!end) return refuse(std::move(end.error()));
  return std::move(*end);
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

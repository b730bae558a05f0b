#include <fmt/format.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <optional>
#include <string_view>

#include "cli/app.hpp"
#include "cli/e91/processes.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "cli/refused.hpp"
#include "cli/signals.hpp"
#include "cli/text.hpp"
#include "e91/station/block_log.hpp"

namespace qsp::cli {
namespace {

/// With --json each block is a line on standard output.
class Told final : public e91::station::ProcessEvents {
 public:
  explicit Told(bool json) noexcept : json_(json) {}
  void warning(const std::string& text) override { print_warning(text); }
  void block(const e91::post::BlockReport& report, std::size_t keys) override {
    if (json_) print_json(e91::station::block_event(report, keys));
  }

 private:
  bool json_;
};

/// "listening on …" or its event; `what` is "link" or "alice". False: nobody could read it, and so the process ends.
[[nodiscard]] bool announce_listening(bool json, std::string_view what, const net::tcp::endpoint& where) {
  const std::string address = net::to_string(where);
  print_result(json, {{"event", "listening"}, {"what", what}, {"address", address}},
               fmt::format("{}: listening on {}\n", what, address));
  return output_works();
}

}  // namespace

int run_e91_link(const e91::station::LinkProcessConfig& config, bool json) {
  Told told(json);
  const auto link = e91::station::LinkProcess::open(config, told);
  if (!link) return failed(link.error().text, exit_code(link.error().why));
  boost::asio::signal_set signals((*link)->loop().io(), SIGINT, SIGTERM);
  stop_on_signals(signals, [&link] { (*link)->stop(); });
  if (!announce_listening(json, "link", (*link)->listening())) return kFailed;
  const auto ran = (*link)->run();
  return ran ? kOk : failed(ran.error());
}

int run_e91_station(const e91::station::StationProcessConfig& config, bool json) {
  Told told(json);
  const auto station = e91::station::StationProcess::open(config, told);
  if (!station) return failed(station.error().text, exit_code(station.error().why));
  boost::asio::signal_set signals((*station)->loop().io(), SIGINT, SIGTERM);
  stop_on_signals(signals, [&station] { (*station)->stop(); });
  (*station)->start();
  const auto listening = (*station)->listening();
  if (listening && !announce_listening(json, "alice", *listening)) return kFailed;
  const auto ran = (*station)->run();
  return ran ? kOk : failed(ran.error());
}

int run_e91_feed(const e91::station::FeedProcessConfig& config, bool json) {
  Told told(json);
  const auto feed = e91::station::FeedProcess::open(config, told);
  if (!feed) return failed(feed.error().text, exit_code(feed.error().why));
  boost::asio::signal_set signals((*feed)->loop().io(), SIGINT, SIGTERM);
  stop_on_signals(signals, [&feed] { (*feed)->stop(); });
  (*feed)->run();
  return kOk;
}

}  // namespace qsp::cli

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/try.hpp"
#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/session/node_log.hpp"
#include "cli/session/options.hpp"
#include "cli/signals.hpp"
#include "cli/text.hpp"
#include "net/descriptor_limit.hpp"
#include "node/event_log.hpp"

namespace qsp::cli {
namespace {

constexpr int kMostConnections = 1'000'000;

struct ServeOptions {
  std::string listen = "127.0.0.1";
  SessionOptions session;
  std::uint64_t rekey_after = 0;
  std::string command;  ///< --exec
  std::string forward;  ///< --forward, as typed
  std::optional<std::uint16_t> metrics_port;
  double max_silence = 3;  ///< seconds
  std::size_t threads = 1;
  net::Limits limits;
};

/// A node's configuration, from the options; and what is refused of them.
std::expected<node::NodeConfig, Refused> node_config(const ServeOptions& options) {
  QSP_TRY(auto end, end_config(options.session, Role::Server));
  node::NodeConfig config{.end = std::move(end),
                          .application = node::EchoData{options.rekey_after},
                          .threads = options.threads,
                          .limits = options.limits,
                          .max_silence = from_seconds(options.max_silence),
                          .metrics_port = options.metrics_port};
  if (!options.command.empty()) config.application = node::RunCommand{options.command};
  if (!options.forward.empty()) {
    const auto target = net::parse_address(options.forward);
    if (!target) return refuse_usage(target.error());
    config.application = node::ForwardTo{*target};
  }
  const auto listen = net::parse_address(options.listen);
  if (!listen) return refuse_usage(listen.error());
  config.listen = *listen;
  return config;
}

class ServeLog final : public node::EventLog {
 public:
  explicit ServeLog(bool json) : EventLog(write_log, json ? EventSink(print_json) : EventSink()) {}
  /// `action` is called where the node has stopped serving. Set it before that.
  void when_sessions_over(std::function<void()> action) { when_over_ = std::move(action); }

  void warning(const std::string& text) override { print_warning(text); }
  void sessions_over() override {
    if (when_over_) when_over_();
  }

 private:
  std::function<void()> when_over_;
};

void reload_on_hangup(boost::asio::signal_set& hangup, node::Node& node) {
  hangup.async_wait([&hangup, &node](const net::error_code& cancelled, int) {
    if (cancelled) return;
    node.reload();
    reload_on_hangup(hangup, node);
  });
}

int serve(const ServeOptions& options, bool json) {
  const auto config = node_config(options);
  if (!config) return failed(config.error().text, config.error().code);
  // A process that --exec runs would inherit it, and some take long to close what they do not have.
  if (options.command.empty()) net::raise_descriptor_limit();
  ServeLog log(json);
  const auto opened = node::Node::open(*config, log);
  if (!opened) return failed(opened.error().text, exit_code(opened.error().why));
  node::Node& node = **opened;
  boost::asio::signal_set signals(node.loop().io(), SIGINT, SIGTERM);
  stop_on_signals(signals, [&node] { node.stop(); }, [&node] { node.kill_commands(); });
  boost::asio::signal_set hangup(node.loop().io(), SIGHUP);
  reload_on_hangup(hangup, node);
  const node::NodeStatus status = node.status();
  const std::string address = net::to_string(status.address);
  print_result(json, {{"event", "listening"}, {"address", address}, {"profile", status.profile}},
               fmt::format("listening on {}\n", address));
  if (!output_works()) return kFailed;
  // Nobody waits for signals any more: the next one ends this process, and the guard kills what is left at once.
  if (!options.command.empty()) {
    log.when_sessions_over([&signals] {
      net::error_code ignored;
      signals.clear(ignored);
    });
  }
  const auto ran = node.run();
  if (!ran) return failed(ran.error());
  const std::size_t left = node.cut_off();
  if (left != 0) spdlog::warn("{} sessions did not end in time and were cut off", left);
  if (json) print_json({{"event", "stopped"}, {"cut_off", left}});
  return kOk;
}

}  // namespace

void add_serve(Command& app, Context& context) {
  Command* const verb = app.add_subcommand("serve", "accept sessions: echo, run a command, or forward to a TCP server");
  const auto options = options_of<ServeOptions>(*verb, context, serve);
  verb->add_option("--listen", options->listen,
                   "HOST:PORT to listen on; without a port: 7155; port 0: the system chooses one")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  add_session_options(*verb, Role::Server, options->session);
  auto* const exec = verb->add_option("--exec", options->command,
                                      "run this shell command for each session, on its data; QSP_PEER names the peer")
                         ->type_name("COMMAND");
  verb->add_option("--forward", options->forward, "carry each session to this TCP server")
      ->type_name("HOST:PORT")
      ->excludes(exec);
  verb->add_option("--rekey-after", options->rekey_after,
                   "rekey after this many data frames of an epoch, counting both directions; 0: never")
      ->capture_default_str();
  verb->add_checked("--max-sessions", options->limits.sessions, "connections at once", range(1, kMostConnections));
  verb->add_checked("--max-handshakes", options->limits.handshakes, "unfinished handshakes at once",
                    range(1, kMostConnections));
  verb->add_checked("--max-handshakes-per-source", options->limits.handshakes_per_source,
                    "unfinished handshakes at once from one IPv4 address or IPv6 /64", range(1, kMostConnections));
  verb->add_option("--max-silence", options->max_silence, "how long a new connection may take for its CLIENT_HELLO")
      ->check(is_time(std::chrono::milliseconds(1), std::chrono::hours(24)))
      ->type_name("TIME")
      ->default_str("3s");
  verb->add_option("--metrics-port", options->metrics_port,
                   "port of 127.0.0.1 for GET /metrics (Prometheus) and /healthz")
      ->check(range(1, 65'535));
  verb->add_checked("--threads", options->threads, "threads that share the sessions", range(1, 256));
  set_help(
      *verb,
      {.notes = fmt::format(
           "Echoes what clients send, or does what --exec or --forward says. Prints \"listening on ADDRESS:PORT\"\n"
           "and serves until SIGINT or SIGTERM. qsp version lists the algorithms.\n"
           "SIGHUP reads --key, --passphrase-file and --peers again. If one of them cannot be used, nothing changes;\n"
           "else sessions whose peer is no longer allowed are closed. When its session is over, a command of --exec\n"
           "gets SIGTERM and, 5 s later, SIGKILL, with all that it started in its process group.\n\n"
           "{}",
           kBudgetHelp),
       .examples =
           {"qsp serve --key bob.key --peers peers.toml",
            "qsp serve --key bob.key --peers peers.toml --forward localhost:5432",
            "qsp serve --key bob.key --peers peers.toml --qkd required --sae-id SAE-bob --pad SAE-alice=bob.pad",
            "qsp serve --key bob.key --peers peers.toml --exec 'tar x -C /srv/in'",
            "qsp serve --listen 0.0.0.0:7155 --profile rc155 --insecure --rekey-after 1000 --threads 2",
            "qsp serve --listen 127.0.0.1:0 --profile rc155 --insecure --json"},
       .done = "ended by a signal",
       .failed = "did not start, or events could not be written: one line on standard error says why"});
}

}  // namespace qsp::cli

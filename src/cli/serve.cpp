#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/app.hpp"
#include "cli/close_text.hpp"
#include "cli/command.hpp"
#include "cli/epoch_text.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/qkd_budget.hpp"
#include "cli/reload.hpp"
#include "cli/serve_metrics.hpp"
#include "cli/served.hpp"
#include "cli/sessions.hpp"
#include "cli/text.hpp"
#include "net/application.hpp"
#include "net/descriptor_limit.hpp"
#include "net/echo.hpp"
#include "net/server.hpp"
#include "text/escape.hpp"

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
  net::ServerOptions server;
};

/// Files that a session may have open at once.
std::size_t descriptors_per_session(const Application& application) {
  if (application.forward) return net::ForwardSession::kDescriptors;
  return application.command.empty() ? net::EchoSession::kDescriptors : net::ExecSession::kDescriptors;
}

/// Writes the log, and with --json the same events as lines of JSON; counts them for the metrics.
class ServeLog final : public net::ServerEvents {
 public:
  ServeLog(const Setup& setup, bool json, ServeMetrics& metrics) : setup_(setup), json_(json), metrics_(metrics) {}

  void session_established(const net::Connection& connection) override {
    const ChannelStatus status = connection.endpoint().status();
    spdlog::info("session {} of {} established{}{}", id(connection), net::to_string(connection.peer()),
                 status.secure ? ": " : "", status.secure ? cli::describe(status) : "");
    warn_without_qkd(connection);
    metrics_.established(status);
    if (json_) print_json(describe("established", connection));
  }

  void session_rekeyed(const net::Connection& connection) override {
    spdlog::debug("session {} sends in epoch {}", id(connection), connection.endpoint().epoch());
    metrics_.epoch(connection.endpoint().status());
    tell_epochs(connection, false);
    warn_without_qkd(connection);
    if (json_) print_json(describe("rekeyed", connection));
  }

  void session_closed(const net::Connection& connection, const Closed& closed,
                      const net::error_code& transport) override {
    const bool clean = closed.reason == Reason::Normal && !closed.truncated;
    metrics_.closed(closed.reason, connection.established(), connection.traffic().received_bytes,
                    connection.traffic().sent_bytes);
    if (!connection.established()) return;  // strangers() tells
    tell_epochs(connection, true);
    spdlog::log(clean ? spdlog::level::info : spdlog::level::warn, "session {} of {} {}{}; {} bytes in, {} out",
                id(connection), net::to_string(connection.peer()), how(connection, closed),
                transport ? ", " + transport.message() : "", connection.traffic().received_bytes,
                connection.traffic().sent_bytes);
    if (!json_) return;
    boost::json::object event = describe("closed", connection);
    event["established"] = connection.established();
    event["reason"] = name(closed.reason);
    event["text"] = text::terminal_escape(closed.text);
    event["by_peer"] = closed.by_peer;
    event["truncated"] = closed.truncated;
    event["received_bytes"] = connection.traffic().received_bytes;
    event["sent_bytes"] = connection.traffic().sent_bytes;
    print_json(event);
  }

  void refused(net::Refusal why, std::uint64_t count, const net::tcp::endpoint& last) override {
    const bool displaced = net::is_displacement(why);
    spdlog::warn("{} {} connection{}{}: {}; the last from {}", displaced ? "closed" : "refused", count,
                 count == 1 ? "" : "s", displaced ? " for others" : "", net::describe(why), net::to_string(last));
    if (json_) {
      print_json(
          {{"event", "refused"}, {"why", net::describe(why)}, {"count", count}, {"address", net::to_string(last)}});
    }
  }

  void turned_away(net::Refusal why) override { net::is_displacement(why) ? metrics_.displaced() : metrics_.refused(); }

  void strangers(const net::Tally::Told& told) override {
    if (told.count == 1) {
      spdlog::warn("connection of {} closed before it was a session: {}{}", net::to_string(told.last),
                   text::terminal_escape(told.kind), told.detail);
    } else {
      spdlog::warn("{} more connections closed before they were sessions: {}; the last of {}{}", told.count,
                   text::terminal_escape(told.kind), net::to_string(told.last), told.detail);
    }
    if (json_) {
      print_json({{"event", "strangers"},
                  {"why", text::terminal_escape(told.kind) + told.detail},
                  {"count", told.count},
                  {"address", net::to_string(told.last)}});
    }
  }

  /// Who called and was refused, as far as that is known: here alone (SPEC §5.8).
  [[nodiscard]] std::string caller(const net::Connection& connection) const override {
    const auto presented = connection.endpoint().presented();
    return presented ? ", " + setup_.describe_stranger(*presented) : std::string();
  }

  void accept_failed(const net::error_code& why) override {
    spdlog::error("cannot accept connections: {}; trying again until it works (the limit is {} open files: ulimit -n)",
                  why.message(), net::descriptor_limit());
    if (json_) print_json({{"event", "accept_failed"}, {"why", why.message()}});
  }

 private:
  static std::string id(const net::Connection& connection) {
    return fmt::format("{:016x}", connection.endpoint().session_id());
  }
  /// Each epoch once, when it is over.
  static void tell_epochs(const net::Connection& connection, bool ended) {
    const ChannelStatus status = connection.endpoint().status();
    if (!status.secure || !connection.established()) return;
    for (const EpochStatus& epoch : epochs_over(status, ended)) {
      spdlog::info("session {} {}", id(connection), cli::describe(epoch));
    }
  }
  /// In the words of a log: a peer that was killed broke no protocol.
  static std::string how(const net::Connection& connection, const Closed& closed) {
    if (connection.cut_off() && connection.established()) {
      const bool genuine = connection.endpoint().status().secure;
      return fmt::format("closed: connection lost, what came is {}{}", genuine ? "genuine " : "",
                         closed.truncated ? (genuine ? "but incomplete (truncated)" : "incomplete (truncated)")
                                          : (genuine ? "and complete" : "complete"));
    }
    return fmt::format("closed{}: {}{}", closed.by_peer ? " by the peer" : "", close_text(closed),
                       closed.truncated ? ", truncated" : "");
  }
  /// A "preferred" session that runs without QKD says so in every epoch.
  static void warn_without_qkd(const net::Connection& connection) {
    const ChannelStatus status = connection.endpoint().status();
    if (status.without_qkd) spdlog::warn("session {} {}", id(connection), cli::without_qkd_warning(status));
  }
  /// An established session's event also says whose it is and what is in the keys of its epoch.
  static boost::json::object describe(std::string_view event, const net::Connection& connection) {
    boost::json::object object{
        {"event", event}, {"session_id", id(connection)}, {"address", net::to_string(connection.peer())}};
    if (connection.established()) object["epoch"] = connection.endpoint().epoch();
    const ChannelStatus status = connection.endpoint().status();
    if (!status.secure || !connection.established()) return object;
    object["peer"] = status.peer;
    object["name"] = status.peer;  // what "peer" was called before; goes with the next version
    object["kem_key"] = status.current.kem;
    object["key_id"] = status.current.key_id ? boost::json::value(*status.current.key_id) : boost::json::value(nullptr);
    return object;
  }

  const Setup& setup_;
  bool json_;
  ServeMetrics& metrics_;
};

void tell_of_reload(bool json, const std::expected<Reloader::Done, std::string>& done) {
  if (!done) {
    spdlog::error("reload failed, and everything stays as it was: {}", done.error());
    if (json) print_json({{"event", "reload_failed"}, {"why", done.error()}});
    return;
  }
  spdlog::info("reloaded: {}; {} session{} closed", done->changes, done->closed, done->closed == 1 ? "" : "s");
  if (json) print_json({{"event", "reloaded"}, {"changes", done->changes}, {"closed", done->closed}});
}

void reload_on_hangup(boost::asio::signal_set& hangup, Reloader& reloader) {
  hangup.async_wait([&hangup, &reloader](const net::error_code& cancelled, int) {
    if (cancelled) return;
    reloader.reload();
    reload_on_hangup(hangup, reloader);
  });
}

void announce(const Context& context, const Profile& profile, const net::tcp::endpoint& where) {
  if (context.json) {
    print_json({{"event", "listening"}, {"address", net::to_string(where)}, {"profile", profile.name}});
  } else {
    print_out("listening on {}\n", net::to_string(where));
    flush_out();
  }
}

/// The first signal stops the server in good order, the second ends the process.
void stop_on_signals(boost::asio::signal_set& signals, net::Server& server, https::Server* scraped,
                     net::ProcessGroups* groups) {
  signals.async_wait([&signals, &server, scraped, groups](const net::error_code& cancelled, int) {
    if (cancelled) return;
    spdlog::info("stopping; a second signal stops at once");
    server.stop();
    if (scraped != nullptr) scraped->stop(std::chrono::nanoseconds(0));
    signals.async_wait([groups](const net::error_code& gone, int) {
      if (gone) return;
      if (groups != nullptr) groups->kill_all();
      ::_exit(kFailed);
    });
  });
}

int serve(const Context& context, ServeOptions options) {
  const auto usage = [](std::string_view text) {
    print_error(text);
    return kUsage;
  };
  std::unique_ptr<net::ProcessGroups> groups;
  if (!options.command.empty()) {
    auto started = net::ProcessGroups::start();
    if (!started) {
      print_error(started.error());
      return kFailed;
    }
    groups = *std::move(started);
  }
  const auto setup = Setup::load(options.session, Role::Server);
  if (!setup) {
    print_error(setup.error().text);
    return setup.error().code;
  }
  Application application{.rekey_after = options.rekey_after,
                          .command = options.command,
                          .forward = std::nullopt,
                          .groups = std::move(groups)};
  if (!options.forward.empty()) {
    const auto target = net::parse_address(options.forward);
    if (!target) return usage(target.error());
    application.forward = *target;
  }
  if (!(*setup)->profile().half_close && (application.forward || !application.command.empty())) {
    return usage("--exec and --forward need profile 1.0: rc155 cannot say that data is complete");
  }
  const auto listen = net::parse_address(options.listen);
  if (!listen) return usage(listen.error());
  options.server.listen = *listen;
  options.server.first_frame_timeout =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(options.max_silence));

  const auto failed = [](std::string_view text) {
    print_error(text);
    return kFailed;
  };
  std::vector<ReloadableFactory*> factories;  // of the server's threads
  const auto make_factory = [&]() -> std::expected<std::unique_ptr<net::SessionFactory>, std::string> {
    auto sessions = (*setup)->sessions();
    if (!sessions) return std::unexpected(sessions.error());
    auto factory = std::make_unique<ServedFactory>(**setup, std::move(*sessions), application);
    factories.push_back(factory.get());
    return factory;
  };
  // A process that --exec runs would inherit it, and some take long to close what they do not have.
  if (application.command.empty()) net::raise_descriptor_limit();
  options.server.descriptors_per_session = descriptors_per_session(application);
  ServeMetrics metrics(**setup);
  ServeLog log(**setup, context.json, metrics);
  const auto server = net::Server::open(options.server, make_factory, log);
  if (!server) return failed(server.error());

  std::unique_ptr<https::Server> scraped;
  if (options.metrics_port) {
    https::ServerOptions local;
    local.port = *options.metrics_port;
    local.max_connections = 16;
    local.report = [](const std::string& line) { spdlog::error("--metrics-port: {}", line); };
    auto opened = https::Server::open((*server)->loop(), local, metrics);
    if (!opened) return failed("--metrics-port: " + opened.error());
    scraped = *std::move(opened);
  }
  boost::asio::signal_set signals((*server)->loop().io(), SIGINT, SIGTERM);
  stop_on_signals(signals, **server, scraped.get(), application.groups.get());
  Reloader reloader(**setup, (*server)->loop(), factories,
                    [json = context.json](const auto& done) { tell_of_reload(json, done); });
  boost::asio::signal_set hangup((*server)->loop().io(), SIGHUP);
  reload_on_hangup(hangup, reloader);
  announce(context, (*setup)->profile(), (*server)->local_endpoint());
  if (!output_works()) return kFailed;
  const auto ran = (*server)->run();
  (*setup)->stop_keys();
  if (application.groups) {
    // Nobody waits for signals any more: the next one ends this process, and the guard kills what is left at once.
    net::error_code ignored;
    signals.clear(ignored);
    application.groups->end_all();
  }
  if (!ran) return failed(ran.error());
  const std::size_t left = (*server)->sessions();
  if (left != 0) spdlog::warn("{} sessions did not end in time and were cut off", left);
  if (context.json) print_json({{"event", "stopped"}, {"cut_off", left}});
  return kOk;
}

}  // namespace

void add_serve(Command& app, Context& context) {
  Command* const verb = app.add_subcommand("serve", "accept sessions: echo, run a command, or forward to a TCP server");
  const auto options = std::make_shared<ServeOptions>();
  verb->add_option("--listen", options->listen,
                   "HOST:PORT to listen on; no port: 7155, port 0: one that the system chooses")
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
                   "new keys after so many data frames of an epoch, both directions counted; 0: never")
      ->capture_default_str();
  verb->add_option("--max-sessions", options->server.limits.sessions, "connections at once")
      ->capture_default_str()
      ->check(range(1, kMostConnections));
  verb->add_option("--max-handshakes", options->server.limits.handshakes, "unfinished handshakes at once")
      ->capture_default_str()
      ->check(range(1, kMostConnections));
  verb->add_option("--max-handshakes-per-source", options->server.limits.handshakes_per_source,
                   "unfinished handshakes at once from one IPv4 address or IPv6 /64")
      ->capture_default_str()
      ->check(range(1, kMostConnections));
  verb->add_option("--max-silence", options->max_silence, "how long a new connection may take for its CLIENT_HELLO")
      ->check(is_time(std::chrono::milliseconds(1), std::chrono::hours(24)))
      ->type_name("TIME")
      ->default_str("3s");
  verb->add_option("--metrics-port", options->metrics_port,
                   "port of 127.0.0.1 for GET /metrics (Prometheus) and /healthz")
      ->check(range(1, 65'535));
  verb->add_option("--threads", options->server.threads, "threads that share the sessions")
      ->capture_default_str()
      ->check(range(1, 256));
  set_help(
      *verb,
      {.notes = fmt::format(
           "Echoes what clients send, or does what --exec or --forward says. Prints \"listening on ADDRESS:PORT\"\n"
           "and serves until SIGINT or SIGTERM. qsp version lists the algorithms.\n"
           "SIGHUP reads --key, --passphrase-file and --peers anew, all or nothing, and closes the sessions of peers\n"
           "that may not go on. A command of --exec whose session is over gets SIGTERM, and SIGKILL 5 s later, with "
           "all\n"
           "that it started in its process group.\n\n"
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
  verb->callback([options, &context] { context.action = [options, &context] { return serve(context, *options); }; });
}

}  // namespace qsp::cli

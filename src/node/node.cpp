#include "node/node.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <system_error>
#include <utility>

#include "base/try.hpp"
#include "node/broken_pipe.hpp"

namespace qsp::node {

/// Counts what the server tells, and passes it on.
class Node::Watch final : public net::ServerEvents {
 public:
  Watch(const LocalEnd& end, Metrics& metrics, NodeEvents& events) : end_(end), metrics_(metrics), events_(events) {}

 private:
  void session_established(const net::Connection& connection) override {
    const SessionView view = view_of(connection);
    metrics_.established(view.status ? &*view.status : nullptr);
    events_.established(view);
  }
  void session_rekeyed(const net::Connection& connection) override {
    const SessionView view = view_of(connection);
    if (view.status) metrics_.epoch(*view.status);
    events_.rekeyed(view);
  }
  void session_closed(const net::Connection& connection, const Closed& closed,
                      const net::error_code& transport) override {
    metrics_.closed(closed.reason, connection.established(), connection.traffic().received_bytes,
                    connection.traffic().sent_bytes);
    if (!connection.established()) return;  // strangers() tells
    events_.closed(view_of(connection), closed, transport ? transport.message() : std::string());
  }
  void refused(net::Refusal why, std::uint64_t count, const net::tcp::endpoint& last) override {
    events_.refused(why, count, last);
  }
  void turned_away(net::Refusal why) override { net::is_displacement(why) ? metrics_.displaced() : metrics_.refused(); }
  void strangers(const net::Tally::Told& told) override { events_.strangers(told); }
  /// Which peer called and was refused, as far as that is known. Only this end learns it (SPEC §5.8).
  [[nodiscard]] std::string caller(const net::Connection& connection) const override {
    const auto presented = connection.endpoint().presented();
    return presented ? ", " + end_.describe_stranger(*presented) : std::string();
  }
  void accept_failed(const net::error_code& why) override { events_.accept_failed(why.message()); }

  const LocalEnd& end_;
  Metrics& metrics_;
  NodeEvents& events_;
};

Node::Node(const NodeConfig& config, NodeEvents& events)
    : config_(config),
      events_(events),
      log_([&events](Level level, const std::string& line) { events.log(level, line); }) {}

Node::~Node() {
  if (!thread_.joinable()) return;
  stop();
  thread_.join();
}

std::expected<std::unique_ptr<Node>, Refused> Node::open(const NodeConfig& config, NodeEvents& events) {
  std::unique_ptr<Node> node(new Node(config, events));
  QSP_TRY(node->read_end());
  QSP_TRY(node->listen());
  QSP_TRY(node->serve_metrics());
  return node;
}

std::expected<void, Refused> Node::read_end() {
  if (std::holds_alternative<RunCommand>(config_.application)) {
    if (!survives_broken_pipe()) {
      return refuse("this process has to ignore SIGPIPE: a command that no longer reads would end it");
    }
    auto started = net::ProcessGroups::start();
    if (!started) return refuse(std::move(started.error()));
    groups_ = *std::move(started);
  }
  QSP_TRY(auto end, LocalEnd::load(config_.end, Role::Server, log_));
  end_ = std::move(end);
  for (const std::string& warning : end_->warnings()) events_.warning(warning);
  if (!end_->profile().half_close && !std::holds_alternative<EchoData>(config_.application)) {
    return refuse_config(fmt::format("{} and {} need profile 1.0: rc155 cannot say that data is complete",
                                     config_.end.name(Setting::RunCommand), config_.end.name(Setting::ForwardTo)));
  }
  return {};
}

std::expected<void, Refused> Node::listen() {
  std::vector<ConnectionFactory*> factories;  // of the server's threads
  const auto make_factory = [&]() -> std::expected<std::unique_ptr<net::SessionFactory>, std::string> {
    QSP_TRY(auto endpoints, end_->endpoints());
    auto factory =
        std::make_unique<ConnectionFactory>(*end_, std::move(endpoints), config_.application, groups_.get(), log_);
    factories.push_back(factory.get());
    return factory;
  };
  metrics_ = std::make_unique<Metrics>(*end_);
  watch_ = std::make_unique<Watch>(*end_, *metrics_, events_);
  auto server = net::Server::open({.listen = config_.listen,
                                   .threads = config_.threads,
                                   .limits = config_.limits,
                                   .first_frame_timeout = config_.max_silence,
                                   .descriptors_per_session = descriptors_per_session(config_.application),
                                   .stop_timeout = config_.stop_timeout},
                                  make_factory, *watch_);
  if (!server) return refuse(std::move(server.error()));
  server_ = *std::move(server);
  address_ = server_->local_endpoint();
  reloader_ = std::make_unique<Reloader>(*end_, server_->loop(), std::move(factories),
                                         [this](const auto& done) { events_.reloaded(done); });
  return {};
}

std::expected<void, Refused> Node::serve_metrics() {
  if (!config_.metrics_port) return {};
  const std::string_view what = config_.end.name(Setting::MetricsPort);
  https::HttpServerOptions local;
  local.port = *config_.metrics_port;
  local.max_connections = 16;
  local.report = [this, what](const std::string& line) { log_.error("{}: {}", what, line); };
  auto opened = https::Server::open(server_->loop(), local, *metrics_);
  if (!opened) return refuse(fmt::format("{}: {}", what, opened.error()));
  metrics_server_ = *std::move(opened);
  return {};
}

std::expected<void, std::string> Node::run() {
  NodeState ready = NodeState::Ready;
  state_.compare_exchange_strong(ready, NodeState::Running);
  auto ran = server_->run();
  end_->stop_keys();
  state_ = NodeState::Stopped;
  events_.sessions_over();
  if (groups_) groups_->end_all();
  return ran;
}

std::expected<void, std::string> Node::start() try {
  thread_ = std::jthread([this] {
    ran_ = run();
    if (!ran_) log_.error("{}", ran_.error());
  });
  return {};
} catch (const std::system_error& failed) {
  return std::unexpected(fmt::format("cannot start a thread: {} (see: ulimit -u)", failed.what()));
}

std::expected<void, std::string> Node::wait() {
  if (thread_.joinable()) thread_.join();
  return ran_;
}

void Node::stop() {
  NodeState before = state_;
  while (before < NodeState::Stopping && !state_.compare_exchange_weak(before, NodeState::Stopping)) {
  }
  if (before >= NodeState::Stopping) return;
  boost::asio::post(server_->loop().executor(), [this] {
    server_->stop();
    if (metrics_server_) metrics_server_->stop(std::chrono::nanoseconds(0));
  });
}

void Node::reload() {
  boost::asio::post(server_->loop().executor(), [this] { reloader_->reload(); });
}

NodeStatus Node::status() const {
  return {.state = state_,
          .address = address_,
          .metrics_port = metrics_server_ ? std::optional(metrics_server_->port()) : std::nullopt,
          .profile = end_->profile().name,
          .peers = end_->peer_names(),
          .sessions = metrics_->counts(),
          .supply = end_->supply_counts()};
}

void Node::kill_commands() {
  if (groups_) groups_->kill_all();
}

}  // namespace qsp::node

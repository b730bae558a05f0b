#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "https/server.hpp"
#include "net/server.hpp"
#include "node/application.hpp"
#include "node/end_config.hpp"
#include "node/local_end.hpp"
#include "node/log.hpp"
#include "node/metrics.hpp"
#include "node/reload.hpp"
#include "node/session_view.hpp"

/// A QSP node: accepts sessions and carries their data, until it is stopped.
namespace qsp::node {

/// What a node is made from.
struct NodeConfig {
  EndConfig end;
  net::Address listen{.host = "127.0.0.1", .port = net::kDefaultPort};  ///< port 0: one that the system chooses
  Application application;
  std::size_t threads = 1;  ///< that share the sessions, 1 to net::kMaxThreads
  net::Limits limits{};
  std::chrono::nanoseconds max_silence = std::chrono::seconds(3);  ///< of a new connection, to its whole CLIENT_HELLO
  std::chrono::milliseconds stop_timeout{3000};                    ///< what stop() waits for peers at most
  /// Port of 127.0.0.1 for GET /metrics (Prometheus) and /healthz; 0: one that the system chooses.
  std::optional<std::uint16_t> metrics_port;
};

/// What a node tells while it lives. Called from any of its threads, sometimes from several at once, by open(), and by
/// the destructor, when the node can no longer be asked anything. An implementation does not wait in it, and may
/// otherwise call the members of the node that are for any thread.
class NodeEvents {
 public:
  virtual ~NodeEvents() = default;
  /// Something in the configuration that is allowed, but probably not meant.
  virtual void warning(const std::string& /*text*/) {}
  virtual void log(Level, const std::string& /*line*/) {}
  virtual void established(const SessionView&) {}
  virtual void rekeyed(const SessionView&) {}
  /// An established session has ended. `transport`: why its stream ended, where the system said so; else empty.
  virtual void closed(const SessionView&, const Closed&, const std::string& /*transport*/) {}
  /// Connections were closed for lack of room: see net::ServerEvents::refused.
  virtual void refused(net::Refusal, std::uint64_t /*count*/, const net::tcp::endpoint& /*last*/) {}
  /// Connections ended that never were sessions. Told::kind may quote a peer: escape it.
  virtual void strangers(const net::Tally::Told&) {}
  /// Accepting failed and pauses. Said once until it works again.
  virtual void accept_failed(const std::string& /*why*/) {}
  /// What came of reload(); on an error everything is as it was.
  virtual void reloaded(const std::expected<Reloader::Done, std::string>&) {}
  /// The node has stopped serving. What its commands left running is ended next, which may take
  /// net::ProcessGroups::kGrace.
  virtual void sessions_over() {}
};

enum class NodeState : std::uint8_t { Ready, Running, Stopping, Stopped };

struct NodeStatus {
  NodeState state = NodeState::Ready;
  net::tcp::endpoint address;  ///< the first that it listens on
  std::optional<std::uint16_t> metrics_port;
  std::string_view profile;
  std::vector<std::string> peers;  ///< pinned now, by name
  SessionCounts sessions;
  SupplyCounts supply;
};

/// Made by open(), it listens; run() or start() serve. Members are for the thread that made it unless they say
/// otherwise.
class Node {
 public:
  /// Reads all files, and listens. `events` outlives the node. Where the application runs commands, the process has one
  /// thread so far, or is refused, and ought to hold no secret yet: a copy of it becomes the commands' guard
  /// (net::ProcessGroups). It also ignores SIGPIPE, which a command that no longer reads would raise; or is refused.
  static std::expected<std::unique_ptr<Node>, Refused> open(const NodeConfig& config, NodeEvents& events);
  /// Stops it and waits, where start() made it run.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Serves on this thread until stopped. Once, and not after start(). Error: a thread could not be started.
  std::expected<void, std::string> run();
  /// Serves on a thread of the node's. Error: it could not be started; what run() would return, wait() does, and the
  /// log has it.
  std::expected<void, std::string> start();
  /// Returns once what start() began has ended, with what run() would return.
  std::expected<void, std::string> wait();

  /// From any thread: accepts no more, closes every session with NORMAL, then ends run(). May be called again.
  void stop();
  /// From any thread: reads keys, passphrase and pins again, all or nothing, and closes the sessions of peers that are
  /// no longer allowed. NodeEvents::reloaded says what came of it, unless the node stops first.
  void reload();
  /// From any thread.
  [[nodiscard]] NodeStatus status() const;
  /// From any thread: kills what the application's commands started. For a process that ends at once.
  void kill_commands();

  [[nodiscard]] const LocalEnd& end() const noexcept { return *end_; }
  /// The loop that accepts, for signals and other things of the caller's.
  [[nodiscard]] net::Loop& loop() noexcept { return server_->loop(); }
  /// Sessions that did not end in time and were cut off. After run().
  [[nodiscard]] std::size_t cut_off() const noexcept { return server_->sessions(); }

 private:
  class Watch;

  Node(const NodeConfig& config, NodeEvents& events);
  std::expected<void, Refused> read_end();
  std::expected<void, Refused> listen();
  std::expected<void, Refused> serve_metrics();

  NodeConfig config_;
  NodeEvents& events_;
  Log log_;
  std::unique_ptr<net::ProcessGroups> groups_;  ///< of the commands, where the application runs some
  std::unique_ptr<LocalEnd> end_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Watch> watch_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<https::Server> metrics_server_;
  std::unique_ptr<Reloader> reloader_;
  net::tcp::endpoint address_;
  std::atomic<NodeState> state_ = NodeState::Ready;
  std::expected<void, std::string> ran_;
  std::jthread thread_;
};

}  // namespace qsp::node

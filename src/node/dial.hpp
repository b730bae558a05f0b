#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "net/address.hpp"
#include "net/connection.hpp"
#include "net/descriptor.hpp"
#include "net/dial.hpp"
#include "net/loop.hpp"
#include "node/dial_report.hpp"
#include "node/echo_client.hpp"
#include "node/end_config.hpp"
#include "node/local_end.hpp"
#include "node/log.hpp"
#include "node/pipe_client.hpp"
#include "node/redial.hpp"
#include "node/session_view.hpp"

/// The client's side of a node: one session to a server, dialled for as long as that may help.
namespace qsp::node {

struct DialConfig {
  EndConfig end;
  net::Address target;
  /// How long dialling may take in all, while the server is full or a budget of QKD keys is spent; 0: it is one dial.
  std::chrono::nanoseconds retry_for = std::chrono::seconds(30);
};

/// Carries what comes from one descriptor to the peer, and the peer's data to another, which is closed once all of that
/// data is written: DialReport::pipe tells. Needs a profile that says when data is complete.
using CarryPipe = PipeClient::Ends;

/// Sends what a descriptor has to a server that echoes it, and compares.
struct CheckEcho {
  int input;
  int output = -1;                                    ///< where the echo goes as well; -1: nowhere
  std::size_t window = std::size_t{4} * 1024 * 1024;  ///< bytes that may be sent and not echoed yet, 64 KiB or more
  std::function<void(Bytes)> show{};                  ///< is shown the echo; may be empty
};

/// What a dialled session carries. The descriptors are the caller's, who keeps them open as long as the Dial runs. What
/// is written to a pipe that nobody reads any more raises SIGPIPE: the process ignores it, or run() fails.
using DialApplication = std::variant<CarryPipe, CheckEcho>;

/// What is told while a Dial lives: by open(), else on the loop's thread.
class DialEvents {
 public:
  virtual ~DialEvents() = default;
  /// Something in the configuration that is allowed, but probably not meant.
  virtual void warning(const std::string& /*text*/) {}
  /// From any thread: what becomes of QKD keys.
  virtual void log(Level, const std::string& /*line*/) {}
  /// A dial begins.
  virtual void dialling() {}
  virtual void established(const SessionView&) {}
  virtual void rekeyed(const SessionView&) {}
  /// An established session has ended; output may still be on its way.
  virtual void closed(const SessionView&) {}
  /// The socket of this dial is closed, or there was none. Once for each dial.
  virtual void over(bool /*was_established*/) {}
  /// This dial came to nothing, and another follows after a pause,
  virtual void repeated(const DialReport&) {}
  /// or at once, without a QKD key, which is preferred and not required (SPEC §5.9).
  virtual void falls_back(const DialReport&) {}
};

/// Members are for one thread unless they say otherwise. A Dial has a budget of QKD keys of its own (SPEC §5.7): a
/// program that dials one SAE again and again sees to it that its Dials together keep within one.
class Dial final : private net::ConnectionOwner {
 public:
  /// Reads all files, and dials nobody yet. `events` outlives it.
  static std::expected<std::unique_ptr<Dial>, Refused> open(const DialConfig& config, DialEvents& events);
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;
  ~Dial() override = default;

  [[nodiscard]] const LocalEnd& end() const noexcept { return *end_; }
  /// The loop that it runs on, for signals. Whatever waits there keeps run() from returning.
  [[nodiscard]] net::Loop& loop() noexcept { return loop_; }

  /// Dials until there is a session or no sense in another dial, and returns once the session is over and its output
  /// written. Once.
  DialReport run(const DialApplication& application);

  /// On the loop's thread: closes the session, or its handshake, with NORMAL; run() returns when the peer was told.
  /// False where there is no connection yet, or it was interrupted before.
  bool interrupt();
  /// From any thread: the same, and run() returns as soon as the peer was told, or at once where there is none. What
  /// was received and not yet written is lost. May be called again.
  void stop();
  /// On the loop's thread: the dial that is under way, as far as it has come.
  [[nodiscard]] const DialReport& report() const noexcept { return report_; }

 private:
  Dial(const DialConfig& config, DialEvents& events);
  void dial_once(DialReport&& fresh, std::chrono::nanoseconds pause);
  boost::asio::awaitable<void> connect(std::chrono::nanoseconds pause);
  void fail(std::string why);
  void start_session(net::Dialled&& dialled, std::unique_ptr<Endpoint> endpoint, net::Watch&& watch);
  void end_handshake_in_time();
  void collect();

  void connection_established(net::Connection& connection) override;
  void connection_rekeyed(net::Connection& connection) override;
  void connection_closed(net::Connection& connection, const Closed& closed, const net::error_code& transport) override;
  void connection_finished(net::Connection& connection) override;

  net::Address target_;
  std::chrono::nanoseconds retry_for_;
  DialEvents& events_;
  Log log_;
  std::unique_ptr<LocalEnd> end_;
  std::unique_ptr<EndpointFactory> endpoints_;
  const DialApplication* application_ = nullptr;
  Instant dial_by_ = Instant::max();
  Instant established_at_{};
  DialReport report_;
  net::Loop loop_;
  net::Timer timer_{loop_.executor()};  ///< of the pause, then of the handshake
  net::ConnectionPtr connection_;
  bool finished_ = false;  ///< the connection is
  bool stopping_ = false;
  EchoClient* echo_ = nullptr;  ///< the same, where it is one
  PipeClient* pipe_ = nullptr;  ///< likewise
};

}  // namespace qsp::node

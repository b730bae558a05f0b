#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/address.hpp"
#include "net/admission.hpp"
#include "net/connection.hpp"
#include "net/loop.hpp"
#include "net/tally.hpp"
#include "qsp/error.hpp"

namespace qsp::net {

/// Makes the sessions of one thread; it and what it owns (a cryptographic provider, say) are used on that thread alone.
class SessionFactory {
 public:
  virtual ~SessionFactory() = default;
  /// A connection that has not been started. Error: the socket is closed at once.
  virtual Result<ConnectionPtr> make(Loop& loop, Socket&& socket, const tcp::endpoint& peer,
                                     ConnectionOwner& owner) = 0;
  /// What a connection is told that is closed for lack of room, if the profile has words for it. From any thread; lives
  /// as long as the process.
  [[nodiscard]] virtual Bytes full_alert() const noexcept { return {}; }
};

/// Called once for each thread, before any of them runs. The error is one line for a person.
using MakeSessionFactory = std::function<Result<std::unique_ptr<SessionFactory>, std::string>()>;

/// What a server tells the world. Called from any of its threads; so implementations are thread-safe.
class ServerEvents {
 public:
  virtual ~ServerEvents() = default;
  virtual void session_established(const Connection& connection) = 0;
  virtual void session_rekeyed(const Connection& connection) = 0;
  virtual void session_closed(const Connection& connection, const Closed& closed, const error_code& transport) = 0;
  /// `count` connections were closed for lack of room since the last call; `last` is the latest one's address. Of each
  /// reason the first is told at once and then one call a minute, so that a flood does not fill a log.
  virtual void refused(Refusal why, std::uint64_t count, const tcp::endpoint& last) = 0;
  /// The same for connections that ended before they were sessions, each of which session_closed was called for.
  virtual void strangers(const Tally::Told&) {}
  /// What is known of who a stranger is, Told::detail of the last one: ", an unpinned key qsp1:…", or nothing. Called
  /// on the connection's thread.
  [[nodiscard]] virtual std::string caller(const Connection&) const { return {}; }
  /// A connection was closed for lack of room: for counters.
  virtual void turned_away(Refusal) {}
  /// Accepting failed and pauses (no descriptors are left, say). Said once until it works again.
  virtual void accept_failed(const error_code& why) = 0;
};

inline constexpr std::size_t kMaxThreads = 256;

struct ListenOptions {
  Address listen{.host = "127.0.0.1", .port = kDefaultPort};
  std::size_t threads = 1;  ///< 1 to kMaxThreads
  Limits limits{};
  std::chrono::nanoseconds first_frame_timeout = std::chrono::seconds(3);  ///< accept to a whole first frame
  std::size_t descriptors_per_session = 1;       ///< that a session may need; fewer sessions where they are few
  std::chrono::milliseconds stop_timeout{3000};  ///< what stop() waits for peers at most
};

/// Accepts connections and spreads them over its threads, one event loop each. A session stays on its thread for life;
/// threads tell each other of its end by messages and share nothing else.
class Server {
 public:
  /// Listens on every address of the name. `events` outlives the server. The error is one line that says what to do.
  static Result<std::unique_ptr<Server>, std::string> open(const ListenOptions& options,
                                                           const MakeSessionFactory& make_factory,
                                                           ServerEvents& events);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The first address that it listens on, with the port that the system chose where 0 was asked for.
  [[nodiscard]] tcp::endpoint local_endpoint() const;
  /// The loop that accepts, for signals and other things of the caller's.
  [[nodiscard]] Loop& loop() noexcept;

  /// Serves until stopped; uses the calling thread. Call it once. Error: threads could not be started.
  Result<void, std::string> run();
  /// From any thread: accepts no more, closes every session with NORMAL, waits for stop_timeout at most, ends run().
  void stop();
  /// Sessions of any phase. On the thread of loop(), or after run().
  [[nodiscard]] std::size_t sessions() const noexcept;

 private:
  class Shard;
  class Listener;

  explicit Server(const ListenOptions& options);

  ListenOptions options_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace qsp::net

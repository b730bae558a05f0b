#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/listen.hpp"
#include "net/server.hpp"
#include "net/tally.hpp"

/// The parts of a Server: a shard for each thread, and the listener on the first one's.
namespace qsp::net {

/// One thread's sessions.
class Server::Shard final : public ConnectionOwner {
 public:
  Shard(std::unique_ptr<SessionFactory> factory, ServerEvents& events, std::chrono::nanoseconds first_frame_timeout)
      : events_(events),
        first_frame_timeout_(first_frame_timeout),
        factory_(std::move(factory)),
        work_(loop_.executor()) {}

  [[nodiscard]] Loop& loop() noexcept { return loop_; }
  /// From any thread.
  [[nodiscard]] Bytes full_alert() const noexcept { return factory_->full_alert(); }
  void set_listener(Listener& listener) noexcept { listener_ = &listener; }

  // On the shard's thread.
  void adopt(Place place, Socket&& socket, const tcp::endpoint& peer, Instant accepted);
  /// Its place is somebody else's now.
  void displace(Place place);
  void close_all();

  void connection_heard(Connection& connection) override;
  void connection_authenticated(Connection& connection) override;
  void connection_established(Connection& connection) override;
  void connection_rekeyed(Connection& connection) override { events_.session_rekeyed(connection); }
  void connection_closed(Connection& connection, const Closed& closed, const error_code& transport) override;
  void connection_lingers(Connection& connection) override;
  void connection_finished(Connection& connection) override;

 private:
  ServerEvents& events_;
  Listener* listener_ = nullptr;
  std::chrono::nanoseconds first_frame_timeout_;
  std::unique_ptr<SessionFactory> factory_;
  boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>> connections_;
  struct MayGo {
    Connection* connection;
    Instant accepted;
  };
  std::unordered_map<Place, MayGo> may_go_;  ///< silent, in the handshake, or lingering
  /// After what its sessions use, so that they go first.
  Loop loop_;
  asio::executor_work_guard<Executor> work_;
};

/// Accepts and counts, on the first shard's thread.
class Server::Listener {
 public:
  Listener(Server& server, std::vector<Acceptor>&& acceptors, ServerEvents& events);

  [[nodiscard]] Loop& loop() noexcept;
  [[nodiscard]] const Acceptor& first() const noexcept { return acceptors_.front(); }
  [[nodiscard]] const Admission& admission() const noexcept { return admission_; }

  void start();
  void stop();
  /// From any shard's thread: what became of a connection, for the count of them.
  void told(Place place, void (Admission::*change)(Place));
  /// Likewise: one that was displaced had come further already, and stays.
  void keep(Place place, const Source& source, Instant accepted, bool authenticated);
  /// Likewise: one ended before it was a session.
  void stranger(std::string kind, std::string detail, const tcp::endpoint& peer);
  /// Likewise: one was closed for lack of room.
  void refused(Refusal why, const tcp::endpoint& peer);

 private:
  asio::awaitable<void> accept(Acceptor& acceptor);
  asio::awaitable<void> make_room(const error_code& why);
  void admit(std::uint8_t keeper, Socket&& socket, const tcp::endpoint& peer);
  void displace(Place place);
  void tell(const std::vector<Tally::Told>& refusals, const std::vector<Tally::Told>& strangers);
  void tell_later();
  void stop_if_empty();
  void stop_loops();

  Server& server_;
  ServerEvents& events_;
  bool few_descriptors_;  ///< they allow fewer sessions than the limits would
  Admission admission_;
  std::vector<Acceptor> acceptors_;
  Timer stop_timer_, tell_timer_;
  Tally refusals_, strangers_;
  std::uint8_t next_shard_ = 0;
  bool accept_failing_ = false;
  bool telling_ = false;
  bool stopping_ = false;
};

}  // namespace qsp::net

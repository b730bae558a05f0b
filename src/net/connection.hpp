#pragma once

#include <boost/intrusive/list_hook.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/carrier.hpp"
#include "net/foreign.hpp"
#include "net/loop.hpp"
#include "net/partial_frame.hpp"
#include "qsp/channel.hpp"
#include "qsp/endpoint.hpp"

namespace qsp::net {

class Connection;

/// A connection keeps itself alive while an operation of its own is under way; it and its pointers stay on its loop's
/// thread.
using ConnectionPtr = boost::intrusive_ptr<Connection>;

/// Is told about the life of a connection. Called on the connection's thread. Outlives the loop.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  /// The peer's first whole frame was taken, and is in order so far.
  virtual void connection_heard(Connection&) {}
  /// A server's peer has proved who it is; the handshake waits for a key of a QKD link.
  virtual void connection_authenticated(Connection&) {}
  virtual void connection_established(Connection& connection) = 0;
  virtual void connection_rekeyed(Connection& connection) = 0;
  /// The session ended; the socket may stay until the peer has read the CLOSE. `transport` says why the stream ended
  /// where it was not the peer's own doing (a reset, say).
  virtual void connection_closed(Connection& connection, const Closed& closed, const error_code& transport) = 0;
  /// All is said and written; the socket stays for a moment, so that the peer can read it.
  virtual void connection_lingers(Connection&) {}
  /// The socket is closed. The last call.
  virtual void connection_finished(Connection& connection) = 0;
};

/// Answers QkdKeyNeeded for the sessions of one thread, then or later, with Connection::deliver. Outlives the loop.
class KeyDelivery {
 public:
  virtual ~KeyDelivery() = default;
  virtual void fetch(Connection& connection, const QkdKeyNeeded& needed) = 0;
  /// The connection is finished, or goes with its loop: what it asked for is not wanted, and it must not be called.
  virtual void forget(Connection&) {}
  /// When this session, in an epoch that began then, is to ask for new keys. A time up to `now` means now; a later one
  /// means to ask this function again then. Nothing: the session's own options decide. Asked at the beginning of each
  /// epoch.
  virtual std::optional<Instant> next_rekey(const Connection&, Instant /*epoch_began*/, Instant /*now*/) {
    return std::nullopt;
  }
};

/// Application bytes and frames of one session, and the rekeys that it has seen.
struct Traffic {
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_frames = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t received_frames = 0;
};

/// Drives an Endpoint over a TCP socket. An application derives from it and lives inside the same object.
///
/// Bytes are read into the loop's scratch buffer and handled in place; frames are sealed in the queue that is written.
/// An idle connection so holds this object, its endpoint and one reactor operation. That is also why it waits with
/// plain handlers: a coroutine's frames would double it. Every socket call is non-blocking, so no peer can hold up
/// another.
class Connection : public Carrier,
                   public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  /// How often an application that always has more is asked for up to kHighWater before others on the loop, and what
  /// comes from the peer, have their turn.
  static constexpr int kTurns = 4;
  /// SPEC §8: what is left after CLOSE is sent is read for at most 2 s.
  static constexpr std::chrono::seconds kLinger{2};
  /// What a session that ended well has still to write may take as long as the peer takes some of it this often: it may
  /// be slow, and this end has told its application that all is well.
  static constexpr std::chrono::seconds kDrain{180};

  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Begins; call it once. `owner` may be called before this returns.
  void start();
  /// Ends the session with a CLOSE to the peer, then the connection.
  void close(Reason reason, std::string_view text) override;
  /// Closes the socket now.
  void abort();
  /// Likewise, for lack of room, after the endpoint has said so (LIMIT), or after these last words if it has not
  /// written anything yet, as far as the socket takes them at once. The owner hears only of the end of the connection.
  void turn_away(Bytes last_words);
  /// A server's: the peer has until then to send a whole frame. Call it before start().
  void expect_first_frame(Instant by) noexcept { first_frame_by_ = by; }
  /// A name of the owner's choice for this connection.
  void set_tag(std::uint64_t tag) noexcept { tag_ = tag; }
  /// Where keys of a QKD link come from. Without one, a session that needs a key goes without.
  void set_key_delivery(KeyDelivery& delivery) noexcept { delivery_ = &delivery; }
  /// Hands a key, or the failure to get one, to the session. What it no longer awaits is wiped and dropped.
  void deliver(Result<DeliveredKey, QkdFailure> answer);

  [[nodiscard]] const tcp::endpoint& peer() const noexcept { return peer_; }
  [[nodiscard]] const Endpoint& endpoint() const noexcept { return *endpoint_; }
  [[nodiscard]] const Traffic& traffic() const noexcept { return traffic_; }
  [[nodiscard]] Loop& loop() const noexcept { return loop_; }
  [[nodiscard]] std::uint64_t tag() const noexcept { return tag_; }
  /// Whether a whole frame has come from the peer.
  [[nodiscard]] bool heard() const noexcept { return heard_; }
  /// Whether a byte has.
  [[nodiscard]] bool heard_anything() const noexcept { return heard_anything_; }
  /// Whether its session ever asked for a key of a QKD link.
  [[nodiscard]] bool asked_for_key() const noexcept { return asked_for_key_; }
  /// What the peer speaks, where it is something well known instead of QSP.
  [[nodiscard]] const std::optional<Foreign>& foreign() const noexcept { return foreign_; }
  /// Whether it ever was, which stays true after the end.
  [[nodiscard]] bool established() const noexcept { return established_; }
  /// Whether the session ended because the peer's stream did; after an orderly close it ends too, and that is not
  /// meant.
  [[nodiscard]] bool cut_off() const noexcept { return cut_off_; }

 protected:
  Connection(Loop& loop, Socket&& socket, const tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
             ConnectionOwner& owner);

  /// Data came. It stays where it is until handle_data_over, so that the data of several frames can go on in one call.
  virtual void handle_data(const AppData& data) = 0;
  /// All that one read brought was handed over, and its memory is used again after this.
  virtual void handle_data_over() {}
  /// Epoch 1 has begun: data may flow.
  virtual void handle_established() {}
  /// Sending has moved to a new epoch.
  virtual void handle_epoch(std::uint32_t) {}
  /// The socket is closed. The connection lives on while somebody holds a pointer to it.
  virtual void handle_finished() {}
  /// The session is established and the queue has been offered to the socket: queue more now, up to kHighWater.
  virtual void produce() {}
  /// When the application wants handle_deadline to be called, if at all; asked again after every change.
  [[nodiscard]] virtual std::optional<Instant> deadline() const { return std::nullopt; }
  virtual void handle_deadline() {}
  /// False while the application does not want to read: the peer is then held up by TCP.
  [[nodiscard]] virtual bool wants_input() const { return true; }

  /// Application plaintext to fill, at most kMaxPlaintext bytes, where it will be sealed. Empty unless established.
  /// Valid until send_reserved or any other call.
  MutableBytes reserve() override;
  /// Seals and queues the first `size` bytes of reserve(). Error: see Endpoint::seal_app_data.
  Result<void> send_reserved(std::size_t size, bool end) override;
  /// Seals and queues a copy of at most kMaxPlaintext bytes. Error: see Endpoint::seal_app_data.
  Result<void> send(Bytes data, bool end);
  Result<void> request_rekey() { return endpoint_->request_rekey(Loop::now()); }
  /// Writes and waits again after the application changed something from outside: its input became ready, say.
  void wake() override { settle(); }

  [[nodiscard]] std::size_t queued() const noexcept override { return queue_.size(); }

 private:
  enum class State : std::uint8_t { Open, Flushing, Lingering, Finished };

  void handle_readable();
  void handle_input(std::size_t count);
  void handle_frames(MutableBytes fresh, std::unique_ptr<std::uint8_t[]>& spent);
  bool handle_partial(MutableBytes& fresh, std::unique_ptr<std::uint8_t[]>& spent, Instant now);
  std::size_t offer(MutableBytes bytes, Instant now);
  bool is_foreign(Bytes fresh);
  void handle_end(const error_code& why);
  void handle_timer();
  void handle_qkd_key_needed(const QkdKeyNeeded& needed);
  void begin_epoch();
  void pace_rekeys(Instant now);
  void handle_closed(const Closed& closed);

  /// Brings everything to rest after any change: events, new data, writing, closing, waiting.
  void settle();
  void settle_later();
  void drain_events();
  bool collect_control();
  bool flush();
  void begin_closing();
  void wait_for_input();
  void wait_for_room();
  void wait_until(Instant at);
  void arm_timer();
  void finish();

  Loop& loop_;
  ConnectionOwner& owner_;
  KeyDelivery* delivery_ = nullptr;
  std::unique_ptr<Endpoint> endpoint_;
  Socket socket_;
  Timer timer_;
  SendQueue queue_;
  PartialFrame partial_;
  Traffic traffic_;
  tcp::endpoint peer_;
  error_code transport_;
  Instant timer_at_ = Instant::max();
  Instant epoch_began_{};
  Instant pace_at_ = Instant::max();  ///< when the delivery wants to be asked for the pace of rekeys again
  Instant linger_until_ = Instant::max();
  Instant first_frame_by_ = Instant::max();
  std::uint64_t tag_ = 0;
  std::optional<Foreign> foreign_;
  std::chrono::seconds flush_limit_ = kLinger;  ///< without progress, once the session is over
  State state_ = State::Open;
  bool established_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool settling_ = false;
  bool settling_later_ = false;
  bool ended_ = false;       ///< the peer's stream has ended
  bool closed_ = false;      ///< the endpoint has said Closed
  bool last_words_ = false;  ///< it left a CLOSE or ALERT that should reach the peer
  bool write_failed_ = false;
  bool heard_ = false;
  bool heard_anything_ = false;
  bool asked_for_key_ = false;
  bool cut_off_ = false;  ///< ended_ came before closed_
};

}  // namespace qsp::net

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "https/input.hpp"
#include "https/message.hpp"
#include "https/server_core.hpp"
#include "https/stream.hpp"
#include "https/watchdog.hpp"

namespace qsp::https {

/// One connection of a server. Between a request and its answer nothing of it runs; the server's list keeps it alive.
class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(std::shared_ptr<ServerCore> core, std::uint64_t id, net::Socket&& socket,
                   const net::tcp::endpoint& peer);

  /// `tls` is null on a plain server.
  void start(Ssl tls);
  /// Nothing: the handler has no answer, and the peer gets none.
  void answer(std::optional<Response> response);
  /// The files of TLS have changed: closes the connection where they do not admit its peer, whatever is under way.
  void check_peer();
  /// Ends after the request under way, or at once where there is none.
  void wind_up();
  void close();

 private:
  enum class Stage : std::uint8_t { Handshake, Idle, Request, Body, Handler, Answer, Linger, Closed };

  Awaited<void> open(Ssl tls);
  Awaited<void> read_request();
  /// Whether the request has been read; false once the connection has ended instead.
  Awaited<bool> read_whole(RequestReader& reader);
  Awaited<void> write_answer(Response response);
  Awaited<void> refuse(unsigned status);
  Awaited<void> linger(bool tls_is_sound);
  void spawn(Awaited<void> work);
  void hand_over(ReceivedRequest received);
  void enter(Stage stage);
  void late();
  [[nodiscard]] std::chrono::nanoseconds life_left() const;
  [[nodiscard]] bool is_foreign(const ReceivedRequest& received) const;

  std::shared_ptr<ServerCore> core_;
  std::uint64_t id_;
  std::string address_;
  Stream stream_;
  Watchdog watchdog_;
  Input input_;
  PeerIdentity peer_;
  Stage stage_ = Stage::Handshake;
  Instant born_ = net::Loop::now();
  std::uint64_t requests_ = 0;
  Instant began_{};             ///< the request that is being read
  bool authenticated_ = false;  ///< by its certificate
  bool served_ = false;         ///< a request of it was whole
  bool head_ = false;
  bool keep_alive_ = true;
};

}  // namespace qsp::https

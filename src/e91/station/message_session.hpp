#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "e91/station/framing.hpp"
#include "net/connection.hpp"
#include "qsp/endpoint.hpp"
#include "qsp/secret_bytes.hpp"

namespace qsp::e91::station {

class MessageSession;
using MessageSessionPtr = boost::intrusive_ptr<MessageSession>;

/// What becomes of a session's messages. Called on its loop's thread.
class MessageHandler {
 public:
  virtual ~MessageHandler() = default;
  virtual void session_ready(MessageSession& session) = 0;
  /// `message` is wiped behind the call.
  virtual void session_message(MessageSession& session, Bytes message) = 0;
  /// Its socket is closed. The last call, and the only one where the session was never ready.
  virtual void session_over(MessageSession& session) = 0;
};

/// Whole messages over a QSP 1.0 session.
class MessageSession final : public net::Connection {
 public:
  /// A message from the peer has at most `most` bytes. `handler` outlives the loop.
  MessageSession(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                 std::unique_ptr<Endpoint> session, net::ConnectionOwner& owner, MessageHandler& handler,
                 std::size_t most);

  /// Queues a message. A peer that lets more than kMaxQueued bytes wait is closed.
  void post(Bytes message);
  static constexpr std::size_t kMaxQueued = std::size_t{512} * 1024 * 1024;

  /// The pinned name of the peer. Precondition: ready.
  [[nodiscard]] std::string peer_name() const;
  /// A key of epoch 1, which both ends can export when the session is ready. Precondition: ready.
  Result<SecretBytes> export_key(std::string_view label, std::size_t size);

 private:
  MessageSession(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer, Endpoint& session,
                 std::unique_ptr<Endpoint>&& endpoint, net::ConnectionOwner& owner, MessageHandler& handler,
                 std::size_t most);

  void handle_data(const AppData& data) override;
  void handle_established() override { handler_.session_ready(*this); }
  void handle_finished() override { handler_.session_over(*this); }
  void produce() override;

  Endpoint& session_;  ///< the connection's endpoint
  MessageHandler& handler_;
  MessageReader reader_;
  SecretBytes waiting_;  ///< frames, of which `sent_` bytes are on their way
  std::size_t sent_ = 0;
};

}  // namespace qsp::e91::station

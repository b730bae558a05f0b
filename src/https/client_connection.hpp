#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "https/client.hpp"
#include "https/input.hpp"
#include "https/message.hpp"
#include "https/stream.hpp"
#include "https/tls.hpp"
#include "https/url.hpp"
#include "https/watchdog.hpp"
#include "net/happy_eyeballs.hpp"

namespace qsp::https {

class ClientConnection;

/// The user of a connection, called on the loop's thread. After gone() the connection is closed and calls no more.
class ConnectionUser {
 public:
  virtual ~ConnectionUser() = default;
  /// Connected, or free again.
  virtual void ready(ClientConnection& connection) = 0;
  /// The answer to `call`. Where the connection is good for more, ready() comes before it, else gone().
  virtual void answered(std::uint64_t call, Response response) = 0;
  /// `call` ends with the connection; gone() came before it.
  virtual void failed(std::uint64_t call, CallFailure failure) = 0;
  /// Never got to connect; the text is a phrase. gone() came before it.
  virtual void unreachable(std::uint64_t newest_call, const CallFailure& why) = 0;
  virtual void gone(ClientConnection& connection) = 0;
};

/// One connection of a client. A read is always under way, so that the server's end is noticed while nothing is asked.
class ClientConnection : public std::enable_shared_from_this<ClientConnection> {
 public:
  /// What all connections of a client have in common.
  struct Common {
    net::Loop& loop;
    HttpClientOptions options;
    Url url;
    std::string server_name;
    TlsContext tls;
  };

  ClientConnection(std::shared_ptr<const Common> common, std::weak_ptr<ConnectionUser> user, std::uint64_t newest_call);

  void connect();
  [[nodiscard]] bool established() const noexcept { return established_; }
  /// False where a kept connection has turned out to be of no more use, or is too old.
  [[nodiscard]] bool usable() { return !closed_ && !stream_.has_input() && !is_old(); }
  /// Writes a call. Precondition: ready() was called, and no other call since.
  void start(std::uint64_t id, const Call& call);
  /// Ends without a word to anybody.
  void close();

 private:
  Awaited<void> run();
  [[nodiscard]] bool is_old() const { return net::Loop::now() - born_ >= common_->options.max_life; }
  /// Nothing, or why there is no connection.
  Awaited<std::optional<CallFailure>> open();
  Awaited<void> write();
  /// Takes what was received. False once the connection has ended.
  bool take_input();
  void finish_answer(bool keep, Response response);
  void give_up(const net::error_code& failed);
  /// An answer that only the stream's end ended, without TLS's word that it is the end.
  void take_unvouched(ResponseReader& reader);
  void fail_call(CallFailure failure);
  void report_unreachable(const CallFailure& why);
  /// Closes, and says so.
  void leave();

  std::shared_ptr<const Common> common_;
  std::weak_ptr<ConnectionUser> user_;
  std::uint64_t newest_call_;  ///< of those that waited when this connection was made
  Stream stream_;
  std::optional<net::HappyEyeballs> dial_;  ///< what runs keeps this object alive
  Watchdog watchdog_;
  Input input_;
  SecretBytes output_;
  std::optional<ResponseReader> reader_;  ///< while a call is under way
  std::uint64_t call_ = 0;
  Instant born_{};  ///< when it was established
  bool established_ = false;
  bool used_before_ = false;
  bool writing_ = false;
  bool closed_ = false;
};

}  // namespace qsp::https

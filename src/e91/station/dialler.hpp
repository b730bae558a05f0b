#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "e91/station/message_session.hpp"
#include "net/address.hpp"
#include "net/dial.hpp"

namespace qsp::e91::station {

/// Keeps one session to a server: dials until it is there, and again when it has ended, with pauses that grow. A
/// problem is logged once until it changes.
class Dialler final : private net::ConnectionOwner {
 public:
  using MakeSession = std::function<Result<std::unique_ptr<Endpoint>>()>;

  /// `what` names the server in logs. All references outlive the loop's run.
  Dialler(net::Loop& loop, std::string what, net::Address address, MakeSession make, MessageHandler& handler,
          std::size_t most);
  Dialler(const Dialler&) = delete;
  Dialler& operator=(const Dialler&) = delete;
  ~Dialler() override = default;

  /// The pause before the next dial, `last` being the one before this dial, unless that brought a good session: it
  /// doubles with each failure, up to 60 s (SPEC §5.9).
  static std::chrono::milliseconds next_pause(std::optional<std::chrono::milliseconds> last) noexcept;

  void start();
  /// Dials no more and closes the session.
  void stop();

 private:
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> dial_once();
  boost::asio::awaitable<void> wait(std::chrono::nanoseconds time);
  void note(const std::string& problem);

  void connection_established(net::Connection& connection) override;
  void connection_rekeyed(net::Connection&) override {}
  void connection_closed(net::Connection& connection, const Closed& closed, const net::error_code& transport) override;
  void connection_finished(net::Connection& connection) override;

  net::Loop& loop_;
  std::string what_;
  net::Address address_;
  MakeSession make_;
  MessageHandler& handler_;
  std::size_t most_;
  net::Timer timer_;
  MessageSessionPtr session_;
  Instant established_at_ = Instant::max();
  std::string problem_;
  bool short_lived_ = false;  ///< the last session failed soon after it was established
  bool stopping_ = false;
};

}  // namespace qsp::e91::station

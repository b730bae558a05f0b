#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "base/try.hpp"
#include "driver/answer.hpp"
#include "driver/failures.hpp"
#include "driver/keys.hpp"
#include "driver/session_impl.hpp"
#include "driver/stream.hpp"
#include "driver/thread.hpp"
#include "net/dial.hpp"
#include "net/loop.hpp"

namespace qsp::tcp {
namespace {

// No time is longer than a year, so that no sum of a clock's value and some of them overflows.
constexpr std::chrono::nanoseconds kMaxTime = std::chrono::hours{24 * 365};

Failure cannot_start(const std::exception& why) {
  return driver::no_connection(std::string("cannot start: ") + why.what() + " (see: ulimit -n, ulimit -u)");
}

/// What one dialled session lives on: a loop, and the thread that runs it.
class Dialled final : private net::ConnectionOwner {
 public:
  Dialled(std::unique_ptr<crypto::Provider> provider, const ClientOptions& session, const ConnectOptions& options)
      : provider_(std::move(provider)), session_(session), timeout_(std::min(options.timeout, kMaxTime)) {
    if (options.keys != nullptr) keys_.emplace(*options.keys);
  }

  [[nodiscard]] const std::shared_ptr<driver::Mailbox>& mailbox() const noexcept { return mailbox_; }

  void start(const Address& address) {
    boost::asio::co_spawn(loop_.executor(), dial({.host = address.host, .port = address.port}),
                          [this](const std::exception_ptr& failed) { take(failed); });
    thread_ = driver::start_thread([this] {
      loop_.run();
      mailbox_->finish();
    });
  }

 private:
  boost::asio::awaitable<void> dial(net::Address address) {
    auto dialled = co_await net::dial(loop_, std::move(address), timeout_);
    if (!dialled) {
      mailbox_->fail(driver::no_connection(std::move(dialled.error())));
      co_return;
    }
    auto channel = Channel::client(*provider_, session_, net::Loop::now());
    if (!channel) {
      mailbox_->fail({channel.error(), std::string(channel.error().where)});
      co_return;
    }
    const net::ConnectionPtr connection = driver::Stream::make(
        loop_, std::move(dialled->socket), dialled->peer, *std::move(channel), *this, session_.rekey.timer, mailbox_);
    if (keys_) connection->set_key_delivery(*keys_);
    connection->start();
  }

  /// Asio makes its descriptors in constructors, the first of them in dial(). What else is thrown ends the process.
  void take(const std::exception_ptr& failed) try {
    if (failed) std::rethrow_exception(failed);
  } catch (const std::runtime_error& why) {
    mailbox_->fail(cannot_start(why));
  }

  void connection_established(net::Connection&) override {}
  void connection_rekeyed(net::Connection&) override {}
  void connection_closed(net::Connection& connection, const Closed& closed, const net::error_code&) override {
    mailbox_->end(closed, connection.endpoint().status());
  }
  void connection_finished(net::Connection&) override {}

  std::unique_ptr<crypto::Provider> provider_;
  ClientOptions session_;
  std::chrono::nanoseconds timeout_;
  std::shared_ptr<driver::Mailbox> mailbox_ = std::make_shared<driver::Mailbox>();
  std::optional<driver::Keys> keys_;
  net::Loop loop_;
  std::jthread thread_;
};

/// Starts to dial, unless the options can make no session.
Result<std::shared_ptr<Dialled>, Failure> start(const Address& address, std::unique_ptr<crypto::Provider> provider,
                                                const ClientOptions& session, const ConnectOptions& options) try {
  if (auto trial = Channel::client(*provider, session, net::Loop::now()); !trial) {
    return std::unexpected(Failure{trial.error(), std::string(trial.error().where)});
  }
  auto dialled = std::make_shared<Dialled>(std::move(provider), session, options);
  dialled->start(address);
  return dialled;
} catch (const std::runtime_error& failed) {  // no descriptors for a loop, or no thread
  return std::unexpected(cannot_start(failed));
}

Session session_of(std::shared_ptr<Dialled> dialled) {
  auto mailbox = dialled->mailbox();
  return Session(std::make_unique<Session::Impl>(std::move(mailbox), std::move(dialled)));
}

}  // namespace

Result<Session, Failure> connect(const Address& address, std::unique_ptr<crypto::Provider> provider,
                                 const ClientOptions& session, const ConnectOptions& options) {
  QSP_TRY(auto dialled, start(address, std::move(provider), session, options));
  driver::Mailbox& mailbox = *dialled->mailbox();
  Session made = session_of(std::move(dialled));
  QSP_TRY(mailbox.wait_until_established());
  return made;
}

void start_connect(const Address& address, std::unique_ptr<crypto::Provider> provider, const ClientOptions& session,
                   const ConnectOptions& options, Post post, Then<Session> then) {
  auto dialled = start(address, std::move(provider), session, options);
  if (!dialled) return driver::by_way_of(std::move(post), std::move(then))(std::unexpected(std::move(dialled.error())));
  driver::Mailbox& mailbox = *(*dialled)->mailbox();
  // Its thread cannot wait for its own end: so what it lives on leaves with the answer, whatever that is. It leaves as
  // a session, which ends where the answer is dropped.
  mailbox.when_decided([made = std::optional(session_of(*std::move(dialled))), post = std::move(post),
                        then = std::move(then)](Result<void, Failure> established) mutable {
    post([made = std::move(made), then = std::move(then), established = std::move(established)]() mutable {
      if (established) return then(*std::move(made));
      made.reset();
      then(std::unexpected(std::move(established.error())));
    });
  });
}

}  // namespace qsp::tcp

#include <condition_variable>
#include <deque>
#include <expected>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "driver/failures.hpp"
#include "driver/keys.hpp"
#include "driver/session_impl.hpp"
#include "driver/stream.hpp"
#include "driver/thread.hpp"
#include "net/server.hpp"
#include "qsp/full_alert.hpp"

namespace qsp::tcp {
namespace {

/// Makes the sessions of a server, on its thread.
class Factory final : public net::SessionFactory {
 public:
  Factory(std::unique_ptr<crypto::Provider> provider, const ServerOptions& session, keysource::KeySource* keys)
      : provider_(std::move(provider)), session_(session) {
    if (keys != nullptr) keys_.emplace(*keys);
  }

  Result<net::ConnectionPtr> make(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                  net::ConnectionOwner& owner) override {
    auto channel = Channel::server(*provider_, session_, net::Loop::now());
    if (!channel) return std::unexpected(channel.error());
    net::ConnectionPtr connection = driver::Stream::make(loop, std::move(socket), peer, *std::move(channel), owner,
                                                         session_.rekey.timer, std::make_shared<driver::Mailbox>());
    if (keys_) connection->set_key_delivery(*keys_);
    return connection;
  }
  [[nodiscard]] Bytes full_alert() const noexcept override { return qsp::full_alert(); }

 private:
  std::unique_ptr<crypto::Provider> provider_;
  ServerOptions session_;
  std::optional<driver::Keys> keys_;
};

const std::shared_ptr<driver::Mailbox>& mailbox_of(const net::Connection& connection) {
  return static_cast<const driver::Stream&>(connection).mailbox();  // the factory makes no other
}

}  // namespace

class Server::Impl final : private net::ServerEvents {
 public:
  ~Impl() {
    stop();
    if (thread_.joinable()) thread_.join();
  }

  Result<void, Failure> start(const Address& address, std::unique_ptr<crypto::Provider> provider,
                              const ServerOptions& session, const ServeOptions& options) {
    // Options that no session can be made with are told now, and not by connections that end.
    if (auto trial = Channel::server(*provider, session, net::Loop::now()); !trial) {
      return std::unexpected(Failure{trial.error(), std::string(trial.error().where)});
    }
    const auto make = [&]() -> std::expected<std::unique_ptr<net::SessionFactory>, std::string> {
      return std::make_unique<Factory>(std::move(provider), session, options.keys);
    };
    auto opened = net::Server::open({.listen = {.host = address.host, .port = address.port},
                                     .limits = {.sessions = options.sessions,
                                                .handshakes = options.handshakes,
                                                .handshakes_per_source = options.handshakes_per_source}},
                                    make, *this);
    if (!opened) return std::unexpected(driver::no_connection(std::move(opened.error())));
    server_ = *std::move(opened);
    const net::tcp::endpoint local = server_->local_endpoint();
    address_ = {.host = local.address().to_string(), .port = local.port()};
    thread_ =
        driver::start_thread([this] { static_cast<void>(server_->run()); });  // with one thread it has nothing to start
    return {};
  }

  Result<Session, Failure> accept() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || !established_.empty(); });
    if (stopped_) return driver::misuse("accept: the server was stopped");
    auto mailbox = std::move(established_.front());
    established_.pop_front();
    return Session(std::make_unique<Session::Impl>(std::move(mailbox)));
  }

  [[nodiscard]] const Address& address() const noexcept { return address_; }

  void stop() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    if (server_) server_->stop();
    changed_.notify_all();
  }

 private:
  void session_established(const net::Connection& connection) override {
    const std::lock_guard lock(mutex_);
    established_.push_back(mailbox_of(connection));
    changed_.notify_all();
  }
  void session_rekeyed(const net::Connection&) override {}
  void session_closed(const net::Connection& connection, const Closed& closed, const net::error_code&) override {
    mailbox_of(connection)->end(closed, connection.endpoint().status());
  }
  void refused(net::Refusal, std::uint64_t, const net::tcp::endpoint&) override {}
  void accept_failed(const net::error_code&) override {}

  Address address_;
  std::mutex mutex_;  ///< of what follows
  std::condition_variable changed_;
  std::deque<std::shared_ptr<driver::Mailbox>> established_;
  bool stopped_ = false;
  std::unique_ptr<net::Server> server_;
  std::jthread thread_;
};

Server::Server(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Session, Failure> Server::accept() { return impl_->accept(); }
Address Server::address() const { return impl_->address(); }
void Server::stop() { impl_->stop(); }

Result<Server, Failure> serve(const Address& address, std::unique_ptr<crypto::Provider> provider,
                              const ServerOptions& session, const ServeOptions& options) try {
  auto impl = std::make_unique<Server::Impl>();
  if (auto started = impl->start(address, std::move(provider), session, options); !started) {
    return std::unexpected(std::move(started.error()));
  }
  return Server(std::move(impl));
} catch (const std::system_error& failed) {
  return std::unexpected(driver::no_connection(std::string("cannot start: ") + failed.what()));
}

}  // namespace qsp::tcp

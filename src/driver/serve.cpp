#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "driver/answer.hpp"
#include "driver/failures.hpp"
#include "driver/keys.hpp"
#include "driver/session_impl.hpp"
#include "driver/stream.hpp"
#include "driver/thread.hpp"
#include "net/server.hpp"
#include "qsp/full_alert.hpp"

namespace qsp::tcp {
namespace {

/// Every session that a server has made and a program may still ask. Of the server's thread, and of whoever ended that.
class Mailboxes {
 public:
  std::shared_ptr<driver::Mailbox> make() {
    if (all_.size() >= 2 * alive_ + kFew) {
      std::erase_if(all_, [](const auto& each) { return each.expired(); });
      alive_ = all_.size();
    }
    auto made = std::make_shared<driver::Mailbox>();
    all_.emplace_back(made);
    return made;
  }
  /// Their loop runs no more: nobody may wait for it, nor post to it.
  void finish_all() {
    for (const auto& each : all_) {
      if (const auto mailbox = each.lock()) mailbox->finish();
    }
  }

 private:
  static constexpr std::size_t kFew = 64;

  std::vector<std::weak_ptr<driver::Mailbox>> all_;
  std::size_t alive_ = 0;  ///< when it was looked at last
};

/// Makes the sessions of a server, on its thread.
class Factory final : public net::SessionFactory {
 public:
  Factory(std::unique_ptr<crypto::Provider> provider, const ServerOptions& session, keysource::KeySource* keys,
          Mailboxes& mailboxes)
      : provider_(std::move(provider)), session_(session), mailboxes_(mailboxes) {
    if (keys != nullptr) keys_.emplace(*keys);
  }

  Result<net::ConnectionPtr> make(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                  net::ConnectionOwner& owner) override {
    QSP_TRY(auto channel, Channel::server(*provider_, session_, net::Loop::now()));
    net::ConnectionPtr connection = driver::Stream::make(loop, std::move(socket), peer, std::move(channel), owner,
                                                         session_.rekey.timer, mailboxes_.make());
    if (keys_) connection->set_key_delivery(*keys_);
    return connection;
  }
  [[nodiscard]] Bytes full_alert() const noexcept override { return qsp::full_alert(); }

 private:
  std::unique_ptr<crypto::Provider> provider_;
  ServerOptions session_;
  Mailboxes& mailboxes_;
  std::optional<driver::Keys> keys_;
};

const std::shared_ptr<driver::Mailbox>& mailbox_of(const net::Connection& connection) {
  return static_cast<const driver::Stream&>(connection).mailbox();  // the factory makes no other
}

}  // namespace

class Server::Impl final : private net::ServerEvents {
 public:
  ~Impl() override {
    stop();
    if (thread_.joinable()) thread_.join();
  }

  Result<void, Failure> start(const Address& address, std::unique_ptr<crypto::Provider> provider,
                              const ServerOptions& session, const ServeOptions& options) {
    // Options that no session can be made with are told now, and not by connections that end.
    if (auto trial = Channel::server(*provider, session, net::Loop::now()); !trial) {
      return std::unexpected(Failure{trial.error(), std::string(trial.error().where)});
    }
    const auto make = [&]() -> Result<std::unique_ptr<net::SessionFactory>, std::string> {
      return std::make_unique<Factory>(std::move(provider), session, options.keys, mailboxes_);
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
    most_waiting_ = std::max<std::size_t>(options.sessions, 1);
    thread_ = driver::start_thread([this] {
      static_cast<void>(server_->run());  // with one thread it has nothing to start
      mailboxes_.finish_all();
    });
    return {};
  }

  Result<Session, Failure> accept() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || !established_.empty(); });
    return next();
  }

  void start_accept(Post post, Then<Session> then) {
    std::unique_lock lock(mutex_);
    if (acceptor_) {
      lock.unlock();
      return driver::by_way_of(std::move(post), std::move(then))(driver::misuse("accept: one is under way already"));
    }
    acceptor_ = driver::by_way_of(std::move(post), std::move(then));
    answer_acceptor(lock);
  }

  [[nodiscard]] const Address& address() const noexcept { return address_; }

  void stop() {
    std::unique_lock lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    if (server_) server_->stop();
    changed_.notify_all();
    answer_acceptor(lock);
  }

 private:
  void session_established(const net::Connection& connection) override {
    std::unique_lock lock(mutex_);
    if (established_.size() >= most_waiting_) {
      const auto ended =
          std::ranges::find_if(established_, [](const auto& each) { return each->closed().has_value(); });
      if (ended != established_.end()) established_.erase(ended);
    }
    established_.push_back(mailbox_of(connection));
    changed_.notify_all();
    answer_acceptor(lock);
  }
  void session_rekeyed(const net::Connection&) override {}
  void session_closed(const net::Connection& connection, const Closed& closed, const net::error_code&) override {
    mailbox_of(connection)->end(closed, connection.endpoint().status());
  }
  void refused(net::Refusal, std::uint64_t, const net::tcp::endpoint&) override {}
  void accept_failed(const net::error_code&) override {}

  /// Under the lock, once there is an answer.
  Result<Session, Failure> next() {
    if (stopped_) return driver::misuse("accept: the server was stopped");
    auto mailbox = std::move(established_.front());
    established_.pop_front();
    return Session(std::make_unique<Session::Impl>(std::move(mailbox)));
  }
  /// Lets go of the lock if there is one for whom there is an answer.
  void answer_acceptor(std::unique_lock<std::mutex>& lock) {
    if (!acceptor_ || (!stopped_ && established_.empty())) return;
    Then<Session> then = std::exchange(acceptor_, nullptr);
    auto answer = next();
    lock.unlock();
    then(std::move(answer));
  }

  Address address_;
  std::size_t most_waiting_ = 1;
  Mailboxes mailboxes_;  ///< of the server's thread
  std::mutex mutex_;     ///< of what follows
  std::condition_variable changed_;
  std::deque<std::shared_ptr<driver::Mailbox>> established_;
  Then<Session> acceptor_;
  bool stopped_ = false;
  std::unique_ptr<net::Server> server_;
  std::jthread thread_;
};

Server::Server(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Session, Failure> Server::accept() { return impl_->accept(); }
void Server::start_accept(Post post, Then<Session> then) { impl_->start_accept(std::move(post), std::move(then)); }
Address Server::address() const { return impl_->address(); }
void Server::stop() { impl_->stop(); }

Result<Server, Failure> serve(const Address& address, std::unique_ptr<crypto::Provider> provider,
                              const ServerOptions& session, const ServeOptions& options) try {
  auto impl = std::make_unique<Server::Impl>();
  QSP_TRY(impl->start(address, std::move(provider), session, options));
  return Server(std::move(impl));
} catch (const std::system_error& failed) {
  return std::unexpected(driver::no_connection(std::string("cannot start: ") + failed.what()));
}

}  // namespace qsp::tcp

#include "https/client.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "https/client_connection.hpp"

namespace qsp::https {
namespace {

namespace asio = net::asio;
using Common = ClientConnection::Common;
using ConnectionHandle = std::shared_ptr<ClientConnection>;

/// Calls, and the connections that they are spread over: the oldest call goes to the first connection that is free.
/// Every public function leaves the pool in order before it calls a `done`, which may call back or drop the client.
class Pool final : public ConnectionUser, public std::enable_shared_from_this<Pool> {
 public:
  explicit Pool(std::shared_ptr<const Common> common) : common_(std::move(common)) {}

  std::uint64_t call(Call call, Client::Done done);
  bool cancel(std::uint64_t id);
  void close();

  void ready(ClientConnection& connection) override;
  void answered(std::uint64_t call, Response response) override;
  void failed(std::uint64_t call, CallFailure failure) override;
  void unreachable(std::uint64_t newest_call, const CallFailure& why) override;
  void gone(ClientConnection& connection) override;

 private:
  struct Pending {
    Call call;
    Client::Done done;
    net::Timer timer;
    ClientConnection* connection = nullptr;  ///< on which it was written; null: it waits
  };
  using Calls = std::map<std::uint64_t, Pending>;  // ids ascend, so the oldest comes first

  /// Gives waiting calls to free connections, and makes connections for those that are left.
  void assign();
  void assign_soon();
  ClientConnection* free_connection();
  void drop(ClientConnection& connection);
  void late(std::uint64_t id);
  void finish(std::uint64_t id, std::expected<Response, CallFailure> outcome);
  [[nodiscard]] std::string where(const Call& call) const;

  std::shared_ptr<const Common> common_;
  Calls calls_;
  std::deque<std::uint64_t> waiting_;
  std::vector<ConnectionHandle> connections_;
  std::vector<ClientConnection*> free_;
  std::uint64_t next_id_ = 1;
  Instant retry_at_ = Instant::min();  ///< while connections are open, others are not tried before
  bool assigning_ = false;
  bool closed_ = false;
};

/// What is wrong with a call that cannot be written.
std::optional<std::string> check(const Call& call, const Url& url) {
  if (call.method == Method::Other) return "the method is neither GET nor POST";
  if (!call.target.starts_with('/') || !is_visible(call.target)) return "the target is not one (escape its parts)";
  if (url.prefix.size() + call.target.size() > kMaxTargetSize) return "the target is too long";
  return std::nullopt;
}

std::uint64_t Pool::call(Call call, Client::Done done) {
  const std::uint64_t id = next_id_++;
  const std::optional<std::string> wrong = check(call, common_->url);
  const auto at = calls_
                      .emplace(id, Pending{.call = std::move(call),
                                           .done = std::move(done),
                                           .timer = net::Timer(common_->loop.executor())})
                      .first;
  if (wrong) {
    asio::post(common_->loop.executor(), [pool = shared_from_this(), id, why = *wrong] {
      pool->finish(id, std::unexpected(CallFailure{.sent = false, .text = why}));
    });
    return id;
  }
  at->second.timer.expires_at(net::Loop::time_point(at->second.call.deadline));
  at->second.timer.async_wait([weak = weak_from_this(), id](const net::error_code& cancelled) {
    const std::shared_ptr<Pool> pool = weak.lock();
    if (!cancelled && pool) pool->late(id);
  });
  waiting_.push_back(id);
  assign_soon();
  return id;
}

void Pool::assign_soon() {
  if (std::exchange(assigning_, true)) return;
  asio::post(common_->loop.executor(), [pool = shared_from_this()] {
    pool->assigning_ = false;
    pool->assign();
  });
}

void Pool::assign() {
  if (closed_) return;
  while (!waiting_.empty()) {
    Pending& oldest = calls_.at(waiting_.front());
    if (oldest.call.deadline <= net::Loop::now()) break;  // its timer is about to say so
    ClientConnection* const connection = free_connection();
    if (connection == nullptr) break;
    oldest.connection = connection;
    connection->start(waiting_.front(), oldest.call);
    oldest.call.body = SecretBytes();
    waiting_.pop_front();
  }
  const auto attempts = static_cast<std::size_t>(
      std::ranges::count_if(connections_, [](const ConnectionHandle& each) { return !each->established(); }));
  if (attempts != connections_.size() && net::Loop::now() < retry_at_) return;
  const std::size_t most = std::max<std::size_t>(common_->options.connections, 1);
  const std::size_t room = most - std::min(connections_.size(), most);
  const std::size_t wanted = waiting_.size() - std::min(attempts, waiting_.size());
  for (std::size_t i = 0; i < std::min(room, wanted); ++i) {
    connections_.push_back(std::make_shared<ClientConnection>(common_, weak_from_this(), waiting_.back()));
    connections_.back()->connect();
  }
}

/// One that still looks alive; the latest used, for the others may then be idle long enough to be closed.
ClientConnection* Pool::free_connection() {
  while (!free_.empty()) {
    ClientConnection* const connection = free_.back();
    if (connection->usable()) {
      free_.pop_back();
      return connection;
    }
    drop(*connection);
  }
  return nullptr;
}

/// Closes a connection without a word.
void Pool::drop(ClientConnection& connection) {
  std::erase(free_, &connection);
  const auto at = std::ranges::find(connections_, &connection, &ConnectionHandle::get);
  if (at == connections_.end()) return;
  const ConnectionHandle last = std::move(*at);
  connections_.erase(at);
  last->close();
}

void Pool::ready(ClientConnection& connection) {
  if (closed_) return;
  free_.push_back(&connection);
  assign();
}

void Pool::answered(std::uint64_t call, Response response) { finish(call, std::move(response)); }

void Pool::failed(std::uint64_t call, CallFailure failure) { finish(call, std::unexpected(std::move(failure))); }

void Pool::gone(ClientConnection& connection) {
  drop(connection);
  assign_soon();
}

/// While no other connection is open, the calls that waited for this one fail with it: a server that is not there must
/// not hold each of them up in turn.
void Pool::unreachable(std::uint64_t newest_call, const CallFailure& why) {
  constexpr std::chrono::seconds kPause{1};
  if (std::ranges::any_of(connections_, &ClientConnection::established,
                          [](const ConnectionHandle& each) -> ClientConnection& { return *each; })) {
    retry_at_ = net::Loop::now() + kPause;
    return;
  }
  const std::vector<std::uint64_t> waited(waiting_.begin(), std::ranges::upper_bound(waiting_, newest_call));
  for (const std::uint64_t id : waited) finish(id, std::unexpected(why));
}

void Pool::late(std::uint64_t id) {
  const auto at = calls_.find(id);
  if (at == calls_.end()) return;
  ClientConnection* const connection = at->second.connection;
  if (connection != nullptr) {
    drop(*connection);
    assign_soon();
  }
  finish(id,
         std::unexpected(
             connection != nullptr
                 ? CallFailure{.sent = true, .text = "no answer in time (look at the server's log)"}
                 : CallFailure{.sent = false,
                               .text = "no connection was free in time (the server is slow, or cannot be reached)"}));
}

bool Pool::cancel(std::uint64_t id) {
  const auto at = calls_.find(id);
  if (at == calls_.end()) return false;
  ClientConnection* const connection = at->second.connection;
  if (connection != nullptr) {
    drop(*connection);
    assign_soon();
  }
  std::erase(waiting_, id);
  calls_.erase(at);
  return connection != nullptr;
}

void Pool::finish(std::uint64_t id, std::expected<Response, CallFailure> outcome) {
  const auto at = calls_.find(id);
  if (at == calls_.end()) return;
  if (!outcome) outcome.error().text = where(at->second.call) + ": " + outcome.error().text;
  std::erase(waiting_, id);
  Client::Done done = std::move(at->second.done);
  calls_.erase(at);
  done(std::move(outcome));
}

std::string Pool::where(const Call& call) const {
  const std::string_view path = std::string_view(call.target).substr(0, call.target.find('?'));
  return std::string(call.method == Method::Post ? "POST " : "GET ")
      .append(common_->url.text())
      .append(is_visible(path) ? path : std::string_view());
}

void Pool::close() {
  closed_ = true;
  for (const ConnectionHandle& connection : connections_) connection->close();
  connections_.clear();
  free_.clear();
  waiting_.clear();
  // What a call holds may itself make or cancel calls when it goes.
  const Calls last = std::exchange(calls_, {});
}

class LoopClient final : public Client {
 public:
  explicit LoopClient(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
  LoopClient(const LoopClient&) = delete;
  LoopClient& operator=(const LoopClient&) = delete;
  ~LoopClient() override { pool_->close(); }

  std::uint64_t call(Call call, Done done) override { return pool_->call(std::move(call), std::move(done)); }
  bool cancel(std::uint64_t id) override { return pool_->cancel(id); }
  void close() override { pool_->close(); }

 private:
  std::shared_ptr<Pool> pool_;
};

}  // namespace

files::OrText<std::unique_ptr<Client>> Client::make(net::Loop& loop, const HttpClientOptions& options) {
  QSP_TRY(Url url, parse_url(options.url));
  QSP_TRY(TlsContext tls, url.tls ? make_client_context(options.tls) : nullptr);
  std::string name = options.server_name.empty() ? url.address.host : options.server_name;
  if (url.tls && !make_client_end(tls, name)) {
    return std::unexpected("server name: no certificate can be for this one; give a host name or an IP address");
  }
  auto common = std::make_shared<const Common>(Common{
      .loop = loop, .options = options, .url = std::move(url), .server_name = std::move(name), .tls = std::move(tls)});
  return std::make_unique<LoopClient>(std::make_shared<Pool>(std::move(common)));
}

}  // namespace qsp::https

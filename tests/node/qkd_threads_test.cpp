// QKD keys for the sessions of several threads from one KME over TLS: what runs at once here is what ThreadSanitizer
// looks at.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/uuid.hpp"
#include "etsi014/etsi014.hpp"
#include "files/temp_folder.hpp"
#include "https/authority.hpp"
#include "https/server.hpp"
#include "net/connection.hpp"
#include "node/qkd_delivery.hpp"

namespace qsp::node {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

constexpr std::size_t kThreads = 3;
constexpr std::size_t kSessions = 60;  ///< of each thread

std::string key_id_of(std::size_t number) {
  const std::string digits = std::to_string(number);
  return "00000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

/// Answers each call a moment later, from a thread of its own.
class SlowKme final : public https::Handler {
 public:
  SlowKme() : thread_([this](const std::stop_token& stop) { work(stop); }) {}

  void handle(https::Request request, https::Respond respond) override {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(std::move(request), std::move(respond));
    wake_.notify_one();
  }

 private:
  void work(const std::stop_token& stop) {
    std::mt19937 random(1);
    std::unique_lock lock(mutex_);
    while (wake_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
      auto [request, respond] = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 500));
      respond(answer(request));
      lock.lock();
    }
  }

  https::Response answer(const https::Request& request) {
    https::Response response;
    if (request.target.path.back() == "status") {
      response.body = etsi014::to_json(etsi014::Status{.source_kme_id = "a",
                                                       .target_kme_id = "b",
                                                       .master_sae_id = "c",
                                                       .slave_sae_id = "d",
                                                       .key_size = 256,
                                                       .stored_key_count = 5,
                                                       .max_key_count = 1000,
                                                       .max_key_per_request = 1,
                                                       .max_key_size = 256,
                                                       .min_key_size = 256,
                                                       .max_sae_id_count = 0});
      return response;
    }
    etsi014::Key key{.key_id = key_id_of(++given_),
                     .key = etsi014::KeyMaterial::copy_of(std::vector<std::uint8_t>(32))};
    etsi014::KeyContainer container;
    container.keys.push_back(std::move(key));
    response.body = etsi014::to_json(container);
    return response;
  }

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::pair<https::Request, https::Respond>> waiting_;
  std::size_t given_ = 0;
  std::jthread thread_;
};

/// A KME on its own loop and thread, and what a client needs to reach it.
class Site {
 public:
  Site() {
    const auto from = std::chrono::system_clock::now() - 1h;
    auto authority = https::Authority::make("Test CA", from, 48h).value();
    options_.authorities = folder_.with("ca.pem", authority.credential().certificate);
    const https::Subject server{
        .common_name = "kme", .dns_names = {}, .addresses = {"127.0.0.1"}, .uris = {}, .server = true, .client = false};
    const https::Subject client{
        .common_name = "sae", .dns_names = {}, .addresses = {}, .uris = {}, .server = false, .client = true};
    const auto servers = authority.issue(server, from, 48h).value();
    const auto clients = authority.issue(client, from, 48h).value();
    options_.certificate = folder_.with("client.pem", clients.certificate);
    options_.key = folder_.with("client.key", clients.key.reveal_text());
    https::HttpServerOptions listen;
    listen.tls = https::TlsFiles{.certificate = folder_.with("server.pem", servers.certificate),
                                 .key = folder_.with("server.key", servers.key.reveal_text()),
                                 .authorities = options_.authorities,
                                 .revoked = {},
                                 .allow_tls_1_2 = false};
    server_ = https::Server::open(loop_, listen, kme_).value();
    options_.urls = {"https://127.0.0.1:" + std::to_string(server_->port())};
    thread_ = std::jthread([this] { loop_.run(); });
  }
  ~Site() { loop_.io().stop(); }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  [[nodiscard]] const KmeAccess& options() const { return options_; }

 private:
  test::TempFolder folder_;
  net::Loop loop_;
  SlowKme kme_;
  KmeAccess options_;
  std::unique_ptr<https::Server> server_;
  std::jthread thread_;
};

struct Delivered {
  std::size_t keys = 0, failures = 0;
};

/// A session that only counts what it is given.
class CountingChannel final : public Channel {
 public:
  explicit CountingChannel(Delivered& delivered) : delivered_(delivered) {}

  Result<void> provide_qkd_key(DeliveredKey&&, Instant) override {
    ++delivered_.keys;
    return {};
  }
  Result<void> fail_qkd_key(QkdFailure, Instant) override {
    ++delivered_.failures;
    return {};
  }
  std::size_t handle_bytes(MutableBytes in, Instant) override { return in.size(); }
  [[nodiscard]] std::size_t bytes_needed() const noexcept override { return 1; }
  void handle_end_of_stream(Instant) override {}
  [[nodiscard]] std::optional<Instant> next_timeout() const noexcept override { return std::nullopt; }
  void handle_timeout(Instant) override {}
  std::optional<Event> poll_event() override { return std::nullopt; }
  std::size_t poll_transmit(MutableBytes) override { return 0; }
  [[nodiscard]] FrameRoom frame_room() const noexcept override { return {0, 0}; }
  Result<void> seal_app_data(MutableBytes, std::size_t, bool, Instant) override { return {}; }
  Result<void> request_rekey(Instant) override { return {}; }
  void close(Reason, std::string_view) override {}
  [[nodiscard]] Phase phase() const noexcept override { return Phase::Established; }
  [[nodiscard]] std::uint64_t session_id() const noexcept override { return 1; }
  [[nodiscard]] std::uint32_t epoch() const noexcept override { return 1; }
  Result<Exported> export_key(std::string_view, Bytes, std::size_t, std::optional<std::uint32_t>) override {
    return fail(ErrorKind::ApiMisuse, Reason::InternalError, "not here");
  }
  [[nodiscard]] bool may_redial_without_qkd() const noexcept override { return false; }
  [[nodiscard]] ChannelStatus status() const override { return {}; }

 private:
  Delivered& delivered_;
};

class Session final : public net::Connection, private net::ConnectionOwner {
 public:
  Session(net::Loop& loop, net::Socket&& socket, Delivered& delivered, bool& finished)
      : Connection(loop, std::move(socket), {}, std::make_unique<CountingChannel>(delivered), *this),
        finished_(finished) {}

 private:
  void handle_data(const AppData&) override {}
  void connection_established(net::Connection&) override {}
  void connection_rekeyed(net::Connection&) override {}
  void connection_closed(net::Connection&, const Closed&, const net::error_code&) override {}
  void connection_finished(net::Connection&) override { finished_ = true; }

  bool& finished_;
};

/// What became of one session.
struct Account {
  Delivered delivered;
  bool finished = false;
  std::size_t at_end = 0;  ///< keys, where its end came late
};

void abort_soon(net::Loop& loop, const net::ConnectionPtr& session, Account& account, std::mt19937& random) {
  auto timer = std::make_shared<net::Timer>(loop.executor());
  timer->expires_after(std::chrono::microseconds(random() % 20'000));
  timer->async_wait([timer, session, &account](const net::error_code&) {
    session->abort();
    account.at_end = account.delivered.keys;
  });
}

bool all_served(const std::vector<Account>& accounts) {
  for (std::size_t i = 2; i < kSessions; i += 3) {
    if (accounts[i].delivered.keys == 0) return false;
  }
  return true;
}

void expect_right(const Account& account, std::size_t number) {
  EXPECT_EQ(account.delivered.failures, 0U);
  switch (number % 3) {
    case 0:
      EXPECT_EQ(account.delivered.keys, 0U) << "a key for a session that was gone";
      break;
    case 1:
      EXPECT_LE(account.delivered.keys, 1U);
      EXPECT_TRUE(!account.finished || account.delivered.keys == account.at_end) << "a key after the end";
      break;
    default:
      EXPECT_EQ(account.delivered.keys, 1U);
  }
}

/// One thread's sessions: each asks for one key, every third is gone at once, every third soon.
void run_sessions(QkdKeys& keys, std::size_t thread, std::atomic<std::size_t>& delivered) {
  std::vector<Account> accounts(kSessions);
  QkdDelivery delivery(keys, Role::Server);
  std::mt19937 random(static_cast<unsigned>(thread));
  {
    net::Loop loop;
    net::tcp::acceptor acceptor(loop.io(), {asio::ip::address_v4::loopback(), 0});
    std::vector<net::tcp::socket> peers;
    std::vector<net::ConnectionPtr> sessions;
    for (std::size_t i = 0; i < kSessions; ++i) {
      net::Socket socket(loop.executor());
      socket.connect(acceptor.local_endpoint());
      peers.push_back(acceptor.accept());
      Account& account = accounts[i];
      auto& session = sessions.emplace_back(new Session(loop, std::move(socket), account.delivered, account.finished));
      session->set_key_delivery(delivery);
      session->start();
      // A peer of its own each: nobody's budget is spent.
      delivery.fetch(*session, {.sae_id = "sae-" + std::to_string(thread * kSessions + i),
                                .key_id = std::nullopt,
                                .deadline = net::Loop::now() + 60s});
      EXPECT_TRUE(delivery.next_rekey(*session, net::Loop::now(), net::Loop::now()));
      if (i % 3 == 0) session->abort();
      if (i % 3 == 1) abort_soon(loop, session, account, random);
    }
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (!all_served(accounts) && std::chrono::steady_clock::now() < until) loop.io().run_for(5ms);
    // The rest goes with the loop, whatever is still under way for it.
  }
  for (std::size_t i = 0; i < kSessions; ++i) {
    expect_right(accounts[i], i);
    delivered += accounts[i].delivered.keys;
  }
}

TEST(QkdThreads, each_session_that_still_is_gets_its_key_and_none_that_is_gone) {
  Site site;
  auto keys = QkdKeys::open({}, site.options());
  ASSERT_TRUE(keys.has_value()) << keys.error();
  (*keys)->paces().set({.target = 10s, .floor = 60s, .low = std::nullopt});
  std::atomic<std::size_t> delivered = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&keys, i, &delivered] { run_sessions(**keys, i, delivered); });
    }
  }
  EXPECT_GE(delivered, kThreads * kSessions / 3);
  (*keys)->stop();
}

/// SPEC §5.7, "Budget": nothing comes back, whatever becomes of a call.
TEST(QkdThreads, what_is_given_up_under_way_stays_spent) {
  Site site;
  auto keys = QkdKeys::open({}, site.options());
  ASSERT_TRUE(keys.has_value()) << keys.error();
  const Instant now = net::Loop::now();
  for (int i = 0; i < keysource::QkdBudget::kFetches; ++i) {
    EXPECT_FALSE((*keys)->spend("bob", now)) << i;
    (*keys)->cancel((*keys)->fetch({"bob", std::nullopt, now + 60s}, [](const keysource::Answer&) {}));
  }
  (*keys)->stop();
  EXPECT_TRUE((*keys)->spend("bob", now));
}

TEST(QkdThreads, keys_that_are_under_way_are_burned_where_the_source_stops) {
  Site site;
  auto keys = QkdKeys::open({}, site.options());
  ASSERT_TRUE(keys.has_value()) << keys.error();
  std::atomic<int> answers = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&keys, &answers] {
        for (int n = 0; n < 30; ++n) {
          (*keys)->fetch({"bob", std::nullopt, net::Loop::now() + 60s}, [&answers](keysource::Answer) { ++answers; });
        }
      });
    }
  }
  (*keys)->stop();
  const int at_stop = answers;
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(answers, at_stop);
}

}  // namespace
}  // namespace qsp::node

// What a process does with a session's question for a QKD key before and after its source is asked: the budget
// (SPEC §5.7, §7.3), and whose time runs out (§5.9).
#include "node/qkd_delivery.hpp"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "keysource/budget.hpp"
#include "net/connection.hpp"

namespace qsp::node {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

/// A session that notes what it is told of its key.
class Listener final : public Channel {
 public:
  Listener(std::vector<QkdFailure>& failures, bool established) : failures_(failures), established_(established) {}

  Result<void> provide_qkd_key(DeliveredKey&&, Instant) override { return {}; }
  Result<void> fail_qkd_key(QkdFailure why, Instant) override {
    failures_.push_back(why);
    return {};
  }
  std::size_t handle_bytes(MutableBytes in, Instant) override { return in.size(); }
  [[nodiscard]] std::size_t bytes_needed() const noexcept override { return 1; }
  void handle_end_of_stream(Instant) override {}
  [[nodiscard]] std::optional<Instant> next_timeout() const noexcept override { return std::nullopt; }
  void handle_timeout(Instant) override {}
  std::optional<Event> poll_event() override {
    if (!established_ || std::exchange(told_, true)) return std::nullopt;
    return Established{1};
  }
  std::size_t poll_transmit(MutableBytes) override { return 0; }
  [[nodiscard]] FrameRoom frame_room() const noexcept override { return {0, 0}; }
  Result<void> seal_app_data(MutableBytes, std::size_t, bool, Instant) override { return {}; }
  Result<void> request_rekey(Instant) override { return {}; }
  void close(Reason, std::string_view) override {}
  [[nodiscard]] Phase phase() const noexcept override { return established_ ? Phase::Established : Phase::Handshake; }
  [[nodiscard]] std::uint64_t session_id() const noexcept override { return 1; }
  [[nodiscard]] std::uint32_t epoch() const noexcept override { return 1; }
  Result<Exported> export_key(std::string_view, Bytes, std::size_t, std::optional<std::uint32_t>) override {
    return fail(ErrorKind::ApiMisuse, Reason::InternalError, "not here");
  }
  [[nodiscard]] bool may_redial_without_qkd() const noexcept override { return false; }
  [[nodiscard]] ChannelStatus status() const override { return {}; }

 private:
  std::vector<QkdFailure>& failures_;
  bool established_;
  bool told_ = false;
};

class Session final : public net::Connection, private net::ConnectionOwner {
 public:
  Session(net::Loop& loop, net::Socket&& socket, std::vector<QkdFailure>& failures, bool established)
      : Connection(loop, std::move(socket), {}, std::make_unique<Listener>(failures, established), *this) {}

 private:
  void handle_data(const AppData&) override {}
  void connection_established(net::Connection&) override {}
  void connection_rekeyed(net::Connection&) override {}
  void connection_closed(net::Connection&, const Closed&, const net::error_code&) override {}
  void connection_finished(net::Connection&) override {}
};

/// One session of a process that has no source of keys: what is asked fails as Unavailable.
class Delivery : public testing::Test {
 protected:
  static constexpr const char* kPeer = "SAE-bob";
  static constexpr const char* kKeyId = "0f0e0d0c-0b0a-4988-8766-554433221100";

  void start(bool established) {
    net::Socket socket(loop.executor());
    socket.connect(acceptor.local_endpoint());
    peer = acceptor.accept();
    session = new Session(loop, std::move(socket), failures, established);
    session->set_key_delivery(delivery);
    session->start();
    ASSERT_EQ(session->established(), established);
  }
  /// Spends the whole budget, so that the next fetch is free after this time.
  Instant spend(std::chrono::nanoseconds free_after) {
    const Instant then = net::Loop::now() + free_after - keysource::QkdBudget::kRefill;
    for (int i = 0; i < keysource::QkdBudget::kFetches; ++i) EXPECT_FALSE(keys->spend(kPeer, then));
    return then + keysource::QkdBudget::kRefill;
  }
  void ask(std::optional<std::string> key_id, std::chrono::nanoseconds time) {
    delivery.fetch(*session, {.sae_id = kPeer, .key_id = std::move(key_id), .deadline = net::Loop::now() + time});
  }
  /// Runs the loop until the session was told something.
  void run_until_told() {
    const Instant until = net::Loop::now() + 60s;
    while (failures.empty() && net::Loop::now() < until) loop.io().run_for(5ms);
  }

  std::unique_ptr<QkdKeys> keys = QkdKeys::open({}, {}).value();
  QkdDelivery delivery{*keys, Role::Client};
  net::Loop loop;
  net::tcp::acceptor acceptor{loop.io(), {asio::ip::address_v4::loopback(), 0}};
  net::tcp::socket peer{loop.io()};
  std::vector<QkdFailure> failures;
  net::ConnectionPtr session;
};

using Failures = std::vector<QkdFailure>;

// SPEC §5.7: "A handshake whose budget is spent before its first call ends with LIMIT", at either end.
TEST_F(Delivery, a_handshake_whose_budget_is_spent_is_told_so_at_once) {
  start(false);
  spend(1h);
  ask(std::nullopt, 4s);
  EXPECT_EQ(failures, Failures{QkdFailure::Budget});
  ask(kKeyId, 8s);
  EXPECT_EQ(failures, Failures(2, QkdFailure::Budget));
}

// SPEC §7.3: a server's rekey goes into Backoff at once.
TEST_F(Delivery, a_servers_rekey_whose_budget_is_spent_is_told_so_at_once) {
  start(true);
  spend(1h);
  ask(std::nullopt, 20s);
  EXPECT_EQ(failures, Failures{QkdFailure::Budget});
}

// SPEC §7.3, Appendix B 13: a client's rekey waits for the refill, and then asks.
TEST_F(Delivery, a_clients_rekey_waits_for_the_refill_of_its_budget) {
  start(true);
  const Instant free = spend(100ms);
  ask(kKeyId, 20s);
  EXPECT_TRUE(failures.empty());
  run_until_told();
  EXPECT_GE(net::Loop::now(), free);
  EXPECT_EQ(failures, Failures{QkdFailure::Unavailable}) << "there is no source; the budget was no reason";
  EXPECT_TRUE(keys->spend(kPeer, free)) << "the refill is spent";
}

// SPEC §7.3: never a NAK for a spent budget, so it is told before the session's own timer would say one.
TEST_F(Delivery, a_clients_rekey_that_would_wait_too_long_is_told_so_at_once) {
  start(true);
  spend(1h);
  ask(kKeyId, 20s);
  EXPECT_EQ(failures, Failures{QkdFailure::Budget});
}

TEST_F(Delivery, a_clients_rekey_that_is_gone_before_the_refill_asks_nobody) {
  start(true);
  const Instant free = spend(50ms);
  ask(kKeyId, 20s);
  session->abort();
  while (net::Loop::now() < free + 50ms) loop.io().run_for(10ms);
  EXPECT_TRUE(failures.empty());
}

/// SPEC §5.9: "not a timer of the handshake". A source that fails because its time is up leaves the reason to the
/// session's own timers, which know whose time it was; one that fails before is told at once.
TEST_F(Delivery, a_failure_for_want_of_time_is_left_to_the_sessions_timers) {
  start(false);
  ask(kKeyId, 100ms);
  loop.io().run_for(300ms);
  EXPECT_TRUE(failures.empty());
  ask(kKeyId, 60s);
  run_until_told();
  EXPECT_EQ(failures, Failures{QkdFailure::Unavailable});
}

}  // namespace
}  // namespace qsp::node

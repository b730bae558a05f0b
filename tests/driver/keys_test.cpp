#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <thread>

#include "driver/world.hpp"

namespace qsp::tcp::test {
namespace {

/// No answer is the work of a timer.
constexpr std::chrono::hours kLongerThanAnyTest{1};
constexpr std::string_view kKeyId = "0f5e9ad4-8c6b-4e0e-9d55-6a0f5ae8a001";

/// Gives every asker the same key, on a thread of its own, as a KME's client would.
class OneKey final : public keysource::KeySource {
 public:
  ~OneKey() override {
    for (std::thread& each : threads_) each.join();
  }
  keysource::Ticket fetch(keysource::Request request, keysource::Done done) override {
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([request = std::move(request), done = std::move(done)]() mutable {
      QkdKey key;
      for (std::uint8_t& byte : key.writable()) byte = 7;
      done(DeliveredKey{request.key_id.value_or(std::string(kKeyId)), std::move(key)});
    });
    return 0;
  }
  void cancel(keysource::Ticket) override {}
  [[nodiscard]] std::optional<keysource::SourceStatus> status(std::string_view) const override { return std::nullopt; }

 private:
  std::mutex mutex_;
  std::vector<std::thread> threads_;
};

class NoKey final : public keysource::KeySource {
 public:
  keysource::Ticket fetch(keysource::Request, keysource::Done done) override {
    done(std::unexpected(keysource::Failed{QkdFailure::Unavailable, "none here"}));
    return 0;
  }
  void cancel(keysource::Ticket) override {}
  [[nodiscard]] std::optional<keysource::SourceStatus> status(std::string_view) const override { return std::nullopt; }
};

struct Qkd : testing::Test, World {
  Qkd() {
    alice.qkd = bob.qkd = QkdPolicy::Required;
    alice.sae_id = "sae-alice";
    bob.sae_id = "sae-bob";
  }
  Result<Session, Failure> dial(keysource::KeySource* alices, keysource::KeySource* bobs) {
    ServerOptions serving = server();
    serving.handshake_timeout = kLongerThanAnyTest;
    serving.qkd = QkdPolicy::Required;
    serving.sae_id = "sae-bob";
    listening.emplace(serve({.host = "127.0.0.1", .port = 0}, make_provider(), serving, {.keys = bobs}).value());
    ClientOptions calling = client();
    calling.handshake_timeout = kLongerThanAnyTest;
    calling.sae_id = "sae-alice";
    return connect(listening->address(), make_provider(), calling, {.keys = alices});
  }
};

TEST_F(Qkd, a_key_that_comes_from_another_thread_is_in_the_session) {
  OneKey keys;
  {
    const auto session = dial(&keys, &keys);
    ASSERT_TRUE(session) << session.error().text;
    EXPECT_EQ(session->status().current.key_id, kKeyId);
  }
  listening.reset();
}

TEST_F(Qkd, without_a_key_source_the_handshake_fails) {
  OneKey keys;
  EXPECT_FALSE(dial(nullptr, &keys));
  EXPECT_FALSE(dial(&keys, nullptr));
  listening.reset();
}

TEST_F(Qkd, a_source_that_has_none_ends_the_handshake_at_once) {
  OneKey keys;
  NoKey none;
  const auto session = dial(&keys, &none);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().reason, Reason::QkdUnavailable);
  listening.reset();
}

}  // namespace
}  // namespace qsp::tcp::test

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "net/harness.hpp"

namespace qsp::net::test {
namespace {

TestOptions limited(const Limits& limits) {
  TestOptions options;
  options.server.limits = limits;
  return options;
}

// SPEC Appendix B 37.
TEST(Limits, a_silent_connection_gives_way_to_a_newcomer_of_its_source) {
  TestServer server(limited({.handshakes_per_source = 2}));
  Peer first(server.port());
  Peer second(server.port());
  Peer third(server.port());
  EXPECT_FALSE(first.read_raw().has_value());
  ASSERT_TRUE(server.events.wait([&] { return server.events.refusals == 1; }));
  EXPECT_EQ(server.events.read(&Recorded::last_refusal), Refusal::Displaced);
  EXPECT_TRUE(second.handshake());
  EXPECT_TRUE(third.handshake());
  expect_serves(server.port());
}

TEST(Limits, a_silent_connection_gives_way_to_a_newcomer_of_any_source) {
  TestServer server(limited({.handshakes = 1}));
  Peer first(server.port());
  Peer second(server.port());
  EXPECT_FALSE(first.read_raw().has_value());
  EXPECT_TRUE(second.handshake());
}

/// Answers the first bytes with one, and says why it was closed with another; never becomes a session.
class AnsweringEndpoint final : public IdleEndpoint {
 public:
  std::size_t handle_bytes(MutableBytes in, Instant now) override {
    if (!std::exchange(answered_, true)) waiting_.push_back(1);
    return IdleEndpoint::handle_bytes(in, now);
  }
  std::size_t poll_transmit(MutableBytes out) override {
    std::copy(waiting_.begin(), waiting_.end(), out.begin());
    return std::exchange(waiting_, {}).size();
  }
  void close(Reason reason, std::string_view text) override {
    waiting_.push_back(static_cast<std::uint8_t>(reason));
    IdleEndpoint::close(reason, text);
  }

 private:
  bool answered_ = false;
  std::vector<std::uint8_t> waiting_;
};

// SPEC Appendix B 37, §8.6: "A handshake under way keeps its place for 500 ms from accept"
TEST(Limits, a_handshake_under_way_gives_way_once_it_has_had_its_fair_chance) {
  using Said = std::vector<std::uint8_t>;
  for (const Limits& limits : {Limits{.handshakes = 2}, Limits{.handshakes_per_source = 2}, Limits{.sessions = 2}}) {
    TestOptions options = limited(limits);
    options.make_endpoint = [] { return std::make_unique<AnsweringEndpoint>(); };
    TestServer server(options);
    const auto began = std::chrono::steady_clock::now();
    std::vector<std::unique_ptr<Peer>> shaking;
    for (int i = 0; i < 2; ++i) {
      shaking.push_back(std::make_unique<Peer>(server.port()));
      shaking.back()->write_raw(pattern(4));
      ASSERT_EQ(shaking.back()->read_raw(), Said{1});
    }
    std::unique_ptr<Peer> newcomer;
    std::optional<Said> answer;
    while (!answer) {  // refused until then
      ASSERT_LT(std::chrono::steady_clock::now() - began, kPatience);
      newcomer = std::make_unique<Peer>(server.port());
      newcomer->write_raw(pattern(4));
      answer = newcomer->read_raw();
      if (!answer) std::this_thread::sleep_for(5ms);
    }
    EXPECT_GE(std::chrono::steady_clock::now() - began, kFairChance);
    EXPECT_EQ(answer, Said{1});
    EXPECT_EQ(shaking.front()->read_raw(), Said{static_cast<std::uint8_t>(Reason::Limit)}) << "the oldest";
    EXPECT_FALSE(shaking.front()->read_raw().has_value()) << "closed at once, not after a linger";
    ASSERT_TRUE(server.events.wait([&] { return server.events.displaced_handshakes == 1; }));
  }
}

TEST(Limits, a_first_message_has_a_time_of_its_own) {
  TestOptions options;
  EXPECT_EQ(options.server.first_frame_timeout, 3s) << "SPEC §8.5";
  options.server.first_frame_timeout = 200ms;
  TestServer server(options);
  Peer silent(server.port());
  Peer half(server.port());
  half.write_raw(pattern(0));
  half.write_raw(std::vector<std::uint8_t>{1, 0, 0});
  EXPECT_FALSE(silent.read_raw().has_value());
  EXPECT_FALSE(half.read_raw().has_value());
  ASSERT_TRUE(server.events.wait([&] { return server.events.ends.size() == 2; }));
  for (const Recorded::End& end : server.events.read(&Recorded::ends)) EXPECT_EQ(end.closed.reason, Reason::Timeout);
  Peer prompt(server.port());
  ASSERT_TRUE(prompt.handshake());
  std::this_thread::sleep_for(300ms);
  prompt.send(pattern(10));
  EXPECT_EQ(prompt.receive(10), pattern(10)) << "the limit is for the first message alone";
}

TEST(Limits, a_foreign_protocol_is_named_and_ends_at_once) {
  TestServer server;
  for (const std::string_view hello : {"SSH-2.0-x\r\n", "GET / HTTP/1.0\r\n\r\n", "\x16\x03\x01\x02"}) {
    const std::size_t before = server.events.read(&Recorded::ends).size();
    Peer peer(server.port());
    for (const char c : hello) peer.write_raw(as_bytes(std::string_view(&c, 1)));
    const auto started = std::chrono::steady_clock::now();
    EXPECT_FALSE(peer.read_raw().has_value()) << "it gets no answer that it could not read";
    EXPECT_LT(std::chrono::steady_clock::now() - started, 1s);
    ASSERT_TRUE(server.events.wait([&] { return server.events.ends.size() == before + 1; }));
  }
  ASSERT_TRUE(server.events.wait([&] { return server.events.kinds.size() == 3; }));
  EXPECT_EQ(server.events.read(&Recorded::kinds).front(), "the peer speaks SSH, not QSP");
}

TEST(Limits, many_empty_connections_are_told_once) {
  TestServer server;
  constexpr std::size_t kMany = 500;
  for (std::size_t i = 0; i < kMany; ++i) Peer(server.port()).disconnect();
  ASSERT_TRUE(server.events.wait([&] { return server.events.ends.size() == kMany; }));
  server.stop();
  EXPECT_EQ(server.events.read(&Recorded::told), 2U) << "the first, and the rest at the end";
  EXPECT_EQ(server.events.read(&Recorded::strange), kMany);
}

TEST(Limits, sessions_are_refused_beyond_their_number_until_one_ends) {
  TestServer server(limited({.sessions = 2}));
  Peer first(server.port());
  Peer second(server.port());
  ASSERT_TRUE(first.handshake());
  ASSERT_TRUE(second.handshake());
  EXPECT_FALSE(Peer(server.port()).handshake());
  ASSERT_TRUE(server.events.wait([&] { return server.events.refusals == 1; }));
  EXPECT_EQ(server.events.read(&Recorded::last_refusal), Refusal::Sessions);
  first.disconnect();
  ASSERT_TRUE(server.events.wait([&] { return server.events.ends.size() == 1; }));
  expect_serves(server.port());
}

TEST(Limits, a_flood_of_refusals_is_told_once_a_minute_and_counted_whole) {
  TestServer server(limited({.sessions = 1}));
  Peer first(server.port());
  ASSERT_TRUE(first.handshake());
  constexpr int kFlood = 200;
  for (int i = 0; i < kFlood; ++i) EXPECT_FALSE(Peer(server.port()).read_raw().has_value());
  server.stop();
  EXPECT_EQ(server.events.read(&Recorded::refusal_reports), 2U) << "the first, and the rest at the end";
  EXPECT_EQ(server.events.read(&Recorded::refusals), std::uint64_t{kFlood});
}

/// The soft limit of descriptors, put back at the end.
class DescriptorLimit {
 public:
  DescriptorLimit() { ::getrlimit(RLIMIT_NOFILE, &before_); }
  ~DescriptorLimit() { restore(); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

  /// Allows no descriptor beyond those up to the lowest free one.
  void forbid_new() const {
    const int lowest_free = ::dup(STDIN_FILENO);
    ::close(lowest_free);
    const rlimit none{.rlim_cur = static_cast<rlim_t>(lowest_free), .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  void restore() const { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

std::size_t open_files() {
  std::size_t count = 0;
  for (int fd = 0; fd < 4096; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

TEST(Limits, running_out_of_descriptors_pauses_accepting_and_is_told_once) {
  TestServer server;
  const std::size_t at_rest = open_files();
  expect_serves(server.port());
  ASSERT_TRUE(server.events.wait([&] { return server.events.ends.size() == 1; }));
  // The end is told before the socket is closed, whose number would then be free below the limit.
  for (int i = 0; i < 9000 && open_files() > at_rest; ++i) std::this_thread::sleep_for(10ms);
  ASSERT_LE(open_files(), at_rest);
  const DescriptorLimit limit;
  // The peer's own socket takes the last descriptor; the connection waits in the backlog.
  std::unique_ptr<Peer> waiting;
  {
    const int spare = ::dup(STDIN_FILENO);
    limit.forbid_new();
    ::close(spare);
    waiting = std::make_unique<Peer>(server.port());
  }
  ASSERT_TRUE(server.events.wait([&] { return server.events.accept_failures == 1; }));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(350ms);
  const std::clock_t used = std::clock() - before;
  limit.restore();  // first: a sanitizer's report needs descriptors too
  EXPECT_LT(used, CLOCKS_PER_SEC / 50) << "it spins";
  EXPECT_EQ(server.events.read(&Recorded::accept_failures), 1U);
  EXPECT_TRUE(waiting->handshake());
}

}  // namespace
}  // namespace qsp::net::test

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <memory>
#include <vector>

#include "net/harness.hpp"

namespace qsp::net::test {
namespace {

TestOptions limited(const Limits& limits) {
  TestOptions options;
  options.server.limits = limits;
  return options;
}

TEST(Limits, UnfinishedHandshakesOfOneSourceAreRefusedBeyondTheirNumber) {
  TestServer server(limited({.handshakes_per_source = 2}));
  Peer first(server.port());
  Peer second(server.port());
  Peer third(server.port());
  EXPECT_FALSE(third.read_raw().has_value());
  ASSERT_TRUE(server.events.wait([&] { return server.events.refusals == 1; }));
  EXPECT_EQ(server.events.read(&Recorded::last_refusal), Refusal::HandshakesOfSource);

  // One that finishes makes room, one that goes away does too.
  ASSERT_TRUE(first.handshake());
  expect_serves(server.port());
  second.disconnect();
  ASSERT_TRUE(server.events.wait([&] { return server.events.ends.size() == 2; }));
  Peer fourth(server.port());
  Peer fifth(server.port());
  EXPECT_TRUE(fourth.handshake());
  EXPECT_TRUE(fifth.handshake());
}

TEST(Limits, UnfinishedHandshakesOfAllAreRefusedBeyondTheirNumber) {
  TestServer server(limited({.handshakes = 1}));
  Peer first(server.port());
  Peer second(server.port());
  EXPECT_FALSE(second.read_raw().has_value());
  ASSERT_TRUE(server.events.wait([&] { return server.events.refusals == 1; }));
  EXPECT_EQ(server.events.read(&Recorded::last_refusal), Refusal::Handshakes);
}

TEST(Limits, SessionsAreRefusedBeyondTheirNumberUntilOneEnds) {
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

TEST(Limits, AFloodOfRefusalsIsToldOnceASecondAndCountedWhole) {
  TestServer server(limited({.sessions = 1}));
  Peer first(server.port());
  ASSERT_TRUE(first.handshake());
  constexpr int kFlood = 200;
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < kFlood; ++i) EXPECT_FALSE(Peer(server.port()).read_raw().has_value());
  server.stop();
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  // The first at once, the rest each second, and what is left at the end.
  EXPECT_LE(static_cast<double>(server.events.read(&Recorded::refusal_reports)), 3 + seconds)
      << "each was told on its own";
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

TEST(Limits, RunningOutOfDescriptorsPausesAcceptingAndIsToldOnce) {
  TestServer server;
  expect_serves(server.port());
  ASSERT_TRUE(server.events.wait([&] { return server.events.ends.size() == 1; }));
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

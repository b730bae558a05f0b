#include "net/server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "net/dial.hpp"
#include "net/harness.hpp"

namespace qsp::net::test {
namespace {

TEST(Server, echoes_many_clients_over_several_threads) {
  TestOptions options;
  options.server.threads = 3;
  options.server.limits.handshakes_per_source = 100;
  TestServer server(options);

  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 60; ++i) peers.push_back(std::make_unique<Peer>(server.port()));
  for (const auto& peer : peers) ASSERT_TRUE(peer->handshake());
  for (std::uint32_t i = 0; i < peers.size(); ++i) {
    peers[i]->send(pattern(40'000, i));
    peers[i]->send(pattern(1, i));
  }
  for (std::uint32_t i = 0; i < peers.size(); ++i) {
    std::vector<std::uint8_t> expected = pattern(40'000, i);
    expected.push_back(pattern(1, i).front());
    EXPECT_EQ(peers[i]->receive(expected.size()), expected);
  }
  EXPECT_EQ(server.events.read(&Recorded::established), peers.size());
}

TEST(Server, handles_frames_that_arrive_byte_by_byte) {
  TestServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.handshake());
  const std::vector<std::uint8_t> sent = pattern(300);
  for (const std::uint8_t byte : peer.seal(sent)) peer.write_raw({&byte, 1});
  EXPECT_EQ(peer.receive(sent.size()), sent);
}

TEST(Server, handles_large_frames_cut_anywhere) {
  TestServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.handshake());
  std::vector<std::uint8_t> sent;
  std::size_t cut = 1;
  for (std::uint32_t i = 0; i < 40; ++i) {
    const std::vector<std::uint8_t> data = pattern(Endpoint::kMaxPlaintext - i, i);
    const std::vector<std::uint8_t> frame = peer.seal(data);
    cut = (cut * 7919) % frame.size();
    peer.write_raw(Bytes(frame).first(cut));
    std::this_thread::sleep_for(1ms);
    peer.write_raw(Bytes(frame).subspan(cut));
    sent.insert(sent.end(), data.begin(), data.end());
    ASSERT_EQ(peer.receive(sent.size()).size(), sent.size());
  }
  EXPECT_EQ(peer.receive(sent.size()), sent);
}

TEST(Server, rekeys_after_the_configured_frames) {
  TestServer server({.rekey_after = 6});
  Peer peer(server.port());
  ASSERT_TRUE(peer.handshake());
  std::vector<std::uint8_t> sent;
  for (std::uint32_t i = 0; i < 30; ++i) {
    const std::vector<std::uint8_t> data = pattern(100, i);
    peer.send(data);
    sent.insert(sent.end(), data.begin(), data.end());
    ASSERT_EQ(peer.receive(sent.size()), sent);
  }
  // 60 frames, 6 to an epoch; the rekey of the last may still be under way.
  EXPECT_TRUE(server.events.wait([&] { return server.events.rekeyed >= 8; }));
  EXPECT_GE(peer.endpoint().epoch(), 9U);
}

TEST(Server, a_slow_reader_is_held_up_and_holds_up_nobody) {
  TestServer server;
  constexpr int kSmallBuffer = 16 * 1024;
  Peer slow(server.port(), kSmallBuffer);
  ASSERT_TRUE(slow.handshake());

  // Kernel buffers of a loopback connection take some 10 MB of each direction at most; nothing beyond may be taken.
  constexpr std::size_t kOffered = std::size_t{96} * 1024 * 1024;
  constexpr std::size_t kMostBuffered = std::size_t{32} * 1024 * 1024;
  std::vector<std::uint8_t> sent;
  std::vector<std::uint8_t> frame;
  std::size_t at = 0;
  for (int idle = 0; idle < 50 && sent.size() < kOffered;) {
    if (at == frame.size()) {
      const std::vector<std::uint8_t> data = pattern(Endpoint::kMaxPlaintext, static_cast<std::uint32_t>(sent.size()));
      sent.insert(sent.end(), data.begin(), data.end());
      frame = slow.seal(data);
      at = 0;
    }
    const std::size_t count = slow.write_some(Bytes(frame).subspan(at));
    at += count;
    if (count == 0) std::this_thread::sleep_for(10ms);
    idle = count == 0 ? idle + 1 : 0;
  }
  EXPECT_LT(sent.size(), kMostBuffered) << "the server takes more than it can send back";
  expect_serves(server.port());

  // Read on, and the rest comes, complete and in order.
  std::thread rest([&] { slow.write_raw(Bytes(frame).subspan(at)); });
  EXPECT_TRUE(std::ranges::equal(slow.receive(sent.size()), sent));
  rest.join();
}

TEST(Server, stop_closes_every_session_normally) {
  TestServer server;
  Peer idle(server.port());
  Peer unfinished(server.port());
  ASSERT_TRUE(idle.handshake());
  server.stop();
  idle.receive_to_end();
  ASSERT_TRUE(idle.closed.has_value());
  EXPECT_EQ(idle.closed->reason, Reason::Normal);
  EXPECT_TRUE(idle.closed->by_peer);
  EXPECT_FALSE(unfinished.read_raw().has_value());
  EXPECT_EQ(server.server().sessions(), 0U);
}

TEST(Server, stop_does_not_wait_for_a_peer_that_never_ends) {
  TestOptions options;
  options.server.stop_timeout = 300ms;
  TestServer server(options);
  Peer stubborn(server.port());
  ASSERT_TRUE(stubborn.handshake());
  const auto started = std::chrono::steady_clock::now();
  server.stop();
  EXPECT_GE(std::chrono::steady_clock::now() - started, options.server.stop_timeout);
  EXPECT_EQ(server.server().sessions(), 1U);
}

TEST(Server, after_its_close_it_waits_two_seconds_for_the_peer_at_most) {
  TestServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.handshake());
  std::vector<std::uint8_t> frame = peer.seal(pattern(10));
  frame.back() ^= 1;
  const auto started = std::chrono::steady_clock::now();
  peer.write_raw(frame);
  peer.receive_to_end();  // its CLOSE and its end of stream; the connection stands until this end ends too
  ASSERT_TRUE(peer.closed.has_value());
  // Bytes are taken and dropped until it waits no longer; then they are answered with a reset.
  const std::uint8_t byte = 0;
  while (peer.write_some({&byte, 1}) != 0) {
    ASSERT_LT(std::chrono::steady_clock::now(), started + kPatience) << "it waits for ever";
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_GE(std::chrono::steady_clock::now() - started, Connection::kLinger);
}

TEST(Server, says_which_port_is_in_use) {
  TestServer first;
  Recorded events;
  ListenOptions options{.listen = {.host = "127.0.0.1", .port = first.port()}};
  const auto second = Server::open(
      options, []() -> std::expected<std::unique_ptr<SessionFactory>, std::string> { return nullptr; }, events);
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().find("in use"), std::string::npos) << second.error();
  EXPECT_NE(second.error().find(std::to_string(first.port())), std::string::npos) << second.error();
}

TEST(Server, says_what_is_wrong_with_an_address) {
  Recorded events;
  const auto open = [&events](const char* host) {
    return Server::open(
        {.listen = {.host = host, .port = 0}},
        []() -> std::expected<std::unique_ptr<SessionFactory>, std::string> { return nullptr; }, events);
  };
  const auto unknown = open("no-such-host.invalid");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_NE(unknown.error().find("no such host"), std::string::npos) << unknown.error();
  const auto foreign = open("192.0.2.1");  // RFC 5737: nobody has this address
  ASSERT_FALSE(foreign.has_value());
  EXPECT_NE(foreign.error().find("no such address"), std::string::npos) << foreign.error();
}

/// A server's first connection takes the last of the memory. Returns if the server survives that.
void run_out_of_memory() {
  TestOptions options;
  options.make_endpoint = []() -> std::unique_ptr<Endpoint> { throw std::bad_alloc(); };
  TestServer server(options);
  const Peer peer(server.port());
  static_cast<void>(peer.read_raw());
}

TEST(ServerDeathTest, a_server_without_memory_ends_and_does_not_turn_deaf) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run_out_of_memory(), "bad_alloc");
}

}  // namespace
}  // namespace qsp::net::test

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "net/harness.hpp"

namespace qsp::net::test {
namespace {

TEST(HostilePeer, garbage_ends_its_own_session_only) {
  TestServer server;
  Peer victim(server.port());
  ASSERT_TRUE(victim.handshake());
  Peer peer(server.port());
  peer.write_raw(pattern(100'000));
  EXPECT_FALSE(peer.read_raw().has_value());
  ASSERT_TRUE(server.events.wait([&] { return server.events.ends.size() == 1; }));
  EXPECT_EQ(server.events.read(&Recorded::ends).front().closed.reason, Reason::ProtocolError);
  victim.send(pattern(10));
  EXPECT_EQ(victim.receive(10), pattern(10));
}

TEST(HostilePeer, stopping_inside_a_frame_holds_up_nobody_and_is_truncation) {
  TestServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.handshake());
  const std::vector<std::uint8_t> frame = peer.seal(pattern(60'000));
  peer.write_raw(Bytes(frame).first(30'000));
  expect_serves(server.port());
  peer.disconnect();
  ASSERT_TRUE(server.events.wait([&] { return server.events.ends.size() == 2; }));
  EXPECT_TRUE(server.events.read(&Recorded::ends).back().closed.truncated);
}

TEST(HostilePeer, end_of_stream_without_close_is_truncation) {
  TestServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.handshake());
  peer.end_writing();
  EXPECT_FALSE(peer.read_raw().has_value());
  ASSERT_TRUE(server.events.wait([&] { return server.events.ends.size() == 1; }));
  const Recorded::End end = server.events.read(&Recorded::ends).front();
  EXPECT_TRUE(end.closed.truncated);
  EXPECT_TRUE(end.established);
}

TEST(HostilePeer, every_length_of_a_handshake_cut_short_is_survived) {
  TestServer server;
  std::array<std::uint8_t, 64> hello{};
  for (std::size_t cut = 0; cut < 58; ++cut) {
    Peer peer(server.port());
    const std::size_t whole = peer.endpoint().poll_transmit(hello);
    ASSERT_EQ(whole, 58U);
    peer.write_raw(Bytes(hello).first(cut));
    peer.end_writing();
    EXPECT_FALSE(peer.read_raw().has_value());
  }
  ASSERT_TRUE(server.events.wait([&] { return server.events.ends.size() == 58; }));
  EXPECT_EQ(server.events.read(&Recorded::established), 0U);
  expect_serves(server.port());
}

TEST(HostilePeer, reads_the_close_though_its_own_data_is_still_on_its_way) {
  TestServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.handshake());
  std::vector<std::uint8_t> flood = peer.seal(pattern(10));
  flood.back() ^= 1;
  const std::vector<std::uint8_t> behind = pattern(std::size_t{1} * 1024 * 1024);
  flood.insert(flood.end(), behind.begin(), behind.end());
  peer.write_raw(flood);
  peer.receive_to_end();
  ASSERT_TRUE(peer.closed.has_value());
  EXPECT_TRUE(peer.closed->by_peer);
  EXPECT_FALSE(peer.reset) << "a reset can eat the CLOSE";
  EXPECT_EQ(peer.closed->reason, Reason::AeadDecryptFailed);
}

/// Ends itself after 50 ms.
class ShortLived final : public IdleEndpoint {
 public:
  [[nodiscard]] std::optional<Instant> next_timeout() const noexcept override { return end_at_; }
  void handle_timeout(Instant now) override {
    if (!end_at_) {
      end_at_ = now + 50ms;
    } else if (now >= *end_at_) {
      end_at_.reset();
      close(Reason::Timeout, "too late");
    }
  }

 private:
  std::optional<Instant> end_at_;
};

TEST(HostilePeer, silence_ends_when_the_endpoint_says_so) {
  TestServer server({.make_endpoint = [] { return std::make_unique<ShortLived>(); }});
  const auto started = std::chrono::steady_clock::now();
  Peer peer(server.port());
  EXPECT_FALSE(peer.read_raw().has_value());
  EXPECT_GE(std::chrono::steady_clock::now() - started, 45ms);
  ASSERT_TRUE(server.events.wait([&] { return server.events.ends.size() == 1; }));
  EXPECT_EQ(server.events.read(&Recorded::ends).front().closed.reason, Reason::Timeout);
}

}  // namespace
}  // namespace qsp::net::test

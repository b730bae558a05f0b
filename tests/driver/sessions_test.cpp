#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "driver/world.hpp"

namespace qsp::tcp::test {
namespace {

struct Driver : testing::Test, World {};

TEST_F(Driver, carries_data_both_ways_up_to_the_end_of_each) {
  auto [a, b] = meet();
  ASSERT_TRUE(a.write(as_bytes("hello bob")));
  ASSERT_TRUE(a.finish());
  EXPECT_EQ(read_all(b).value(), "hello bob");
  ASSERT_TRUE(b.write(as_bytes("hello alice")));
  ASSERT_TRUE(b.finish());
  EXPECT_EQ(read_all(a).value(), "hello alice");
  EXPECT_EQ(b.status().peer, "alice");

  // SPEC §8.1: both ends have said END, so the session closes by itself, and nothing is lost.
  a.close();
  b.close();
  ASSERT_TRUE(a.closed());
  EXPECT_EQ(a.closed()->reason, Reason::Normal);
  EXPECT_FALSE(a.closed()->truncated);
  EXPECT_FALSE(b.closed()->truncated);
}

TEST_F(Driver, what_is_written_before_close_arrives) {
  auto [a, b] = meet();
  const std::string much(3'000'000, 'x');
  std::thread reader([&b] {
    std::string all;
    std::array<std::uint8_t, 10'000> buffer{};
    while (all.size() < 3'000'000) {
      const auto size = b.read(buffer);
      if (!size) break;
      all += as_text(Bytes(buffer).first(*size));
    }
    EXPECT_EQ(all.size(), 3'000'000U);
    // The end of data was not said: what came may be a part.
    const auto more = b.read(buffer);
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().reason, Reason::Normal);
    EXPECT_TRUE(b.closed()->truncated);
  });
  EXPECT_TRUE(a.write(as_bytes(much)));
  a.close();
  reader.join();
}

TEST_F(Driver, a_program_that_does_not_read_holds_up_the_writer) {
  auto [a, b] = meet();
  // More than both ends' queues and the sockets' buffers hold, and less than what is written.
  constexpr std::size_t kMost = 40U << 20U;
  const std::string piece(1U << 20U, 'y');
  constexpr std::size_t kPieces = 64;
  std::atomic<std::size_t> written = 0;
  std::thread writer([&] {
    for (std::size_t i = 0; i < kPieces; ++i, written += piece.size()) ASSERT_TRUE(a.write(as_bytes(piece)));
    EXPECT_TRUE(a.finish());
  });
  // A writer that is not held up would have passed it long before this second is over.
  for (int i = 0; i < 100 && written <= kMost; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_LE(written, kMost);
  EXPECT_EQ(read_all(b).value().size(), kPieces * piece.size());
  writer.join();
}

TEST_F(Driver, a_program_that_reads_nothing_for_as_long_as_a_rekey_may_take_loses_its_session) {
  ServerOptions short_timer = server();
  short_timer.rekey.timer = std::chrono::milliseconds(200);
  short_timer.rekey.dangerous_short_timers = true;
  listening.emplace(serve({.host = "127.0.0.1", .port = 0}, make_provider(), short_timer).value());
  Session a = connect(listening->address(), make_provider(), client()).value();
  Session b = listening->accept().value();
  const std::string piece(1U << 20U, 'y');
  while (a.write(as_bytes(piece))) {
  }
  // Alice may hear of it first, so Bob is asked in a way that waits.
  EXPECT_EQ(read_all(b).error().reason, Reason::Timeout);
}

TEST_F(Driver, rekey_returns_once_the_keys_have_changed_and_data_goes_on) {
  auto [a, b] = meet();
  EXPECT_EQ(a.status().current.epoch, 1U);
  ASSERT_TRUE(a.rekey());
  EXPECT_EQ(a.status().current.epoch, 2U);
  ASSERT_TRUE(b.rekey());
  EXPECT_EQ(b.status().current.epoch, 3U);
  ASSERT_TRUE(a.write(as_bytes("after")));
  ASSERT_TRUE(a.finish());
  EXPECT_EQ(read_all(b).value(), "after");
}

TEST_F(Driver, both_ends_export_the_same_key) {
  auto [a, b] = meet();
  const auto ours = a.export_key("test", as_bytes("context"), 48);
  const auto theirs = b.export_key("test", as_bytes("context"), 48);
  ASSERT_TRUE(ours && theirs);
  EXPECT_EQ(ours->key.size(), 48U);
  EXPECT_TRUE(constant_time_equal(ours->key.reveal(), theirs->key.reveal()));
  EXPECT_EQ(a.export_key("qsp1 mine", {}, 32).error().kind, ErrorKind::ApiMisuse);

  ASSERT_TRUE(a.rekey());
  const auto later = a.export_key("test", as_bytes("context"), 48);
  const auto former = a.export_key("test", as_bytes("context"), 48, 1);
  ASSERT_TRUE(later && former);
  EXPECT_EQ(later->epoch, 2U);
  EXPECT_FALSE(constant_time_equal(ours->key.reveal(), later->key.reveal()));
  EXPECT_TRUE(constant_time_equal(ours->key.reveal(), former->key.reveal()));
  EXPECT_EQ(a.export_key("test", {}, 32, 7).error().kind, ErrorKind::ApiMisuse);
}

TEST_F(Driver, writing_after_the_end_is_misuse) {
  auto [a, b] = meet();
  ASSERT_TRUE(a.finish());
  EXPECT_EQ(a.write(as_bytes("more")).error().kind, ErrorKind::ApiMisuse);
  EXPECT_EQ(a.finish().error().kind, ErrorKind::ApiMisuse);
  EXPECT_EQ(a.read({}).error().kind, ErrorKind::ApiMisuse);
}

TEST_F(Driver, after_the_end_every_call_says_so) {
  auto [a, b] = meet();
  b.close();
  std::array<std::uint8_t, 10> buffer{};
  EXPECT_FALSE(a.read(buffer));
  EXPECT_FALSE(a.write(as_bytes("x")));
  EXPECT_FALSE(a.rekey());
  EXPECT_FALSE(a.export_key("test", {}, 32));
  EXPECT_EQ(a.status().peer, "bob");  // as it was last
  EXPECT_TRUE(a.closed()->by_peer);
}

TEST_F(Driver, nobody_there_is_a_failure_of_the_environment_that_names_the_address) {
  listening.emplace(serve({.host = "127.0.0.1", .port = 0}, make_provider(), server()).value());
  const Address nobody = listening->address();
  listening.reset();
  const auto session = connect(nobody, make_provider(), client());
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().kind, ErrorKind::Environment);
  EXPECT_NE(session.error().text.find("127.0.0.1:" + std::to_string(nobody.port)), std::string::npos);
}

TEST_F(Driver, a_stranger_is_refused_and_the_server_goes_on) {
  listening.emplace(serve({.host = "127.0.0.1", .port = 0}, make_provider(), server()).value());
  const World others;
  ClientOptions stranger = client();
  stranger.signer = others.alice_key.get();
  const auto refused = connect(listening->address(), make_provider(), stranger);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::HandshakeFailed);
  EXPECT_TRUE(connect(listening->address(), make_provider(), client()));
}

TEST_F(Driver, options_that_no_session_can_have_are_told_at_once) {
  EXPECT_EQ(connect({.host = "127.0.0.1", .port = 1}, make_provider(), {}).error().kind, ErrorKind::ApiMisuse);
  EXPECT_EQ(serve({.host = "127.0.0.1", .port = 0}, make_provider(), {}).error().kind, ErrorKind::ApiMisuse);
}

TEST_F(Driver, sessions_that_ended_before_they_were_accepted_make_room) {
  listening.emplace(serve({.host = "127.0.0.1", .port = 0}, make_provider(), server(), {.sessions = 2}).value());
  const auto call = [this](std::string_view text) {
    auto session = connect(listening->address(), make_provider(), client()).value();
    EXPECT_TRUE(session.write(as_bytes(text)));
    EXPECT_TRUE(session.finish());
    session.close();
  };
  for (const std::string_view text : {"one", "two", "three", "four"}) call(text);
  for (const std::string_view text : {"three", "four"}) {
    auto session = listening->accept().value();
    EXPECT_EQ(read_all(session).value(), text);
  }
}

TEST_F(Driver, stopping_the_server_ends_its_sessions_and_the_wait_for_more) {
  auto [a, b] = meet();
  std::thread waiting([this] { EXPECT_FALSE(listening->accept()); });
  listening->stop();
  waiting.join();
  std::array<std::uint8_t, 10> buffer{};
  EXPECT_EQ(a.read(buffer).error().reason, Reason::Normal);
  listening.reset();
  EXPECT_FALSE(b.write(as_bytes("x")));  // a session may outlive its server
}

}  // namespace
}  // namespace qsp::tcp::test

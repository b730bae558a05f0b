// Sessions whose buffers are kept for the program: bytes of any number go in, and those of any number are taken out.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "channel/world.hpp"
#include "qsp/buffered.hpp"

namespace qsp::test {
namespace {

struct Told {
  bool established = false, end = false;
  std::string data;
  std::optional<Closed> closed;
};

struct Ends : testing::Test {
  Instant now_ = std::chrono::seconds(1);
  World world_;
  Buffered alice_{Channel::client(*world_.client_provider, world_.client, now_).value()};
  Buffered bob_{Channel::server(*world_.server_provider, world_.server, now_).value()};
  Told alices_, bobs_;

  /// Hands over at most `most` bytes. False: nothing waits.
  bool carry(Buffered& from, Buffered& to, std::size_t most) {
    const MutableBytes room = to.room();
    EXPECT_FALSE(room.empty());
    const Bytes waiting = from.unsent();
    const std::size_t size = std::min({most, room.size(), waiting.size()});
    std::copy_n(waiting.begin(), size, room.begin());
    from.sent(static_cast<std::ptrdiff_t>(size));
    if (size != 0) to.received(static_cast<std::ptrdiff_t>(size), now_);
    return size != 0;
  }
  void hear(Buffered& one, Told& told) {
    while (const auto event = one.next_event(now_)) {
      if (std::get_if<Established>(&*event) != nullptr) told.established = true;
      if (const auto* const data = std::get_if<AppData>(&*event)) {
        told.data += as_text(data->data);
        told.end = told.end || data->end;
      }
      if (const auto* const closed = std::get_if<Closed>(&*event)) told.closed = *closed;
    }
  }
  /// Carries and hears, both ways, until nothing moves.
  void run(std::size_t piece = 100'000) {
    bool moved = true;
    while (moved) {
      moved = carry(alice_, bob_, piece);
      hear(bob_, bobs_);
      moved = carry(bob_, alice_, piece) || moved;
      hear(alice_, alices_);
    }
  }
};

struct Pieces : Ends, testing::WithParamInterface<std::size_t> {};

TEST_P(Pieces, data_of_any_size_arrives_in_pieces_of_any_size) {
  run(GetParam());
  ASSERT_TRUE(alices_.established && bobs_.established);
  std::string much(200'000, 'a');
  for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>(i % 251);
  ASSERT_TRUE(alice_.send(as_bytes(much), true, now_));
  run(GetParam());
  EXPECT_EQ(bobs_.data, much);
  EXPECT_TRUE(bobs_.end);
  EXPECT_FALSE(bob_.over());
  ASSERT_TRUE(bob_.send({}, true, now_));
  run(GetParam());
  for (const Told* const told : {&alices_, &bobs_}) {
    ASSERT_TRUE(told->closed);
    EXPECT_EQ(told->closed->reason, Reason::Normal);
    EXPECT_FALSE(told->closed->truncated);
  }
  EXPECT_TRUE(alice_.over());
  EXPECT_TRUE(bob_.over());
}

INSTANTIATE_TEST_SUITE_P(Buffered, Pieces, testing::Values(1, 7, 65'536, 1'000'000));

TEST_F(Ends, data_and_new_keys_cross_on_their_way) {
  run();
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(bob_.channel().request_rekey(now_));
    ASSERT_TRUE(bob_.send(as_bytes("from bob\n"), false, now_));
    ASSERT_TRUE(alice_.send(as_bytes("from alice\n"), false, now_));
    run();
  }
  EXPECT_EQ(alice_.channel().epoch(), 6U);
  EXPECT_EQ(bob_.channel().epoch(), 6U);
  EXPECT_EQ(bobs_.data.size(), 5 * std::string("from alice\n").size());
  EXPECT_EQ(alices_.data.size(), 5 * std::string("from bob\n").size());
}

TEST_F(Ends, poll_is_told_when_the_next_timer_is_due) {
  run(500);
  const Instant timer = alice_.channel().next_timeout().value();
  const int wait = alice_.wait_ms(now_);
  EXPECT_GE(std::chrono::milliseconds(wait), timer - now_);
  EXPECT_LT(std::chrono::milliseconds(wait - 1), timer - now_);
  EXPECT_EQ(alice_.wait_ms(timer), 0);
  EXPECT_EQ(alice_.wait_ms(timer + std::chrono::hours(1)), 0);
}

TEST_F(Ends, a_handshake_that_hears_nothing_ends_when_its_time_is_over) {
  now_ += std::chrono::milliseconds(alice_.wait_ms(now_));
  hear(alice_, alices_);
  ASSERT_TRUE(alices_.closed);
  EXPECT_EQ(alices_.closed->reason, Reason::Timeout);
  EXPECT_EQ(alice_.wait_ms(now_), -1);
}

TEST_F(Ends, a_stream_that_ends_too_early_says_so) {
  run();
  ASSERT_TRUE(alice_.send(as_bytes("a part"), false, now_));
  run();
  bob_.received(0, now_);
  hear(bob_, bobs_);
  EXPECT_EQ(bobs_.data, "a part");
  ASSERT_TRUE(bobs_.closed);
  EXPECT_TRUE(bobs_.closed->truncated);
  EXPECT_TRUE(bob_.over()) << "nobody is left to hear why";
}

TEST_F(Ends, what_cannot_be_sent_leaves_nothing_behind) {
  const std::size_t before = alice_.unsent().size();
  const auto sent = alice_.send(as_bytes("too early"), false, now_);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, ErrorKind::ApiMisuse);
  EXPECT_EQ(alice_.unsent().size(), before);
}

TEST_F(Ends, a_count_that_cannot_be_true_reaches_no_memory_of_others) {
  const auto beyond = static_cast<std::ptrdiff_t>(alice_.unsent().size() + 1);
  alice_.sent(beyond);
  EXPECT_TRUE(alice_.unsent().empty());
  bob_.received(static_cast<std::ptrdiff_t>(bob_.room().size()) + 1, now_);
  hear(bob_, bobs_);
  ASSERT_TRUE(bobs_.closed) << "zeros are no frame";
  EXPECT_EQ(bobs_.closed->reason, Reason::ProtocolError);
}

TEST_F(Ends, last_words_are_sent_before_it_is_over) {
  run();
  alice_.channel().close(Reason::Limit, "enough");
  hear(alice_, alices_);
  EXPECT_FALSE(alice_.over());
  run();
  EXPECT_TRUE(alice_.over());
  ASSERT_TRUE(bobs_.closed);
  EXPECT_EQ(bobs_.closed->reason, Reason::Limit);
}

TEST_F(Ends, whoever_was_told_of_the_end_has_nothing_to_add) {
  run();
  ASSERT_TRUE(bob_.send(as_bytes("still waiting to be sent"), false, now_));
  bob_.sent(-1);
  alice_.channel().close(Reason::Normal, "");
  hear(alice_, alices_);
  carry(alice_, bob_, 100'000);
  hear(bob_, bobs_);
  ASSERT_TRUE(bobs_.closed);
  EXPECT_TRUE(bobs_.closed->by_peer);
  EXPECT_FALSE(bob_.unsent().empty());
  EXPECT_TRUE(bob_.over());
}

}  // namespace
}  // namespace qsp::test

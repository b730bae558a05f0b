// What somebody who holds the keys can do to a rekey: end the session, and nothing else.

#include <gtest/gtest.h>

#include "fixture.hpp"

namespace qsp::rc155 {
namespace {

TEST(Hostile, the_server_refuses_the_old_epoch_from_the_ack_on) {
  Duo duo;
  duo.established();
  (void)duo.pair.rekey(Role::Server);
  duo.pair.run();
  duo.watch();
  FrameHeader header = duo.next_header(Role::Server, FrameType::AppData);
  header.epoch = 1;
  duo.pair.inject(Role::Server, duo.observer.seal(header, "app", as_bytes("late")));
  EXPECT_TRUE(closed_with(duo.closed(Role::Server), Reason::EpochMismatch));
}

TEST(Hostile, the_client_refuses_the_old_epoch_from_the_servers_first_new_frame_on) {
  Duo duo;
  duo.established();
  (void)duo.pair.rekey(Role::Server);
  duo.pair.run();
  duo.watch();
  FrameHeader header = duo.next_header(Role::Client, FrameType::AppData);
  header.epoch = 1;
  duo.pair.inject(Role::Client, duo.observer.seal(header, "app", as_bytes("still lawful")));
  ASSERT_FALSE(duo.closed(Role::Client));
  header.epoch = 2;
  ++header.seq;
  duo.pair.inject(Role::Client, duo.observer.seal(header, "app", as_bytes("new")));
  ASSERT_FALSE(duo.closed(Role::Client));
  header.epoch = 1;
  ++header.seq;
  duo.pair.inject(Role::Client, duo.observer.seal(header, "app", as_bytes("late")));
  EXPECT_TRUE(closed_with(duo.closed(Role::Client), Reason::EpochMismatch));
  EXPECT_EQ(duo.pair.seen(Role::Client).data.size(), 2U);
}

TEST(Hostile, an_old_epoch_frame_that_does_not_authenticate_ends_no_epoch) {
  Duo duo;
  duo.established();
  (void)duo.pair.rekey(Role::Server);
  duo.pair.run();
  duo.watch();
  Frame forged = duo.observer.seal(duo.next_header(Role::Client, FrameType::AppData), "app", as_bytes("x"), 1);
  duo.pair.inject(Role::Client, forged);
  EXPECT_TRUE(closed_with(duo.closed(Role::Client), Reason::AeadDecryptFailed));
  EXPECT_TRUE(duo.pair.seen(Role::Client).data.empty());
}

TEST(Hostile, every_byte_of_an_authenticated_rekey_message_is_checked) {
  // The material may be anything; every other byte of INIT, and every byte of ACK, has one lawful value.
  for (std::size_t at = 0; at < 41; ++at) {
    const Reason init_reason = at >= 5 && at < 9 ? Reason::EpochMismatch : Reason::ProtocolError;
    Duo client;
    client.established();
    Frame init = rekey_message(1, 2, Frame(32, 9));
    init[at] ^= 0x10;
    client.pair.inject(Role::Client,
                       client.observer.seal(client.next_header(Role::Client, FrameType::Rekey), "rekey-init", init));
    if (at < 9) {
      EXPECT_TRUE(closed_with(client.closed(Role::Client), init_reason)) << at;
    } else {
      EXPECT_FALSE(client.closed(Role::Client)) << at;
    }

    Duo server;
    server.established();
    ASSERT_TRUE(server.pair.rekey(Role::Server));
    server.watch();
    server.pair.deliver(Role::Server);
    Frame ack = *server.observer.open(Role::Client, queue(server, Role::Client).front());
    ack[at] ^= 0x10;
    server.pair.inject(Role::Server,
                       server.observer.seal(header_of(queue(server, Role::Client).front()), "rekey-ack", ack));
    const Reason ack_reason = at < 9 ? init_reason : Reason::RekeyFailed;
    EXPECT_TRUE(closed_with(server.closed(Role::Server), ack_reason)) << at;
    EXPECT_EQ(server.pair.at(Role::Server).epoch(), 1U);
    EXPECT_TRUE(server.pair.seen(Role::Server).epochs.empty());
  }
}

TEST(Hostile, altered_material_ends_in_rekey_failed) {
  Duo duo;
  duo.established();
  ASSERT_TRUE(duo.pair.rekey(Role::Server));
  duo.watch();
  Frame& frame = queue(duo, Role::Server).front();
  Frame init = *duo.observer.open(Role::Server, frame);
  init.back() ^= 1;
  frame = duo.observer.seal(header_of(frame), "rekey-init", init);
  duo.pair.run();
  EXPECT_TRUE(closed_with(duo.closed(Role::Server), Reason::RekeyFailed));
  EXPECT_TRUE(duo.closed(Role::Client)) << "told under the old epoch, which it still reads";
  EXPECT_TRUE(closed_with(duo.closed(Role::Client), Reason::RekeyFailed));
}

TEST(Hostile, a_second_init_before_the_new_epoch_has_begun_is_refused) {
  for (const std::uint32_t new_epoch : {2U, 3U}) {
    Duo fresh;
    fresh.established();
    ASSERT_TRUE(fresh.pair.rekey(Role::Server));
    fresh.watch();
    fresh.pair.deliver(Role::Server);
    FrameHeader header = fresh.next_header(Role::Client, FrameType::Rekey);
    ASSERT_EQ(header.epoch, 1U);
    const Frame again = fresh.observer.seal(header, "rekey-init", rekey_message(1, new_epoch, Frame(32, 1)));
    fresh.pair.inject(Role::Client, again);
    EXPECT_TRUE(closed_with(fresh.closed(Role::Client), Reason::ProtocolError));
    EXPECT_EQ(fresh.pair.at(Role::Client).epoch(), 2U);
  }
}

TEST(Hostile, an_init_as_first_frame_of_the_new_epoch_is_lawful) {
  Duo duo;
  duo.established();
  for (std::uint32_t epoch = 2; epoch < 10; ++epoch) {
    ASSERT_TRUE(duo.pair.rekey(Role::Server));
    duo.pair.run();
    EXPECT_EQ(duo.snapshot(Role::Client).epoch, epoch);
    EXPECT_EQ(duo.snapshot(Role::Client).previous_epoch, epoch - 1) << "never more than two keys";
  }
}

}  // namespace
}  // namespace qsp::rc155

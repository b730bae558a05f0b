// What two honest ends do.

#include <gtest/gtest.h>

#include <string>

#include "fixture.hpp"

namespace qsp::rc155 {

/// Puts a session near the end of its numbers, which no test can reach by counting.
struct SessionTestAccess {
  static void set(Session& session, std::uint32_t epoch, std::uint32_t sent, std::uint32_t received) {
    session.record_.epoch_ = epoch;
    session.record_.sent_ = sent;
    session.record_.received_ = received;
  }
};

namespace {

using std::chrono::seconds;

TEST(Handshake, gives_both_ends_the_same_non_zero_session_and_epoch_one) {
  Duo duo;
  for (const Role role : kRoles) {
    EXPECT_EQ(duo.pair.at(role).phase(), Phase::Handshake);
    EXPECT_EQ(duo.pair.at(role).epoch(), 0U);
    EXPECT_EQ(duo.pair.at(role).session_id(), 0U);
  }
  duo.established();
  EXPECT_NE(duo.pair.at(Role::Server).session_id(), 0U);
  for (const Role role : kRoles) {
    EXPECT_EQ(duo.pair.seen(role).session_id, duo.pair.at(Role::Server).session_id());
    EXPECT_EQ(duo.snapshot(role), (Snapshot{State::Established, 1, 0, 0, 0}));
  }
  EXPECT_EQ(duo.pair.defect(), "");
}

TEST(Handshake, sessions_of_one_provider_differ) {
  Duo first(1);
  first.established();
  const auto provider = test::make_fake_provider(2);
  Pair a(make(Role::Client, *provider), make(Role::Server, *provider));
  Pair b(make(Role::Client, *provider), make(Role::Server, *provider));
  a.run();
  b.run();
  EXPECT_NE(a.at(Role::Server).session_id(), b.at(Role::Server).session_id());
  EXPECT_NE(a.made(Role::Client).front(), b.made(Role::Client).front());
}

TEST(Session, has_no_peer_no_qkd_key_and_no_export_and_says_so) {
  Duo duo;
  duo.established();
  for (const Role role : kRoles) {
    Endpoint& end = duo.pair.at(role);
    EXPECT_FALSE(end.status().secure);
    EXPECT_EQ(end.status().peer, "");
    EXPECT_FALSE(end.presented());
    EXPECT_FALSE(end.may_redial_without_qkd());
    const auto misuse = [](const auto& result) { return !result && result.error().kind == ErrorKind::ApiMisuse; };
    EXPECT_TRUE(misuse(end.fail_qkd_key(QkdFailure::Unavailable, duo.pair.now())));
    EXPECT_TRUE(misuse(end.export_key("label", {}, 32)));
    DeliveredKey late{"abcdef01-2345-4678-89ab-cdef01234567", QkdKey()};
    EXPECT_TRUE(misuse(end.provide_qkd_key(std::move(late), duo.pair.now())));
    EXPECT_EQ(late.key.size(), 0U) << "taken, to be wiped";  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(end.phase(), Phase::Established);
  }
}

TEST(Handshake, ends_after_ten_seconds_counted_from_the_first_call) {
  for (const Role silent : kRoles) {
    Duo duo;
    const Role waiting = other(silent);
    ASSERT_EQ(duo.pair.at(waiting).next_timeout(), duo.pair.now() + seconds(10));
    duo.pair.advance(seconds(10) - Instant(1));
    EXPECT_FALSE(duo.closed(waiting));
    const std::size_t made = duo.pair.made(waiting).size();
    duo.pair.advance(Instant(1));
    EXPECT_TRUE(closed_with(duo.closed(waiting), Reason::Timeout));
    EXPECT_FALSE(duo.pair.at(waiting).next_timeout());
    EXPECT_EQ(duo.pair.made(waiting).size(), made) << "no key yet, so no CLOSE";
  }
}

TEST(Handshake, timeout_is_due_before_the_first_call_so_that_the_clock_starts) {
  const auto provider = test::make_fake_provider();
  const auto client = make(Role::Client, *provider);
  EXPECT_EQ(client->next_timeout(), Instant::zero());
  client->handle_timeout(seconds(100));
  EXPECT_EQ(client->phase(), Phase::Handshake);
  EXPECT_EQ(client->next_timeout(), seconds(110));
}

TEST(Handshake, done_leaves_no_timer_running) {
  Duo duo;
  duo.established();
  for (const Role role : kRoles) EXPECT_FALSE(duo.pair.at(role).next_timeout());
  duo.pair.advance(seconds(100'000));
  for (const Role role : kRoles) EXPECT_FALSE(duo.closed(role));
}

TEST(AppData, of_every_size_class_arrives_both_ways) {
  Duo duo;
  duo.established();
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 4095U, 65'535U, 65'536U}) {
    const Frame data(size, static_cast<std::uint8_t>(size));
    for (const Role from : kRoles) {
      ASSERT_TRUE(duo.pair.send(from, data));
      EXPECT_EQ(duo.pair.in_flight(from).back().size(), 22 + 12 + size + 16);
      duo.pair.run();
      EXPECT_EQ(duo.pair.seen(other(from)).data.back(), data);
    }
  }
  EXPECT_EQ(duo.snapshot(Role::Client), (Snapshot{State::Established, 1, 0, 8, 8}));
  EXPECT_EQ(duo.pair.defect(), "");
}

TEST(AppData, sealing_refuses_what_the_contract_forbids) {
  Duo duo;
  Frame frame(22 + 12 + 5 + 16);
  Session& client = duo.session(Role::Client);
  const auto refused = [&](Result<void> result) { return !result && result.error().kind == ErrorKind::ApiMisuse; };
  EXPECT_TRUE(refused(client.seal_app_data(frame, 5, false, {}))) << "before Established";
  duo.established();
  EXPECT_TRUE(refused(client.seal_app_data(frame, 4, false, {})));
  EXPECT_TRUE(refused(client.seal_app_data(frame, 6, false, {})));
  Frame large(22 + 12 + 65'537 + 16);
  EXPECT_TRUE(refused(client.seal_app_data(large, 65'537, false, {})));
  EXPECT_TRUE(refused(client.seal_app_data(frame, SIZE_MAX, false, {})));
  EXPECT_EQ(duo.snapshot(Role::Client).sent, 0U) << "a refused call uses no number";

  Session& server = duo.session(Role::Server);
  ASSERT_TRUE(server.request_rekey({}));
  EXPECT_TRUE(refused(server.seal_app_data(frame, 5, false, {}))) << "with control bytes not yet polled";
  duo.pair.drain(Role::Server);
  EXPECT_TRUE(server.seal_app_data(frame, 5, false, {}));

  EXPECT_TRUE(client.seal_app_data(frame, 5, true, {}));
  EXPECT_TRUE(refused(client.seal_app_data(frame, 5, false, {}))) << "after the end";
  client.close(Reason::Normal, "");
  EXPECT_TRUE(refused(client.seal_app_data(frame, 5, false, {}))) << "after Closed";
}

TEST(Rekey, moves_both_ends_to_the_next_epoch) {
  Duo duo;
  duo.established();
  ASSERT_TRUE(duo.pair.rekey(Role::Server));
  EXPECT_EQ(duo.snapshot(Role::Server), (Snapshot{State::Rekey, 1, 0, 1, 0}));
  ASSERT_TRUE(duo.pair.deliver(Role::Server));
  EXPECT_EQ(duo.snapshot(Role::Client), (Snapshot{State::Rekey, 2, 1, 1, 1})) << "the client commits with its ACK";
  ASSERT_TRUE(duo.pair.deliver(Role::Client));
  EXPECT_EQ(duo.snapshot(Role::Server), (Snapshot{State::Established, 2, 0, 1, 1}));
  ASSERT_TRUE(duo.pair.send(Role::Server, "first of epoch 2"));
  duo.pair.run();
  EXPECT_EQ(duo.snapshot(Role::Client), (Snapshot{State::Established, 2, 0, 1, 2})) << "the old key is gone";
  for (const Role role : kRoles) EXPECT_EQ(duo.pair.seen(role).epochs, std::vector<std::uint32_t>{2});
}

TEST(Rekey, data_in_flight_both_ways_arrives_under_its_own_epoch) {
  Duo duo;
  duo.established();
  std::string sent[2];
  for (int round = 0; round < 20; ++round) {
    const auto talk = [&](Role from) {
      const std::string text = "<" + std::to_string(round) + "." + std::to_string(sent[0].size()) + ">";
      ASSERT_TRUE(duo.pair.send(from, text));
      sent[static_cast<std::size_t>(from)] += text;
    };
    talk(Role::Client);
    talk(Role::Server);
    ASSERT_TRUE(duo.pair.rekey(Role::Server));
    talk(Role::Server);  // behind INIT, still the old epoch
    talk(Role::Client);
    duo.pair.deliver(Role::Server);
    duo.pair.deliver(Role::Server);  // INIT: from here the client sends under the new epoch
    talk(Role::Client);
    talk(Role::Server);
    duo.pair.run();
  }
  for (const Role role : kRoles) {
    EXPECT_EQ(as_text(duo.pair.seen(role).received()), sent[static_cast<std::size_t>(other(role))]);
    EXPECT_EQ(duo.pair.at(role).epoch(), 21U);
    EXPECT_FALSE(duo.closed(role));
  }
  EXPECT_EQ(duo.pair.defect(), "");
}

TEST(Rekey, only_the_server_leads_and_one_at_a_time) {
  Duo duo;
  const auto kind = [&](Role who) { return duo.pair.rekey(who).error().kind; };
  EXPECT_EQ(kind(Role::Server), ErrorKind::ApiMisuse) << "before Established";
  duo.established();
  EXPECT_EQ(kind(Role::Client), ErrorKind::ApiMisuse);
  ASSERT_TRUE(duo.pair.rekey(Role::Server));
  EXPECT_EQ(kind(Role::Server), ErrorKind::ApiMisuse) << "in flight";
  duo.pair.run();
  EXPECT_TRUE(duo.pair.rekey(Role::Server));
  duo.pair.close(Role::Server, Reason::Normal, "");
  EXPECT_EQ(kind(Role::Server), ErrorKind::ApiMisuse) << "closed";
}

TEST(Rekey, without_an_ack_fails_after_three_minutes) {
  Duo duo;
  duo.established();
  ASSERT_TRUE(duo.pair.rekey(Role::Server));
  duo.pair.in_flight(Role::Server).clear();
  duo.pair.advance(seconds(180) - Instant(1));
  EXPECT_FALSE(duo.closed(Role::Server));
  duo.pair.advance(Instant(1));
  EXPECT_TRUE(closed_with(duo.closed(Role::Server), Reason::RekeyFailed));
  ASSERT_EQ(duo.pair.in_flight(Role::Server).size(), 1U);
  EXPECT_EQ(header_of(duo.pair.in_flight(Role::Server).front()).type, FrameType::Close);
}

TEST(Rekey, ack_in_time_stops_the_timer) {
  Duo duo;
  duo.established();
  ASSERT_TRUE(duo.pair.rekey(Role::Server));
  duo.pair.advance(seconds(179));
  duo.pair.run();
  EXPECT_FALSE(duo.pair.at(Role::Server).next_timeout());
  duo.pair.advance(seconds(1000));
  EXPECT_FALSE(duo.closed(Role::Server));
}

TEST(Close, tells_the_peer_reason_and_text_once_and_is_final) {
  for (const Role who : kRoles) {
    Duo duo;
    duo.established();
    duo.pair.close(who, Reason::Normal, "done");
    duo.pair.close(who, Reason::InternalError, "again");
    duo.pair.run();
    EXPECT_TRUE(closed_with(duo.closed(who), Reason::Normal));
    EXPECT_FALSE(duo.closed(who)->by_peer);
    EXPECT_FALSE(duo.closed(who)->truncated);
    const auto& peer = duo.closed(other(who));
    EXPECT_TRUE(closed_with(peer, Reason::Normal));
    EXPECT_EQ(peer->text, "done");
    EXPECT_TRUE(peer->by_peer);
    EXPECT_FALSE(peer->truncated);
    EXPECT_TRUE(duo.pair.in_flight(other(who)).empty()) << "a receiver of CLOSE does not reply";
    EXPECT_EQ(duo.pair.made(who).size(), 2U);
    EXPECT_EQ(duo.pair.defect(), "");
  }
}

TEST(Close, reasons_outside_stage155s_six_are_told_as_internal_error) {
  for (std::uint32_t code = 0; code <= 100; ++code) {
    const auto reason = reason_from_wire(static_cast<std::uint16_t>(code));
    if (!reason) continue;
    Duo duo;
    duo.established();
    duo.pair.close(Role::Server, *reason, "");
    duo.pair.run();
    const bool known = code == 0 || code == 10 || code == 20 || code == 30 || code == 40 || code == 90;
    EXPECT_TRUE(closed_with(duo.closed(Role::Server), *reason));
    EXPECT_TRUE(closed_with(duo.closed(Role::Client), known ? *reason : Reason::InternalError));
    EXPECT_EQ(duo.closed(Role::Client)->truncated, code != 0);
  }
}

TEST(Close, text_is_cut_at_the_bound_and_never_inside_a_character) {
  for (const std::size_t lead : {0U, 1U, 2U, 3U}) {
    Duo duo;
    duo.established();
    std::string text(1021 + lead, 'a');
    for (int i = 0; i < 5; ++i) text += "\xf0\x9f\x94\x91";
    duo.pair.close(Role::Client, Reason::Normal, text);
    duo.pair.run();
    ASSERT_TRUE(duo.closed(Role::Server));
    const std::string& got = duo.closed(Role::Server)->text;
    EXPECT_EQ(got.size(), lead == 3 ? 1024U : 1021U + lead);
    EXPECT_EQ(got, text.substr(0, got.size()));
  }
  Duo duo;
  duo.established();
  duo.pair.close(Role::Client, Reason::Normal, std::string(5000, '\x80'));
  duo.pair.run();
  EXPECT_LE(duo.closed(Role::Server)->text.size(), 1024U) << "not UTF-8 at all";
}

TEST(Close, before_the_handshake_sends_nothing) {
  for (const Role who : kRoles) {
    const auto provider = test::make_fake_provider();
    const auto session = make(who, *provider);
    session->close(Reason::Normal, "");
    Frame out(100);
    EXPECT_EQ(session->poll_transmit(out), 0U);
    EXPECT_EQ(session->phase(), Phase::Closed);
    const auto event = session->poll_event();
    ASSERT_TRUE(event);
    EXPECT_TRUE(std::holds_alternative<Closed>(*event));
  }
}

TEST(Close, during_a_rekey_reaches_the_peer_under_an_epoch_it_reads) {
  for (const Role who : kRoles) {
    for (int delivered = 0; delivered <= 2; ++delivered) {
      Duo duo;
      duo.established();
      ASSERT_TRUE(duo.pair.rekey(Role::Server));
      if (delivered > 0) duo.pair.deliver(Role::Server);
      if (delivered > 1) duo.pair.deliver(Role::Client);
      duo.pair.close(who, Reason::Normal, "mid rekey");
      duo.pair.run();
      EXPECT_TRUE(closed_with(duo.closed(other(who)), Reason::Normal));
      EXPECT_TRUE(duo.closed(other(who))->by_peer);
    }
  }
}

TEST(EndOfStream, without_close_is_truncation) {
  for (const Role from : kRoles) {
    for (const bool established : {false, true}) {
      Duo duo;
      if (established) duo.established();
      duo.pair.end_of_stream(from);
      const auto& closed = duo.closed(other(from));
      EXPECT_TRUE(closed_with(closed, Reason::ProtocolError));
      EXPECT_TRUE(closed->truncated);
      EXPECT_FALSE(closed->by_peer);
    }
  }
}

TEST(EndOfStream, after_close_changes_nothing) {
  Duo duo;
  duo.established();
  duo.pair.close(Role::Client, Reason::Normal, "");
  duo.pair.run();
  duo.pair.end_of_stream(Role::Client);
  EXPECT_TRUE(closed_with(duo.closed(Role::Server), Reason::Normal));
  EXPECT_FALSE(duo.closed(Role::Server)->truncated);
  EXPECT_EQ(duo.pair.defect(), "");
}

// SPEC §11.
TEST(Limits, sequence_numbers_end_with_a_close) {
  for (const Role who : kRoles) {
    Duo duo;
    duo.established();
    SessionTestAccess::set(duo.session(who), 1, 0xffff'fffd, 0);
    SessionTestAccess::set(duo.session(other(who)), 1, 0, 0xffff'fffd);
    ASSERT_TRUE(duo.pair.send(who, "the last but one number"));
    const auto refused = duo.pair.send(who, "one too many");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, Reason::Limit);
    duo.pair.run();
    EXPECT_TRUE(closed_with(duo.closed(who), Reason::Limit));
    EXPECT_EQ(header_of(duo.pair.made(who).back()).seq, 0xffff'ffffU);
    EXPECT_TRUE(closed_with(duo.closed(other(who)), Reason::InternalError));
    EXPECT_TRUE(duo.closed(other(who))->by_peer);
    EXPECT_EQ(duo.pair.seen(other(who)).data.size(), 1U);
  }
}

TEST(Limits, a_rekey_needs_a_number_too) {
  Duo duo;
  duo.established();
  SessionTestAccess::set(duo.session(Role::Server), 1, 0xffff'fffe, 0);
  const auto refused = duo.pair.rekey(Role::Server);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::Limit);
  EXPECT_TRUE(closed_with(duo.closed(Role::Server), Reason::Limit));
}

TEST(Limits, a_full_inbound_counter_accepts_nothing_more) {
  Duo duo;
  duo.established();
  SessionTestAccess::set(duo.session(Role::Server), 1, 0, 0xffff'ffff);
  FrameHeader header = duo.next_header(Role::Server, FrameType::AppData);
  ASSERT_EQ(header.seq, 0U) << "the number that wraps";
  duo.pair.inject(Role::Server, duo.observer.seal(header, "app", {}));
  EXPECT_TRUE(closed_with(duo.closed(Role::Server), Reason::ProtocolError));
}

TEST(Limits, epochs_end_with_a_close) {
  Duo duo;
  duo.established();
  for (const Role role : kRoles) SessionTestAccess::set(duo.session(role), 0xffff'ffff, 0, 0);
  ASSERT_TRUE(duo.pair.send(Role::Client, "in the last epoch"));
  duo.pair.run();
  const auto refused = duo.pair.rekey(Role::Server);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::Limit);
  duo.pair.run();
  EXPECT_TRUE(closed_with(duo.closed(Role::Server), Reason::Limit));
  EXPECT_TRUE(closed_with(duo.closed(Role::Client), Reason::InternalError));
}

TEST(Limits, an_init_that_wraps_the_epoch_is_refused) {
  Duo duo;
  duo.established();
  SessionTestAccess::set(duo.session(Role::Client), 0xffff'ffff, 0, 0);
  FrameHeader header = duo.next_header(Role::Client, FrameType::Rekey);
  header.epoch = 0xffff'ffff;
  const Frame init = rekey_message(1, 0, Frame(32, 7));
  duo.pair.inject(Role::Client, duo.observer.seal(header, "rekey-init", init, 1));
  EXPECT_TRUE(closed_with(duo.closed(Role::Client), Reason::EpochMismatch));
}

TEST(Driver, any_poll_size_and_any_read_size_work) {
  for (const std::size_t split : {1U, 2U, 21U, 22U, 23U, 34U, 1000U}) {
    Duo duo;
    duo.pair.split_every(split);
    run_scenario(duo);
    for (const Role role : kRoles) {
      EXPECT_TRUE(only_genuine_data(duo, role));
      EXPECT_EQ(duo.pair.seen(role).data.size(), scenario_data(role).size());
      EXPECT_TRUE(closed_with(duo.closed(role), Reason::Normal));
    }
    EXPECT_EQ(duo.pair.defect(), "") << split;
  }
}

TEST(Driver, many_frames_in_one_buffer_are_taken_one_by_one) {
  Duo duo;
  duo.established();
  Frame stream;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(duo.pair.send(Role::Client, "piece"));
  for (const Frame& frame : duo.pair.in_flight(Role::Client)) stream.insert(stream.end(), frame.begin(), frame.end());
  duo.pair.in_flight(Role::Client).clear();
  duo.pair.inject(Role::Server, stream);
  EXPECT_EQ(duo.pair.seen(Role::Server).data.size(), 10U);
  EXPECT_EQ(duo.pair.defect(), "");
}

}  // namespace
}  // namespace qsp::rc155

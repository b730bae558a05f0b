// What the source asks a KME, when it asks again, and when it must not.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "etsi014/etsi014.hpp"
#include "keysource/etsi014_fixture.hpp"

namespace qsp::keysource {
namespace {

using namespace std::chrono_literals;

const std::string kBusy = R"({"message":"no key now"})";
const std::string kUnknownKey = R"({"message":"one or more keys specified are not found on KME"})";

TEST_F(Etsi014, enc_keys_asks_by_post_for_one_key_of_256_bits) {
  const auto heard = fetch();
  ASSERT_EQ(calls(), 1U);
  EXPECT_EQ(last_call().method, https::Method::Post);
  EXPECT_EQ(last_call().target, "/api/v1/keys/bob/enc_keys");
  EXPECT_EQ(last_call().body.reveal(), R"({"number":1,"size":256})");
  EXPECT_EQ(last_call().deadline, schedule.now() + 4s);
  kme[0]->answer(200, good_container());
  ASSERT_TRUE(heard->delivered());
  EXPECT_EQ((*heard->answer)->key_id, kKeyId);
  EXPECT_EQ((*heard->answer)->key.reveal()[31], 7);
}

TEST_F(Etsi014, dec_keys_asks_by_post_for_the_key_that_the_peer_named) {
  const auto heard = fetch(kKeyId);
  EXPECT_EQ(last_call().target, "/api/v1/keys/bob/dec_keys");
  EXPECT_EQ(last_call().body.reveal(), R"({"key_IDs":[{"key_ID":")" + kKeyId + R"("}]})");
  kme[0]->answer(200, good_container());
  EXPECT_TRUE(heard->delivered());
}

// SPEC §5.7.
TEST_F(Etsi014, an_sae_id_is_escaped_in_the_url) {
  fetch(std::nullopt, "a/../b?c=\xc3\xa9 %");
  EXPECT_EQ(last_call().target, "/api/v1/keys/a%2F..%2Fb%3Fc%3D%C3%A9%20%25/enc_keys");
  EXPECT_EQ(kme[0]->status_calls.back().call.target, "/api/v1/keys/a%2F..%2Fb%3Fc%3D%C3%A9%20%25/status");
}

TEST_F(Etsi014, an_sae_id_that_cannot_stand_in_a_path_asks_nobody) {
  for (const std::string& sae_id : {std::string(), std::string("."), std::string(".."), std::string(256, 'a')}) {
    EXPECT_NE(fetch(std::nullopt, sae_id)->problem(), "");
  }
  EXPECT_EQ(calls(), 0U);
  EXPECT_EQ(kme[0]->status_calls.size(), 0U);
}

TEST_F(Etsi014, any_2xx_is_success) {
  for (const unsigned status : {200U, 201U, 206U, 299U}) {
    EXPECT_TRUE(fetch_answered(kKeyId, status, good_container())->delivered()) << status;
  }
  for (const unsigned status : {199U, 300U, 302U}) {
    EXPECT_FALSE(fetch_answered(kKeyId, status, good_container())->delivered()) << status;
  }
}

TEST_F(Etsi014, get_is_tried_where_post_is_refused_and_remembered_where_it_worked) {
  for (const unsigned refusal : {405U, 404U}) {
    const auto heard = fetch();
    const bool remembered = last_call().method == https::Method::Get;
    EXPECT_EQ(remembered, refusal == 404) << "of the fetch before";
    if (!remembered) kme[0]->answer(refusal, "");
    EXPECT_EQ(last_call().method, https::Method::Get);
    EXPECT_EQ(last_call().target, "/api/v1/keys/bob/enc_keys?number=1&size=256");
    EXPECT_TRUE(last_call().body.reveal().empty());
    kme[0]->answer(200,
                   container(key_json("00000000-0000-4000-8000-000000000" + std::to_string(refusal), base64_of(1))));
    EXPECT_TRUE(heard->delivered());
  }
}

TEST_F(Etsi014, dec_keys_has_its_own_way) {
  fetch();
  kme[0]->answer(404, "");
  kme[0]->answer(200, good_container());
  const auto heard = fetch(kKeyId);
  EXPECT_EQ(last_call().method, https::Method::Post);
  kme[0]->answer(405, "");
  EXPECT_EQ(last_call().target, "/api/v1/keys/bob/dec_keys?key_ID=" + kKeyId);
  kme[0]->answer(200, good_container());
  EXPECT_TRUE(heard->delivered());
}

TEST_F(Etsi014, a_kme_that_refuses_both_ways_is_not_asked_again_and_post_stays) {
  const auto heard = fetch();
  kme[0]->answer(405, "");
  kme[0]->answer(405, "");
  EXPECT_NE(heard->problem().find("405"), std::string::npos);
  schedule.advance(10s);
  EXPECT_EQ(calls(), 2U);
  fetch();
  EXPECT_EQ(last_call().method, https::Method::Post);
}

TEST_F(Etsi014, a_503_is_asked_again_after_pauses_from_100_ms_to_1_s_until_the_deadline) {
  for (const std::optional<std::string>& key_id : {std::optional<std::string>(), std::optional(kKeyId)}) {
    const std::size_t before = calls();
    const auto heard = fetch(key_id);
    kme[0]->answer(503, kBusy);
    for (const auto pause : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
      const std::size_t made = calls();
      schedule.advance(pause - 1ms);
      EXPECT_EQ(calls(), made) << "too early, in the pause of " << pause.count() << " ms";
      schedule.advance(1ms);
      ASSERT_EQ(calls(), made + 1) << pause.count();
      kme[0]->answer(503, kBusy);
    }
    EXPECT_EQ(heard->problem(), "no key in time: KME https://kme0 answered 503: no key now");
    schedule.advance(10s);
    EXPECT_EQ(calls(), before + 7);
  }
}

TEST_F(Etsi014, what_a_kme_said_is_told_where_the_time_runs_out_at_the_next_try) {
  for (const std::optional<std::string>& key_id : {std::optional<std::string>(), std::optional(kKeyId)}) {
    const auto heard = fetch(key_id);
    kme[0]->answer(503, kBusy);
    schedule.advance(100ms);
    schedule.run_until(last_call().deadline);
    kme[0]->fail(true);
    EXPECT_TRUE(heard->problem().ends_with(": KME https://kme0 answered 503: no key now; then no answer from kme"))
        << heard->problem();
  }
}

TEST_F(Etsi014, a_503_may_be_followed_by_the_key) {
  const auto heard = fetch(kKeyId);
  kme[0]->answer(503, "");
  schedule.advance(100ms);
  kme[0]->answer(200, good_container());
  EXPECT_TRUE(heard->delivered());
}

TEST_F(Etsi014, dec_keys_of_a_key_that_the_kme_does_not_know_yet_is_asked_again) {
  const auto heard = fetch(kKeyId);
  kme[0]->answer(400, kUnknownKey);
  schedule.advance(100ms);
  ASSERT_EQ(calls(), 2U);
  kme[0]->answer(404, "");
  kme[0]->answer(404, "");
  schedule.advance(200ms);
  ASSERT_EQ(calls(), 4U);
  EXPECT_EQ(last_call().method, https::Method::Post);
  kme[0]->answer(200, good_container());
  EXPECT_TRUE(heard->delivered());
}

TEST_F(Etsi014, any_other_status_ends_the_fetch_at_once) {
  for (const unsigned status : {302U, 400U, 401U, 403U, 409U, 422U, 429U, 500U, 504U}) {
    for (const std::optional<std::string>& key_id : {std::optional<std::string>(), std::optional(kKeyId)}) {
      const std::size_t before = calls();
      const auto heard = fetch_answered(key_id, status, R"({"message":"no"})");
      EXPECT_NE(heard->problem().find(std::to_string(status)), std::string::npos);
      EXPECT_EQ(heard->answer->error().why, QkdFailure::Unavailable);
      schedule.advance(10s);
      EXPECT_EQ(calls(), before + 1) << status;
    }
  }
  EXPECT_NE(fetch_answered(std::nullopt, 400, kUnknownKey)->problem(), "") << "only dec_keys names a key";
}

TEST_F(Etsi014, dec_keys_is_not_repeated_where_its_answer_was_lost) {
  const auto heard = fetch(kKeyId);
  kme[0]->fail(true);
  EXPECT_NE(heard->problem().find("lost"), std::string::npos);
  schedule.advance(10s);
  EXPECT_EQ(calls(), 1U);
}

TEST_F(Etsi014, enc_keys_asks_for_another_key_where_the_answer_was_lost) {
  const auto heard = fetch();
  kme[0]->fail(true);
  EXPECT_EQ(heard->times, 0);
  schedule.advance(100ms);
  ASSERT_EQ(calls(), 2U);
  kme[0]->answer(200, good_container());
  EXPECT_TRUE(heard->delivered());
}

TEST_F(Etsi014, what_surely_never_left_is_sent_again) {
  for (const std::optional<std::string>& key_id : {std::optional(kKeyId), std::optional<std::string>()}) {
    const std::size_t before = calls();
    const auto heard = fetch(key_id);
    kme[0]->fail(false);
    schedule.advance(100ms);
    ASSERT_EQ(calls(), before + 2);
    kme[0]->answer(200, good_container());
    EXPECT_TRUE(heard->delivered());
  }
}

TEST_F(Etsi014OfTwoServers, the_next_server_is_asked_at_once_where_one_cannot_be_reached_and_stays) {
  const auto heard = fetch(kKeyId);
  kme[0]->fail(false);
  ASSERT_EQ(calls(1), 1U);
  kme[1]->answer(200, good_container());
  EXPECT_TRUE(heard->delivered());
  fetch(kKeyId);
  EXPECT_EQ(calls(0), 1U);
  EXPECT_EQ(calls(1), 2U);
}

TEST_F(Etsi014OfTwoServers, all_are_asked_again_after_a_pause_where_none_can_be_reached) {
  const auto heard = fetch();
  kme[0]->fail(false);
  kme[1]->fail(false);
  EXPECT_EQ(calls(0) + calls(1), 2U);
  schedule.advance(100ms);
  kme[0]->fail(false);
  kme[1]->answer(200, good_container());
  EXPECT_TRUE(heard->delivered());
}

TEST_F(Etsi014OfTwoServers, the_next_server_is_not_asked_where_the_first_one_answered_or_may_have) {
  fetch(kKeyId);
  kme[0]->fail(true);
  fetch(kKeyId);
  kme[0]->answer(500, "");
  schedule.advance(10s);
  EXPECT_EQ(calls(1), 0U);
}

TEST_F(Etsi014, past_its_deadline_a_fetch_asks_nobody) {
  int failures = 0;
  source->fetch({"bob", std::nullopt, schedule.now()}, [&](Answer answer) { failures += answer ? 0 : 1; });
  schedule.run();
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(calls(), 0U);
}

TEST_F(Etsi014, nothing_is_answered_or_asked_within_fetch) {
  int answers = 0;
  source->fetch({"bob", std::nullopt, schedule.now()}, [&](const Answer&) { ++answers; });
  source->fetch({"bob", std::nullopt, schedule.now() + 1s}, [&](const Answer&) { ++answers; });
  EXPECT_EQ(answers, 0);
  EXPECT_EQ(calls(), 0U);
}

TEST_F(Etsi014, cancel_ends_a_call_under_way_for_good) {
  const auto heard = fetch();
  source->cancel(ticket);
  schedule.run();
  EXPECT_EQ(kme[0]->cancelled, std::vector{kme[0]->calls.back().id});
  kme[0]->answer(200, good_container());  // a client that was too late
  schedule.advance(10s);
  EXPECT_EQ(heard->times, 0);
}

TEST_F(Etsi014, cancel_ends_a_pause_and_a_fetch_that_has_not_begun) {
  const auto heard = fetch();
  kme[0]->answer(503, "");
  source->cancel(ticket);
  schedule.advance(10s);
  EXPECT_EQ(heard->times, 0);
  EXPECT_EQ(calls(), 1U);
  const Ticket fresh =
      source->fetch({"bob", std::nullopt, schedule.now() + 4s}, [&](const Answer&) { FAIL() << "cancelled"; });
  source->cancel(fresh);
  schedule.advance(10s);
}

TEST_F(Etsi014, cancel_of_an_answered_fetch_does_nothing) {
  const auto heard = fetch_answered(std::nullopt, 200, good_container());
  source->cancel(ticket);
  source->cancel(0);
  schedule.run();
  EXPECT_EQ(heard->times, 1);
  EXPECT_TRUE(kme[0]->cancelled.empty());
}

TEST_F(Etsi014, fetches_under_way_do_not_disturb_each_other) {
  const auto first = fetch(kKeyId);
  const auto second = fetch();
  kme[0]->answer(503, "");
  EXPECT_EQ(first->times + second->times, 0);
  kme[0]->calls.pop_back();
  kme[0]->answer(200, good_container());
  EXPECT_TRUE(first->delivered());
  EXPECT_EQ(second->times, 0);
}

TEST_F(Etsi014, its_end_ends_what_is_under_way) {
  const auto asked = fetch();
  const auto pausing = fetch();
  kme[0]->answer(503, "");
  const Ticket fresh = source->fetch({"bob", std::nullopt, schedule.now() + 4s}, [&](const Answer&) { FAIL(); });
  source->cancel(fresh);
  source.reset();
  schedule.advance(10s);
  EXPECT_EQ(asked->times + pausing->times, 0);
}

}  // namespace
}  // namespace qsp::keysource

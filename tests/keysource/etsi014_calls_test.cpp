// What the source asks a KME, by which method and of which server.

#include <gtest/gtest.h>

#include <string>

#include "keysource/etsi014_fixture.hpp"

namespace qsp::keysource {
namespace {

using namespace std::chrono_literals;

TEST_F(Etsi014, enc_keys_asks_by_post_for_one_key_of_256_bits) {
  const auto heard = fetch();
  ASSERT_EQ(calls(), 1U);
  EXPECT_EQ(last_call().method, https::Method::Post);
  EXPECT_EQ(last_call().target, "/api/v1/keys/bob/enc_keys");
  EXPECT_EQ(last_call().body.reveal_text(), R"({"number":1,"size":256})");
  EXPECT_EQ(last_call().deadline, schedule.now() + 4s);
  kme[0]->answer(200, good_container());
  ASSERT_TRUE(heard->delivered());
  EXPECT_EQ((*heard->answer)->key_id, kKeyId);
  EXPECT_EQ((*heard->answer)->key.reveal()[31], 7);
}

TEST_F(Etsi014, dec_keys_asks_by_post_for_the_key_that_the_peer_named) {
  const auto heard = fetch(kKeyId);
  EXPECT_EQ(last_call().target, "/api/v1/keys/bob/dec_keys");
  EXPECT_EQ(last_call().body.reveal_text(), R"({"key_IDs":[{"key_ID":")" + kKeyId + R"("}]})");
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
  unsigned peers = 0;
  for (const unsigned refusal : {405U, 404U, 501U, 415U}) {
    remake();
    for (const bool remembered : {false, true}) {
      const auto heard = fetch();
      EXPECT_EQ(last_call().method, remembered ? https::Method::Get : https::Method::Post) << refusal;
      if (!remembered) kme[0]->answer(refusal, "");
      EXPECT_EQ(last_call().method, https::Method::Get);
      EXPECT_EQ(last_call().target, "/api/v1/keys/bob/enc_keys?number=1&size=256");
      EXPECT_TRUE(last_call().body.reveal_text().empty());
      kme[0]->answer(
          200, container(key_json("00000000-0000-4000-8000-00000000000" + std::to_string(++peers), base64_of(1))));
      EXPECT_TRUE(heard->delivered());
    }
  }
  EXPECT_TRUE(further.empty()) << "a refused method is no enc_keys";
}

TEST_F(Etsi014, get_is_remembered_before_it_brought_a_key_where_post_was_refused_for_sure) {
  fetch(kKeyId);
  kme[0]->answer(501, "");
  kme[0]->answer(503, "");
  schedule.advance(100ms);
  EXPECT_EQ(calls(), 3U);
  EXPECT_EQ(last_call().method, https::Method::Get);
  remake();
  fetch(kKeyId);
  kme[0]->answer(404, "");  // of the key, perhaps
  kme[0]->answer(503, "");
  schedule.advance(100ms);
  EXPECT_EQ(last_call().method, https::Method::Post);
}

TEST_F(Etsi014, a_404_was_about_the_key_where_the_kme_has_no_other_way) {
  const auto heard = fetch(kKeyId);
  kme[0]->answer(404, kBusy);
  kme[0]->answer(405, "");
  schedule.advance(100ms);
  ASSERT_EQ(calls(), 3U);
  EXPECT_EQ(last_call().method, https::Method::Post);
  kme[0]->answer(200, good_container());
  EXPECT_TRUE(heard->delivered());
  const auto fresh = fetch();
  kme[0]->answer(404, kBusy);
  kme[0]->answer(405, "");
  schedule.advance(200ms);
  ASSERT_EQ(calls(), 6U);
  kme[0]->answer(404, "");
  kme[0]->answer(405, "");
  EXPECT_EQ(fresh->problem(), "KME https://kme0 answered 404") << "no words of its own: there is no such call";
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

TEST_F(Etsi014OfTwoServers, what_cannot_change_at_one_server_may_be_otherwise_at_the_next) {
  const auto heard = fetch();
  kme[0]->fail(false, true);
  kme[1]->fail(false, false);
  EXPECT_EQ(heard->times, 0);
  schedule.advance(200ms);
  kme[0]->fail(false, true);
  kme[1]->fail(false, true);
  EXPECT_NE(heard->problem(), "");
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
  schedule.advance(200ms);
  kme[0]->fail(false);
  kme[1]->answer(200, good_container());
  EXPECT_TRUE(heard->delivered());
}

TEST_F(Etsi014OfTwoServers, the_next_server_is_not_asked_where_the_first_one_answered_or_may_have) {
  fetch(kKeyId);
  kme[0]->fail(true);
  fetch(kKeyId);
  kme[0]->answer(500, "");
  schedule.advance(100ms);
  kme[0]->answer(403, "");
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

}  // namespace
}  // namespace qsp::keysource

// When the source asks a KME again, and when it must not (SPEC §5.7).

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "etsi014/etsi014.hpp"
#include "keysource/etsi014_fixture.hpp"

namespace qsp::keysource {
namespace {

using namespace std::chrono_literals;

const std::string kUnknownKey = R"({"message":"one or more keys specified are not found on KME"})";

TEST_F(Etsi014, a_503_is_asked_again_after_growing_pauses_until_the_deadline) {
  using Pauses = std::vector<std::chrono::milliseconds>;
  for (const auto& [key_id, pauses] : std::vector<std::pair<std::optional<std::string>, Pauses>>{
           {kKeyId, {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}}, {std::nullopt, {200ms, 400ms, 800ms, 1600ms}}}) {
    const std::size_t before = calls();
    const auto heard = fetch(key_id);
    kme[0]->answer(503, kBusy);
    for (const auto pause : pauses) {
      const std::size_t made = calls();
      schedule.advance(pause - 1ms);
      EXPECT_EQ(calls(), made) << "too early, in the pause of " << pause.count() << " ms";
      schedule.advance(1ms);
      ASSERT_EQ(calls(), made + 1) << pause.count();
      kme[0]->answer(503, kBusy);
    }
    EXPECT_EQ(heard->problem(), "no key in time: KME https://kme0 answered 503: no key now");
    schedule.advance(10s);
    EXPECT_EQ(calls(), before + 1 + pauses.size());
  }
}

/// SPEC §5.7, "Budget": each further enc_keys takes one, and is told.
TEST_F(Etsi014, each_further_enc_keys_comes_out_of_the_budget_and_no_dec_keys_does) {
  further_most = 2;
  const auto heard = fetch();
  kme[0]->answer(503, kBusy);
  ASSERT_EQ(further.size(), 1U) << "before the pause";
  EXPECT_EQ(further[0].sae_id, "bob");
  EXPECT_EQ(further[0].number, 2U);
  EXPECT_EQ(further[0].burned, 0U);
  EXPECT_EQ(further[0].why, "KME https://kme0 answered 503: no key now");
  schedule.advance(200ms);
  kme[0]->answer(504, "");
  ASSERT_EQ(further.size(), 2U);
  EXPECT_EQ(further[1].burned, 1U) << "behind the gateway";
  schedule.advance(400ms);
  EXPECT_EQ(heard->times, 0);
  kme[0]->answer(503, kBusy);
  EXPECT_NE(heard->problem().find("answered 503: no key now; not asked again"), std::string::npos) << heard->problem();
  EXPECT_TRUE(heard->problem().ends_with("; 1 key may be burned")) << heard->problem();
  schedule.advance(10s);
  EXPECT_EQ(calls(), 3U);
  fetch(kKeyId);
  kme[0]->answer(503, kBusy);
  schedule.advance(100ms);
  EXPECT_EQ(calls(), 5U);
}

TEST_F(Etsi014, what_cannot_be_in_time_any_more_takes_nothing_from_the_budget) {
  const auto heard = fetch();
  schedule.advance(3900ms);
  kme[0]->answer(503, kBusy);
  EXPECT_NE(heard->problem(), "");
  EXPECT_TRUE(further.empty());
}

TEST_F(Etsi014, what_a_kme_said_is_told_where_the_time_runs_out_at_the_next_try) {
  for (const std::optional<std::string>& key_id : {std::optional<std::string>(), std::optional(kKeyId)}) {
    const auto heard = fetch(key_id);
    kme[0]->answer(503, kBusy);
    schedule.advance(200ms);
    schedule.run_until(last_call().deadline);
    kme[0]->fail(true);
    EXPECT_TRUE(
        heard->problem().ends_with(std::string(": KME https://kme0 answered 503: no key now; then no answer from kme") +
                                   (key_id ? "" : "; 1 key may be burned")))
        << heard->problem();
  }
}

/// SPEC §5.7: Retry-After.
TEST_F(Etsi014, the_next_call_does_not_come_before_the_kme_wants_it) {
  for (const unsigned status : {429U, 503U}) {
    for (const std::optional<std::string>& key_id : {std::optional<std::string>(), std::optional(kKeyId)}) {
      const auto heard = fetch(key_id);
      const std::size_t made = calls();
      kme[0]->answer(status, kBusy, 2);
      schedule.advance(1999ms);
      EXPECT_EQ(calls(), made) << status;
      schedule.advance(1ms);
      ASSERT_EQ(calls(), made + 1) << status;
      // It said so once; our own pauses stand where they are longer.
      kme[0]->answer(status, kBusy, 0);
      schedule.advance(key_id ? 199ms : 399ms);
      EXPECT_EQ(calls(), made + 1);
      schedule.advance(1ms);
      EXPECT_EQ(calls(), made + 2);
      source->cancel(ticket);
      schedule.run();
    }
  }
}

/// SPEC §5.7: the fetch ends, and not later than it would.
TEST_F(Etsi014, a_kme_that_wants_more_time_than_there_is_ends_the_fetch) {
  for (const unsigned wait : {4U, 60U, 86'400U}) {
    for (const std::optional<std::string>& key_id : {std::optional<std::string>(), std::optional(kKeyId)}) {
      const std::size_t made = calls();
      const auto heard = fetch(key_id);
      kme[0]->answer(503, kBusy, wait);
      EXPECT_EQ(heard->problem(), "no key in time: KME https://kme0 answered 503: no key now (it asks to wait " +
                                      std::to_string(wait) + " s)");
      schedule.advance(10s);
      EXPECT_EQ(calls(), made + 1);
    }
  }
  EXPECT_TRUE(further.empty()) << "nothing is taken from the budget for a call that is not made";
}

TEST_F(Etsi014, what_other_answers_say_of_coming_again_does_not_count) {
  for (const unsigned status : {400U, 409U, 500U, 502U}) {
    const auto heard = fetch(kKeyId);
    const std::size_t made = calls();
    kme[0]->answer(status, kBusy, 3);
    schedule.advance(100ms);
    EXPECT_EQ(calls(), made + 1) << status;
    kme[0]->answer(200, good_container());
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

/// SPEC §5.7: "again". KMEs in the field say "not there yet" in these ways, and gateways fail for a while.
TEST_F(Etsi014, dec_keys_is_asked_again_whatever_a_kme_calls_not_there_yet) {
  const std::string words = R"({"message":"Schlüssel noch nicht synchronisiert"})";
  for (const auto& [status, body] : std::vector<std::pair<unsigned, std::string>>{{400, words},
                                                                                  {400, ""},
                                                                                  {400, "<html>"},
                                                                                  {401, ""},
                                                                                  {401, words},
                                                                                  {409, words},
                                                                                  {429, ""},
                                                                                  {500, words},
                                                                                  {502, "<html>"},
                                                                                  {503, ""},
                                                                                  {504, ""},
                                                                                  {599, ""},
                                                                                  {200, ""},
                                                                                  {200, " \r\n"},
                                                                                  {200, "{}"},
                                                                                  {202, ""},
                                                                                  {204, ""},
                                                                                  {200, R"({"keys":[]})"},
                                                                                  {200, R"({"keys":null})"},
                                                                                  {200, words}}) {
    const auto heard = fetch(kKeyId);
    const std::size_t before = calls();
    kme[0]->answer(status, body);
    schedule.advance(100ms);
    ASSERT_EQ(calls(), before + 1) << status << " " << body;
    kme[0]->answer(200, good_container());
    EXPECT_TRUE(heard->delivered()) << status << " " << body;
  }
  EXPECT_TRUE(further.empty()) << "a key that the peer named is one fetch";
}

/// SPEC §5.7: "further call", for "not enough keys" in any words, and for gateways that fail for a while. What may have
/// cost a key is counted.
TEST_F(Etsi014, enc_keys_is_asked_again_whatever_a_kme_calls_not_enough) {
  struct Case {
    unsigned status;
    std::string body;
    std::size_t burned = 0;
  };
  const std::string words = R"({"message":"key store exhausted"})";
  std::size_t number = 0;
  for (const auto& [status, body, burned] : std::vector<Case>{{400, words},
                                                              {400, kUnknownKey},
                                                              {400, ""},
                                                              {400, "Not enough keys"},
                                                              {409, words},
                                                              {409, ""},
                                                              {422, words},
                                                              {429, ""},
                                                              {500, words, 1},
                                                              {502, "<html>", 1},
                                                              {503, ""},
                                                              {504, "", 1},
                                                              {200, ""},
                                                              {200, R"({"keys":[]})"},
                                                              {200, words},
                                                              {204, ""}}) {
    const auto heard = fetch();
    const std::size_t before = calls();
    kme[0]->answer(status, body);
    schedule.advance(200ms);
    ASSERT_EQ(calls(), before + 1) << status << " " << body;
    ASSERT_EQ(further.size(), ++number);
    EXPECT_EQ(further.back().burned, burned) << status;
    kme[0]->answer(
        200, container(key_json("00000000-0000-4000-8000-0000000000" + std::to_string(10 + number), base64_of(1))));
    EXPECT_TRUE(heard->delivered()) << status << " " << body;
  }
}

/// SPEC §5.7: what the table does not name.
TEST_F(Etsi014, any_other_status_ends_the_fetch_at_once) {
  const auto ends = [this](std::optional<std::string> key_id, unsigned status, const std::string& message) {
    const std::size_t before = calls();
    const auto heard = fetch_answered(std::move(key_id), status, "{\"message\":\"" + message + "\"}");
    EXPECT_NE(heard->problem().find(std::to_string(status)), std::string::npos) << heard->problem();
    EXPECT_TRUE(heard->times == 1 && heard->answer->error().why == QkdFailure::Unavailable);
    schedule.advance(10s);
    EXPECT_EQ(calls(), before + 1) << status;
  };
  for (const unsigned status : {302U, 403U, 410U, 505U}) {
    ends(std::nullopt, status, "no");
    ends(kKeyId, status, "no");
  }
  ends(std::nullopt, 401, "no");
  ends(kKeyId, 422, "no");
  for (const std::string_view fixed :
       {etsi014::kSizeNotMultipleOf8, etsi014::kExtensionUnknown, etsi014::kExtensionUnmet}) {
    for (const unsigned status : {400U, 409U, 422U}) ends(std::nullopt, status, std::string(fixed));
  }
}

/// SPEC §5.7: 422 and 404 to both methods end the fetch, "but with an Error …: further call"; both methods refused:
/// ends.
TEST_F(Etsi014, enc_keys_that_was_refused_without_words_or_by_both_methods_ends) {
  EXPECT_NE(fetch_answered(std::nullopt, 422, "no JSON")->problem(), "");
  for (const auto& [first, second] : {std::pair(404U, 404U), {501U, 405U}, {415U, 404U}}) {
    remake();
    const auto heard = fetch();
    kme[0]->answer(first, "");
    kme[0]->answer(second, first == 501U ? kBusy : "");
    EXPECT_NE(heard->problem(), "") << first << " " << second;
    schedule.advance(10s);
    EXPECT_EQ(calls(), 2U);
  }
  EXPECT_TRUE(further.empty());
  remake();
  const auto heard = fetch();
  kme[0]->answer(404, kBusy);
  kme[0]->answer(404, kBusy);
  EXPECT_EQ(heard->times, 0);
  EXPECT_EQ(further.size(), 1U) << "in own words";
}

TEST_F(Etsi014, dec_keys_is_not_repeated_where_its_answer_was_lost) {
  const auto heard = fetch(kKeyId);
  kme[0]->fail(true);
  EXPECT_NE(heard->problem().find("lost"), std::string::npos);
  schedule.advance(10s);
  EXPECT_EQ(calls(), 1U);
}

/// SPEC §5.7: a further call, but after a second loss.
TEST_F(Etsi014, enc_keys_asks_for_another_key_once_where_the_answer_was_lost) {
  const auto heard = fetch();
  kme[0]->fail(true);
  EXPECT_EQ(heard->times, 0);
  ASSERT_EQ(further.size(), 1U);
  EXPECT_EQ(further[0].burned, 1U);
  schedule.advance(200ms);
  ASSERT_EQ(calls(), 2U);
  kme[0]->answer(200, good_container());
  EXPECT_TRUE(heard->delivered());

  const auto twice = fetch();
  kme[0]->fail(true);
  schedule.advance(200ms);
  kme[0]->fail(true);
  EXPECT_EQ(twice->problem(), "no answer from kme; 2 keys may be burned");
  schedule.advance(10s);
  EXPECT_EQ(calls(), 4U);
}

/// SPEC §5.7: an answer whose form is wrong would come in the same form, and burn another key.
TEST_F(Etsi014, enc_keys_is_not_asked_again_where_the_form_of_the_answer_is_wrong) {
  const auto heard = fetch();
  kme[0]->fail(true, true);
  EXPECT_EQ(heard->problem(), "no answer from kme; 1 key may be burned");
  EXPECT_EQ(fetch_answered(std::nullopt, 200, "<html>")->problem().find("KME https://kme0 sent an answer that is not"),
            0U);
  EXPECT_TRUE(fetch_answered(std::nullopt, 200, container(key_json("1", base64_of(7))))
                  ->problem()
                  .ends_with("; 1 key may be burned"));
  schedule.advance(10s);
  EXPECT_EQ(calls(), 3U);
  EXPECT_TRUE(further.empty());
}

/// SPEC §5.7: certificates or TLS that do not meet.
TEST_F(Etsi014, what_cannot_change_meanwhile_ends_the_fetch_at_once) {
  for (const std::optional<std::string>& key_id : {std::optional(kKeyId), std::optional<std::string>()}) {
    const std::size_t before = calls();
    const auto heard = fetch(key_id);
    kme[0]->fail(false, true);
    EXPECT_EQ(heard->problem(), "no answer from kme");
    schedule.advance(10s);
    EXPECT_EQ(calls(), before + 1);
  }
}

TEST_F(Etsi014, what_surely_never_left_is_sent_again) {
  for (const std::optional<std::string>& key_id : {std::optional(kKeyId), std::optional<std::string>()}) {
    const std::size_t before = calls();
    const auto heard = fetch(key_id);
    kme[0]->fail(false);
    schedule.advance(key_id ? 100ms : 200ms);
    ASSERT_EQ(calls(), before + 2);
    EXPECT_TRUE(further.empty());
    kme[0]->answer(200, good_container());
    EXPECT_TRUE(heard->delivered());
  }
}

}  // namespace
}  // namespace qsp::keysource

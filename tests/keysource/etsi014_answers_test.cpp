// What the source takes from a KME, and what it says of it.

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <string>
#include <thread>
#include <vector>

#include "keysource/etsi014_fixture.hpp"
#include "support/freed_memory.hpp"

namespace qsp::keysource {
namespace {

using namespace std::chrono_literals;

const std::string kOtherId = "0a782fb5-3434-48fe-aa4d-14f41d46cf92";
const std::string kUpperId = "BC490419-7D60-487F-ADC1-4DDCC177C139";

std::string status_json(std::uint64_t stored, const std::string& more = "") {
  return R"({"source_KME_ID":"a","target_KME_ID":"b","master_SAE_ID":"c","slave_SAE_ID":"d","key_size":256,)"
         R"("max_key_count":9,"max_key_per_request":9,"max_key_size":512,"min_key_size":64,"max_SAE_ID_count":0,)"
         R"("stored_key_count":)" +
         std::to_string(stored) + more + '}';
}

TEST_F(Etsi014, an_answer_that_is_not_exactly_the_key_is_refused_and_not_asked_for_again) {
  const std::string good = key_json(kKeyId, base64_of(7));
  for (const auto& [body, problem] : std::vector<std::pair<std::string, std::string>>{
           {container(good + "," + key_json(kOtherId, base64_of(8))), "2 keys"},
           {container(key_json(kKeyId, base64_of(7, 31))), "31 bytes"},
           {container(key_json(kKeyId, base64_of(7, 33))), "33 bytes"},
           {container(key_json(kKeyId, base64_of(7, 512))), "512 bytes"},
           {container(key_json(kKeyId, base64_of(7) + "\\n")), "base64"},
           {container(key_json("1", base64_of(7))), "no UUID"},
           {container(key_json(kKeyId.substr(1), base64_of(7))), "no UUID"},
           {"<html>", "not the standard's"},
           {R"({"keys":{}})", "not the standard's"},
       }) {
    for (const std::optional<std::string>& key_id : {std::optional<std::string>(), std::optional(kKeyId)}) {
      const std::size_t before = calls();
      const auto heard = fetch_answered(key_id, 200, body);
      EXPECT_NE(heard->problem().find(problem), std::string::npos) << heard->problem();
      EXPECT_TRUE(heard->problem().starts_with("KME https://kme0 sent ")) << heard->problem();
      schedule.advance(10s);
      EXPECT_EQ(calls(), before + 1);
    }
  }
}

TEST_F(Etsi014, whether_the_kme_knows_this_end_is_asked_where_it_says_so_alone) {
  const std::string advice = "(does the KME know this end's certificate and both SAE IDs?)";
  for (const auto& [status, wanted] : std::vector<std::pair<unsigned, bool>>{{401, true},
                                                                             {403, true},
                                                                             {302, false},
                                                                             {404, false},
                                                                             {410, false},
                                                                             {422, false},
                                                                             {500, false},
                                                                             {503, false},
                                                                             {505, false}}) {
    const auto heard = fetch();
    kme[0]->answer(status, "");
    if (heard->times == 0) {  // asked again, or by the other method: until the time is over
      schedule.run_until(last_call().deadline);
      kme[0]->answer(status, "");
    }
    EXPECT_EQ(heard->problem().find(advice) != std::string::npos, wanted) << heard->problem();
    EXPECT_NE(heard->problem().find("answered " + std::to_string(status)), std::string::npos) << heard->problem();
  }
}

TEST_F(Etsi014, dec_keys_takes_the_key_asked_for_alone_in_either_case) {
  EXPECT_NE(fetch_answered(kOtherId, 200, good_container())->problem().find("another key"), std::string::npos);
  const auto heard = fetch_answered(kKeyId, 200, container(key_json(kUpperId, base64_of(7))));
  ASSERT_TRUE(heard->delivered());
  EXPECT_EQ((*heard->answer)->key_id, kKeyId);
}

TEST_F(Etsi014, enc_keys_refuses_a_key_that_came_before_in_either_case) {
  EXPECT_TRUE(fetch_answered(std::nullopt, 200, good_container())->delivered());
  for (const std::string& key_id : {kKeyId, kUpperId}) {
    const auto heard = fetch_answered(std::nullopt, 200, container(key_json(key_id, base64_of(9))));
    EXPECT_NE(heard->problem().find("before"), std::string::npos);
  }
  EXPECT_TRUE(fetch_answered(std::nullopt, 200, container(key_json(kOtherId, base64_of(9))))->delivered());
}

TEST_F(Etsi014, the_memory_of_keys_that_came_before_is_bounded) {
  const auto answered = [this](std::size_t number) {
    std::string key_id = std::to_string(100'000'000'000 + number);
    key_id.insert(0, "00000000-0000-4000-8000-");
    return fetch_answered(std::nullopt, 200, container(key_json(key_id, base64_of(1))))->delivered();
  };
  for (std::size_t i = 0; i <= 4096; ++i) ASSERT_TRUE(answered(i)) << i;
  EXPECT_FALSE(answered(1)) << "the 4096th last";
  EXPECT_TRUE(answered(0)) << "forgotten";
}

/// Whoever prints it escapes it, once.
TEST_F(Etsi014, a_failure_says_what_the_kme_said_as_it_said_it_and_short) {
  EXPECT_EQ(fetch_answered(std::nullopt, 403, R"({"message":"a\nb\\"})")->problem(),
            "KME https://kme0 answered 403: a\nb\\ (does the KME know this end's certificate and both SAE IDs?)");
  const auto longest = fetch_answered(std::nullopt, 410, "{\"message\":\"" + std::string(900, 'x') + "\"}")->problem();
  EXPECT_EQ(std::ranges::count(longest, 'x'), 200);
}

TEST_F(Etsi014, a_failure_never_shows_a_body) {
  const std::string key = base64_of(7);
  for (const unsigned status : {200U, 410U, 505U}) {
    for (const std::string& body : {"<p>" + key, "{\"key\":\"" + key + "\"}", container(key_json(key, key))}) {
      const auto problem = fetch_answered(std::nullopt, status, body)->problem();
      EXPECT_NE(problem, "");
      EXPECT_EQ(problem.find("BwcH"), std::string::npos) << problem;
    }
  }
}

TEST_F(Etsi014, a_401_says_what_to_look_at) {
  EXPECT_NE(fetch_answered(std::nullopt, 401, "")->problem().find("certificate"), std::string::npos);
}

TEST_F(Etsi014, status_knows_the_kme_before_anything_was_fetched) {
  const auto status = source->status("bob");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->description, "KME https://kme0");
  EXPECT_FALSE(status->simulated);
  EXPECT_FALSE(status->keys_left);
}

TEST_F(Etsi014OfTwoServers, status_names_all_servers) {
  EXPECT_EQ(source->status("bob")->description, "KME https://kme0, https://kme1");
}

TEST_F(Etsi014, keys_left_is_asked_beside_fetches_at_most_every_ten_seconds) {
  for (int i = 0; i < 3; ++i) fetch(kKeyId);
  ASSERT_EQ(kme[0]->status_calls.size(), 1U);
  EXPECT_EQ(kme[0]->status_calls[0].call.target, "/api/v1/keys/bob/status");
  EXPECT_EQ(kme[0]->status_calls[0].call.method, https::Method::Get);
  EXPECT_EQ(calls(), 3U) << "a fetch waited for the status";
  kme[0]->answer_status(200, status_json(41));
  EXPECT_EQ(source->status("bob")->keys_left, 41U);
  EXPECT_FALSE(source->status("carol")->keys_left);
  schedule.advance(10s - 1ns);
  fetch(kKeyId);
  EXPECT_EQ(kme[0]->status_calls.size(), 1U);
  schedule.advance(1ns);
  EXPECT_EQ(kme[0]->status_calls.size(), 1U) << "asked without a fetch";
  fetch(kKeyId);
  EXPECT_EQ(kme[0]->status_calls.size(), 2U);
  fetch(kKeyId, "carol");
  EXPECT_EQ(kme[0]->status_calls.size(), 3U);
}

TEST_F(Etsi014, a_count_of_none_is_believed_only_while_enc_keys_is_refused) {
  const auto known = [this] { return std::pair(source->status("bob")->keys_left, source->supply("bob")->keys); };
  using Counts = std::pair<std::optional<std::uint64_t>, std::optional<std::uint64_t>>;
  const auto given = fetch();
  kme[0]->answer_status(200, status_json(0));
  EXPECT_EQ(known(), Counts());
  kme[0]->answer(200, good_container());
  EXPECT_TRUE(given->delivered());
  EXPECT_EQ(known(), Counts()) << "it gives keys all the same";
  const auto late = fetch();
  kme[0]->answer(503, "");
  EXPECT_EQ(known(), Counts(0, 0));
  schedule.advance(200ms);
  kme[0]->answer(200, container(key_json(kOtherId, base64_of(7))));
  EXPECT_TRUE(late->delivered());
  EXPECT_EQ(known(), Counts());
  fetch_answered(kKeyId, 403, "");
  EXPECT_EQ(known(), Counts()) << "a refusal of dec_keys says nothing of new keys";
}

TEST_F(Etsi014, keys_left_is_unknown_where_the_kme_does_not_say) {
  for (const auto& [code, body] : std::vector<std::pair<unsigned, std::string>>{{404, ""}, {200, "{}"}, {500, "{}"}}) {
    fetch(kKeyId);
    kme[0]->answer_status(200, status_json(41));
    EXPECT_EQ(source->status("bob")->keys_left, 41U);
    schedule.advance(10s);
    fetch(kKeyId);
    kme[0]->answer_status(code, body);
    EXPECT_FALSE(source->status("bob")->keys_left) << code;
    schedule.advance(10s);
  }
}

TEST_F(Etsi014, the_supply_is_what_the_kme_said_last_and_how_long_ago) {
  EXPECT_FALSE(source->supply("bob")->keys) << "of a peer for whom nothing was fetched";
  schedule.run();
  EXPECT_EQ(kme[0]->status_calls.size(), 0U);
  fetch(kKeyId);
  EXPECT_FALSE(source->supply("bob")->keys);
  kme[0]->answer_status(200, status_json(41));
  schedule.advance(7s);
  const auto supply = source->supply("bob");
  EXPECT_EQ(supply->keys, 41U);
  EXPECT_EQ(supply->capacity, 9U);
  EXPECT_EQ(supply->age, 7s);
  EXPECT_EQ(supply->failures, 0U);
  EXPECT_EQ(supply->problem, "");
}

TEST_F(Etsi014, asking_for_the_supply_asks_the_kme_at_most_every_ten_seconds_and_never_waits) {
  fetch(kKeyId);
  kme[0]->answer_status(200, status_json(41));
  schedule.advance(10s - 1ns);
  source->supply("bob");
  schedule.run();
  EXPECT_EQ(kme[0]->status_calls.size(), 1U);
  schedule.advance(1ns);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(source->supply("bob")->keys, 41U);
  EXPECT_EQ(kme[0]->status_calls.size(), 1U) << "asked within the call";
  schedule.run();
  ASSERT_EQ(kme[0]->status_calls.size(), 2U) << "without a fetch";
  kme[0]->answer_status(200, status_json(7));
  EXPECT_EQ(source->supply("bob")->keys, 7U);
}

TEST_F(Etsi014, a_kme_that_does_not_tell_its_supply_leaves_what_was_known_and_says_why) {
  fetch(kKeyId);
  kme[0]->answer_status(200, status_json(41));
  std::uint64_t failures = 0;
  for (const auto& [code, told] : std::vector<std::pair<unsigned, std::string>>{
           {401, "KME https://kme0 answered 401"},
           {200, "KME https://kme0 sent a status that is not the standard's"}}) {
    schedule.advance(10s);
    fetch(kKeyId);
    kme[0]->answer_status(code, "{}");
    const auto supply = source->supply("bob");
    EXPECT_EQ(supply->keys, 41U);
    EXPECT_EQ(supply->failures, ++failures);
    EXPECT_EQ(supply->problem.find(told), 0U) << supply->problem;
  }
  schedule.advance(10s);
  fetch(kKeyId);
  kme[0]->answer_status(200, status_json(40));
  EXPECT_EQ(source->supply("bob")->keys, 40U);
  EXPECT_EQ(source->supply("bob")->problem, "");
}

TEST_F(Etsi014, a_simulated_key_marks_its_peer_for_good) {
  fetch_answered(kKeyId, 200, container(key_json(kKeyId, base64_of(7), R"(,"key_extension":{"simulated":true})")));
  EXPECT_TRUE(source->status("bob")->simulated);
  EXPECT_FALSE(source->status("carol")->simulated);
  fetch_answered(kKeyId, 200, good_container());
  kme[0]->answer_status(200, status_json(1));
  EXPECT_TRUE(source->status("bob")->simulated);
}

TEST_F(Etsi014, a_simulated_link_marks_its_peer_by_its_status) {
  fetch(kKeyId);
  kme[0]->answer_status(200, status_json(1, R"(,"status_extension":{"simulated":true})"));
  EXPECT_TRUE(source->status("bob")->simulated);
}

TEST_F(Etsi014, leaves_nothing_of_a_key_in_memory) {
  const std::string base64 = base64_of(0x5a);
  const std::string bytes(32, '\x5a');
  for (const std::string_view secret : {std::string_view(base64), std::string_view(bytes)}) {
    std::string body = container(key_json(kKeyId, base64));
    body.reserve(body.size() + 1);
    auto heard = fetch(kKeyId);
    freed_memory::watch_for(secret);
    kme[0]->answer(200, std::move(body));
    EXPECT_TRUE(heard->delivered());
    heard.reset();
    kme[0]->calls.clear();
    EXPECT_EQ(freed_memory::found(), 0U);
  }
}

/// Answers at once, from the loop, and notes the thread.
class EagerClient final : public https::Client {
 public:
  explicit EagerClient(Schedule& schedule) : schedule_(schedule) {}
  std::uint64_t call(https::Call call, Done done) override {
    threads.push_back(std::this_thread::get_id());
    if (call.target.ends_with("/status")) return 0;
    schedule_.post([done = std::move(done)]() mutable {
      https::Response response;
      response.body = SecretBytes(good_container());
      done(std::move(response));
    });
    return 1;
  }
  bool cancel(std::uint64_t) override { return false; }
  std::vector<std::thread::id> threads;

 private:
  Schedule& schedule_;
};

TEST(Etsi014Threads, fetches_from_many_threads_are_all_answered_on_the_loop) {
  constexpr int kThreads = 4, kEach = 50;
  net::Loop loop;
  LoopSchedule schedule(loop);
  std::vector<KmeServer> servers;
  auto client = std::make_unique<EagerClient>(schedule);
  const EagerClient& eager = *client;
  servers.push_back({"https://kme", std::move(client)});
  Etsi014Source source(
      schedule, std::move(servers),
      {.may_ask_again = [](const FurtherCall&) { return true; }, .abandoned = [](const AbandonedCall&) {}});
  int answers = 0, elsewhere = 0;
  const auto own = std::this_thread::get_id();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) {
          source.fetch({"bob", kKeyId, net::Loop::now() + 60s}, [&](const Answer& answer) {
            answers += answer ? 1 : 0;
            elsewhere += std::this_thread::get_id() == own ? 0 : 1;
            if (answers == kThreads * kEach) loop.io().stop();
          });
          source.cancel(0);
          static_cast<void>(source.status("bob"));
        }
      });
    }
    const boost::asio::executor_work_guard<net::Executor> work(loop.executor());
    loop.run();
  }
  EXPECT_EQ(answers, kThreads * kEach);
  EXPECT_EQ(elsewhere, 0);
  EXPECT_TRUE(std::ranges::all_of(eager.threads, [&](std::thread::id id) { return id == own; }));
}

TEST(Etsi014Threads, a_task_of_the_loop_runs_at_its_time) {
  net::Loop loop;
  LoopSchedule schedule(loop);
  const Instant at = schedule.now() + 20ms;
  Instant ran{};
  schedule.run_at(at, [&] { ran = schedule.now(); });
  loop.run();
  EXPECT_GE(ran, at);
}

}  // namespace
}  // namespace qsp::keysource

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "json/json.hpp"
#include "keysource/etsi014/source.hpp"

namespace qsp::keysource {

/// A loop whose time moves when the test says so.
class VirtualSchedule final : public Schedule {
 public:
  [[nodiscard]] Instant now() const noexcept override { return now_; }
  void post(Task task) override { posted_.push_back(std::move(task)); }
  void run_at(Instant at, Task task) override { timed_.emplace(at, std::move(task)); }

  /// Runs what waits, and everything due until `at`, each at its time.
  void run_until(Instant at) {
    for (run_posted(); !timed_.empty() && timed_.begin()->first <= at; run_posted()) {
      now_ = std::max(now_, timed_.begin()->first);
      Task task = std::move(timed_.extract(timed_.begin()).mapped());
      task();
    }
    now_ = at;
  }
  void run() { run_until(now_); }
  void advance(std::chrono::nanoseconds by) { run_until(now_ + by); }

 private:
  void run_posted() {
    while (!posted_.empty()) {
      Task task = std::move(posted_.front());
      posted_.pop_front();
      task();
    }
  }

  Instant now_ = std::chrono::seconds(1000);
  std::deque<Task> posted_;
  std::multimap<Instant, Task> timed_;
};

/// A KME's server whose answers the test gives. Status calls are kept apart.
class FakeClient final : public https::Client {
 public:
  struct Asked {
    std::uint64_t id;
    https::Call call;
    Done done;
  };

  std::uint64_t call(https::Call call, Done done) override {
    auto& list = call.target.ends_with("/status") ? status_calls : calls;
    list.push_back({++last_id_, std::move(call), std::move(done)});
    return last_id_;
  }
  bool cancel(std::uint64_t id) override {
    cancelled.push_back(id);
    return writes;
  }

  /// Answers the last key call.
  void answer(unsigned status, std::string body, std::optional<unsigned> retry_after = std::nullopt) {
    https::Response response;
    response.status = status;
    response.retry_after = retry_after;
    response.body = SecretBytes(std::move(body));
    take(calls.back().done)(std::move(response));
  }
  void fail(bool sent, bool lasting = false) {
    take(calls.back().done)(std::unexpected(https::CallFailure{sent, "no answer from kme", lasting}));
  }
  void answer_status(unsigned status, std::string body) {
    https::Response response;
    response.status = status;
    response.body = SecretBytes(std::move(body));
    take(status_calls.back().done)(std::move(response));
  }

  std::vector<Asked> calls, status_calls;
  std::vector<std::uint64_t> cancelled;
  bool writes = true;  ///< what it was given; false: all of it waits for a connection

 private:
  static Done take(Done& done) {
    EXPECT_TRUE(done) << "answered twice";
    return std::exchange(done, nullptr);
  }
  std::uint64_t last_id_ = 0;
};

inline const std::string kKeyId = "bc490419-7d60-487f-adc1-4ddcc177c139";
inline const std::string kBusy = R"({"message":"no key now"})";

/// The base64 of a key of `size` bytes of this value.
inline std::string base64_of(std::uint8_t value, std::size_t size = 32) {
  const auto text = json::to_base64(std::vector<std::uint8_t>(size, value));
  return {text.data(), text.size()};
}

inline std::string key_json(const std::string& key_id, const std::string& base64, const std::string& more = "") {
  return "{\"key_ID\":\"" + key_id + "\",\"key\":\"" + base64 + '"' + more + '}';
}

/// A container with these keys.
inline std::string container(const std::string& keys) { return "{\"keys\":[" + keys + "]}"; }
inline std::string good_container() { return container(key_json(kKeyId, base64_of(7))); }

/// What the test is told of one fetch.
struct Heard {
  int times = 0;
  std::optional<Answer> answer;

  [[nodiscard]] bool delivered() const { return times == 1 && answer->has_value(); }
  /// The text of the failure; empty where there is none yet, or a key.
  [[nodiscard]] std::string problem() const { return times == 1 && !*answer ? answer->error().text : ""; }
};

class Etsi014 : public testing::Test {
 protected:
  explicit Etsi014(std::size_t servers = 1) { remake(servers); }

  /// A source that has learnt nothing yet.
  void remake(std::size_t servers = 1) {
    source.reset();
    kme.clear();
    std::vector<KmeServer> kmes;
    for (std::size_t i = 0; i < servers; ++i) {
      auto client = std::make_unique<FakeClient>();
      kme.push_back(client.get());
      kmes.push_back({"https://kme" + std::to_string(i), std::move(client)});
    }
    const auto may_ask_again = [this](const FurtherCall& call) {
      if (further.size() == further_most) return false;
      further.push_back({call.sae_id, call.number, call.burned, call.why});
      return true;
    };
    const auto tell = [this](const AbandonedCall& call) { abandoned.emplace_back(call.sae_id, call.burned); };
    source = std::make_unique<Etsi014Source>(schedule, std::move(kmes), Costs{may_ask_again, tell});
  }

  /// Asks for a key shared with bob, four seconds long.
  std::shared_ptr<Heard> fetch(std::optional<std::string> key_id = std::nullopt, std::string sae_id = "bob") {
    auto heard = std::make_shared<Heard>();
    ticket = source->fetch({std::move(sae_id), std::move(key_id), schedule.now() + std::chrono::seconds(4)},
                           [heard](Answer answer) {
                             ++heard->times;
                             heard->answer.emplace(std::move(answer));
                           });
    schedule.run();
    return heard;
  }
  /// The same, answered once.
  std::shared_ptr<Heard> fetch_answered(std::optional<std::string> key_id, unsigned status, std::string body) {
    auto heard = fetch(std::move(key_id));
    kme[0]->answer(status, std::move(body));
    return heard;
  }
  [[nodiscard]] std::size_t calls(std::size_t server = 0) const { return kme[server]->calls.size(); }
  [[nodiscard]] const https::Call& last_call(std::size_t server = 0) const { return kme[server]->calls.back().call; }

  /// What was taken from the budget for a further enc_keys.
  struct Further {
    std::string sae_id;
    std::size_t number, burned;
    std::string why;
  };

  VirtualSchedule schedule;
  std::vector<Further> further;
  std::size_t further_most = 1'000;  ///< that the budget has
  std::vector<std::pair<std::string, std::size_t>> abandoned;
  std::vector<FakeClient*> kme;
  std::unique_ptr<Etsi014Source> source;
  Ticket ticket = 0;
};

class Etsi014OfTwoServers : public Etsi014 {
 protected:
  Etsi014OfTwoServers() : Etsi014(2) {}
};

}  // namespace qsp::keysource

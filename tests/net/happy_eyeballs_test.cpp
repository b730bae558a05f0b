#include "net/happy_eyeballs.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <map>
#include <optional>
#include <string>

namespace qsp::net {
namespace {

using namespace std::chrono_literals;

tcp::endpoint at(const char* address) { return {asio::ip::make_address(address), 7}; }

/// What happens to an attempt: its error (none: it connects) and when; nothing: it is swallowed.
struct Fate {
  error_code why;
  std::chrono::milliseconds after;
};

/// A network made of fates. It notes who was tried, and when.
class Network {
 public:
  explicit Network(std::map<std::string, Fate> fates) : fates_(std::move(fates)) {}

  HappyEyeballs::Connect connector() {
    return [this](Socket&, const tcp::endpoint& address, std::function<void(const error_code&)> done) {
      tried.emplace_back(address.address().to_string(), Loop::now() - began_);
      const auto fate = fates_.find(tried.back().first);
      if (fate == fates_.end()) return;
      auto timer = std::make_shared<Timer>(loop.executor());
      timer->expires_after(fate->second.after);
      timer->async_wait([timer, done = std::move(done), why = fate->second.why](const error_code&) { done(why); });
    };
  }
  std::expected<Dialled, DialFailure> dial(const std::vector<tcp::endpoint>& addresses, const DialLimits& limits = {}) {
    HappyEyeballs race(loop.executor(), limits, connector());
    std::optional<std::expected<Dialled, DialFailure>> outcome;
    began_ = Loop::now();
    const auto run = [&]() -> asio::awaitable<void> {
      auto racing = race.run(addresses);
      outcome.emplace(co_await std::move(racing));
      took = Loop::now() - began_;
    };
    asio::co_spawn(loop.executor(), run(), asio::detached);
    loop.run();
    return std::move(*outcome);
  }

  Loop loop;
  std::vector<std::pair<std::string, std::chrono::nanoseconds>> tried;
  std::chrono::nanoseconds took{};

 private:
  std::map<std::string, Fate> fates_;
  Instant began_{};
};

const error_code kRefused = asio::error::connection_refused;

TEST(HappyEyeballs, an_address_that_swallows_packets_costs_a_quarter_of_a_second) {
  Network network({{"192.0.2.1", {{}, 1ms}}});
  const auto dialled = network.dial({at("2001:db8::1"), at("192.0.2.1")});
  ASSERT_TRUE(dialled.has_value());
  EXPECT_EQ(dialled->peer, at("192.0.2.1"));
  ASSERT_EQ(network.tried.size(), 2U);
  EXPECT_GE(network.tried[1].second, 250ms);
  EXPECT_LT(network.took, 1s);
}

TEST(HappyEyeballs, a_failure_is_not_waited_after) {
  Network network({{"2001:db8::1", {kRefused, 1ms}}, {"192.0.2.1", {{}, 1ms}}});
  ASSERT_TRUE(network.dial({at("2001:db8::1"), at("192.0.2.1")}).has_value());
  EXPECT_LT(network.tried[1].second, 200ms);
}

TEST(HappyEyeballs, the_first_address_keeps_its_lead_where_it_answers) {
  Network network({{"2001:db8::1", {{}, 100ms}}, {"192.0.2.1", {{}, 1ms}}});
  EXPECT_EQ(network.dial({at("2001:db8::1"), at("192.0.2.1")})->peer, at("2001:db8::1"));
  EXPECT_EQ(network.tried.size(), 1U);
}

TEST(HappyEyeballs, a_late_first_address_may_still_win) {
  Network network({{"2001:db8::1", {{}, 350ms}}});
  EXPECT_EQ(network.dial({at("2001:db8::1"), at("192.0.2.1")})->peer, at("2001:db8::1"));
  EXPECT_EQ(network.tried.size(), 2U);
}

TEST(HappyEyeballs, each_address_is_tried_and_told_with_its_cause) {
  Network network({{"2001:db8::1", {kRefused, 1ms}}, {"192.0.2.1", {asio::error::host_unreachable, 1ms}}});
  const auto failed =
      network.dial({at("2001:db8::1"), at("192.0.2.1"), at("192.0.2.2")}, {.overall = 600ms, .each = 200ms});
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(describe(failed.error().tried),
            "[2001:db8::1]:7: refused, nothing listens there; 192.0.2.1:7: no route; 192.0.2.2:7: no answer");
}

TEST(HappyEyeballs, one_limit_holds_for_all_together_and_one_for_each) {
  Network all({});
  EXPECT_EQ(all.dial({at("192.0.2.1"), at("192.0.2.2")}, {.overall = 300ms}).error().tried.size(), 2U);
  EXPECT_LT(all.took, 1s);
  Network each({});
  EXPECT_FALSE(each.dial({at("192.0.2.1"), at("192.0.2.2")}, {.overall = 30s, .each = 200ms}).has_value());
  EXPECT_LT(each.took, 5s);
  Network alone({{"192.0.2.1", {{}, 400ms}}});
  EXPECT_TRUE(alone.dial({at("192.0.2.1")}, {.overall = 30s, .each = 100ms}).has_value()) << "nobody else waits";
}

TEST(HappyEyeballs, families_take_turns) {
  EXPECT_EQ(interleave({at("2001:db8::1"), at("2001:db8::2"), at("2001:db8::3"), at("192.0.2.1")}),
            (std::vector{at("2001:db8::1"), at("192.0.2.1"), at("2001:db8::2"), at("2001:db8::3")}));
  EXPECT_TRUE(interleave({}).empty());
}

TEST(HappyEyeballs, no_more_addresses_are_tried_than_allowed) {
  Network network({});
  std::vector<tcp::endpoint> many;
  for (int i = 1; i < 100; ++i) many.push_back(at(("192.0.2." + std::to_string(i)).c_str()));
  EXPECT_EQ(network.dial(many, {.overall = 200ms, .delay = 1ms, .addresses = 5}).error().tried.size(), 5U);
}

TEST(HappyEyeballs, ends_when_it_is_cancelled) {
  Loop loop;
  Network network({});
  HappyEyeballs race(loop.executor(), {}, network.connector());
  bool over = false;
  const auto run = [&]() -> asio::awaitable<void> {
    auto racing = race.run({at("192.0.2.1"), at("192.0.2.2")});
    const auto dialled = co_await std::move(racing);
    over = !dialled.has_value();
  };
  asio::co_spawn(loop.executor(), run(), asio::detached);
  Timer timer(loop.executor());
  timer.expires_after(20ms);
  timer.async_wait([&](const error_code&) { race.cancel(); });
  const Instant began = Loop::now();
  loop.run();
  EXPECT_TRUE(over);
  EXPECT_LT(Loop::now() - began, 5s);
}

}  // namespace
}  // namespace qsp::net

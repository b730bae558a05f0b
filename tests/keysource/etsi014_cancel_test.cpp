// What becomes of a fetch that nobody waits for any more.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "keysource/etsi014_fixture.hpp"

namespace qsp::keysource {
namespace {

using namespace std::chrono_literals;

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

/// SPEC §5.7: wherever a key may be burned.
TEST_F(Etsi014, an_enc_keys_that_is_given_up_under_way_is_told_once) {
  using Told = std::vector<std::pair<std::string, std::size_t>>;
  fetch();
  source->cancel(ticket);
  source->cancel(ticket);
  schedule.advance(10s);
  EXPECT_EQ(abandoned, (Told{{"bob", 1}}));
  fetch();
  kme[0]->answer(502, "");
  schedule.advance(200ms);
  ASSERT_EQ(further.back().burned, 1U);
  source->cancel(ticket);
  schedule.run();
  EXPECT_EQ(abandoned, (Told{{"bob", 1}, {"bob", 2}})) << "with the one before it";
  fetch();
  source.reset();
  EXPECT_EQ(abandoned, (Told{{"bob", 1}, {"bob", 2}, {"bob", 1}})) << "the process ends";
}

TEST_F(Etsi014, what_is_given_up_and_cost_nothing_more_is_not_told) {
  fetch(kKeyId);
  source->cancel(ticket);  // a key that the peer named is lost with the session
  schedule.run();
  fetch();
  kme[0]->answer(502, "");
  source->cancel(ticket);  // in the pause: what was lost has been told
  schedule.run();
  kme[0]->writes = false;
  fetch();
  source->cancel(ticket);  // it surely never left
  schedule.run();
  fetch_answered(std::nullopt, 200, good_container());
  source->cancel(ticket);
  schedule.run();
  source.reset();
  EXPECT_TRUE(abandoned.empty());
}

TEST_F(Etsi014, cancel_of_an_answered_fetch_does_nothing) {
  const auto heard = fetch_answered(std::nullopt, 200, good_container());
  source->cancel(ticket);
  source->cancel(0);
  schedule.run();
  EXPECT_EQ(heard->times, 1);
  EXPECT_TRUE(kme[0]->cancelled.empty());
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

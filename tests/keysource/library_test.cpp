#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "keysource/pad_fixture.hpp"
#include "qsp/qkd.hpp"

namespace qsp::keysource::test {
namespace {

struct Library : PadTest {
  std::unique_ptr<KeySource> open(const std::string& sae_id, const std::string& file) {
    return open_pads({{.sae_id = sae_id, .file = file}}).value();
  }
  static Answer ask(KeySource& source, const std::string& sae_id, std::optional<std::string> key_id = std::nullopt) {
    std::optional<Answer> answer;
    source.fetch({.sae_id = sae_id, .key_id = std::move(key_id), .deadline = Instant::max()},
                 [&answer](Answer given) { answer = std::move(given); });
    return *std::move(answer);
  }
};

TEST_F(Library, both_ends_get_one_key_and_only_once) {
  ASSERT_TRUE(make_pads({.link = "berlin-paris", .keys = 4}, a_, b_, rng_));
  const auto alices = open("bob", a_), bobs = open("alice", b_);
  const auto first = ask(*alices, "bob");
  ASSERT_TRUE(first) << first.error().text;
  const auto second = ask(*bobs, "alice", first->key_id);
  ASSERT_TRUE(second) << second.error().text;
  EXPECT_EQ(bytes_of(first->key), bytes_of(second->key));
  EXPECT_FALSE(ask(*bobs, "alice", first->key_id));
  EXPECT_EQ(alices->status("bob")->keys_left, 1U);
  EXPECT_FALSE(alices->status("carol"));
}

// SPEC §5.7: "per peer at most 10 fetches, refilled by one per 10 s".
TEST_F(Library, a_peer_gets_ten_keys_and_then_the_budget_is_spent) {
  ASSERT_TRUE(make_pads({.link = "berlin-paris", .keys = 100}, a_, b_, rng_));
  const auto source = open("bob", a_);
  int given = 0;
  auto answer = ask(*source, "bob");
  for (; answer && given < 50; answer = ask(*source, "bob")) ++given;
  EXPECT_GE(given, 10);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().why, QkdFailure::Budget) << "after " << given << " keys";
}

TEST_F(Library, failures_say_what_is_wrong) {
  EXPECT_EQ(make_pads({.link = "berlin-paris", .keys = 1}, a_, b_, rng_).error().kind, ErrorKind::Environment);
  EXPECT_NE(open_pads({{.sae_id = "bob", .file = a_}}).error().text.find(a_), std::string::npos);
  ASSERT_TRUE(make_pads({.link = "berlin-paris", .keys = 4}, a_, b_, rng_));
  const auto twice = open_pads({{.sae_id = "bob", .file = a_}, {.sae_id = "bob", .file = b_}});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().kind, ErrorKind::ApiMisuse);
}

}  // namespace
}  // namespace qsp::keysource::test

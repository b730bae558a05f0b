#include "kme/link/feed_report.hpp"

#include <gtest/gtest.h>

#include <string>

namespace qsp::kme::link {
namespace {

TEST(FeedReport, what_is_sent_is_what_is_read) {
  FeedReport report{.state = FeedState::Aborting,
                    .reason = "|S| is under its floor",
                    .s = -1.41,
                    .qber = 0.25,
                    .rate = 0,
                    .block_age = 7.5,
                    .blocks = 12,
                    .keys = 34,
                    .aborted = {{"bell_test", 3}, {"error_rate", 1}},
                    .simulated = true};
  const auto read = parse_feed_report(to_json(report).reveal_text());
  ASSERT_TRUE(read.has_value()) << read.error();
  EXPECT_EQ(read->state, report.state);
  EXPECT_EQ(read->reason, report.reason);
  EXPECT_EQ(read->s, report.s);
  EXPECT_EQ(read->qber, report.qber);
  EXPECT_EQ(read->block_age, report.block_age);
  EXPECT_EQ(read->blocks, 12U);
  EXPECT_EQ(read->keys, 34U);
  EXPECT_EQ(read->aborted, report.aborted);
  EXPECT_TRUE(read->simulated);
  report.s.reset();
  EXPECT_FALSE(parse_feed_report(to_json(report).reveal_text())->s.has_value());
}

TEST(FeedReport, what_a_device_must_not_say_is_refused) {
  const std::string good =
      R"({"state":"running","reason":"","rate":1,"blocks":1,"keys":1,"aborted":{},"simulated":true})";
  ASSERT_TRUE(parse_feed_report(good).has_value());
  const auto with = [&good](std::string_view from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& bad :
       {std::string("[]"), with("running", "happy"), with("\"rate\":1", "\"rate\":-1"), with("\"rate\":1,", ""),
        with("\"blocks\":1", "\"blocks\":-1"), with("\"blocks\":1", "\"blocks\":1.5"), with("{}", "{\"A\":1}"),
        with("{}", "{\"a b\":1}"), with("{}", "{\"a\":\"1\"}"), with("true", "1"), with("{}", "[]"),
        with("\"reason\":\"\"", "\"reason\":\"a\\nb\""), with("\"rate\":1", "\"rate\":1,\"s\":5"),
        with("\"rate\":1", "\"rate\":1,\"qber\":2"), with("\"rate\":1", "\"rate\":1,\"block_age\":-1"),
        with("\"reason\":\"\"", "\"reason\":\"" + std::string(201, 'x') + '"')}) {
    EXPECT_FALSE(parse_feed_report(bad).has_value()) << bad;
  }
  std::string many = "{";
  for (int i = 0; i < 17; ++i)
    many += std::string(i == 0 ? "" : ",") + "\"r" + std::string(1, static_cast<char>('a' + i)) + "\":1";
  EXPECT_FALSE(parse_feed_report(with("{}", many + "}")).has_value());
}

}  // namespace
}  // namespace qsp::kme::link

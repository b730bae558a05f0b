#include "json/json.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <limits>
#include <string>

#include "support/freed_memory.hpp"

namespace {

using namespace qsp;
namespace bj = boost::json;

constexpr std::size_t kDepth = 8;

bool accepted(std::string_view text) { return json::parse(text, kDepth).has_value(); }

std::string refusal(std::string_view text) {
  const auto parsed = json::parse(text, kDepth);
  return parsed ? "accepted" : parsed.error();
}

std::string written(const bj::value& value) { return std::string(json::serialize(value).reveal_text()); }

TEST(Json, reads_every_kind_of_value) {
  const auto value = json::parse(R"( {"a":[1,-2,true,false,null,1.5],"b":{"c":"d\u00e9\n\/"}} )", kDepth);
  ASSERT_TRUE(value);
  const bj::object& object = value->as_object();
  EXPECT_EQ(object.at("a").as_array().size(), 6U);
  EXPECT_EQ(object.at("a").as_array()[1].as_int64(), -2);
  EXPECT_EQ(object.at("b").at("c").as_string(), "d\xc3\xa9\n/");
}

TEST(Json, refuses_what_is_no_json) {
  for (const std::string_view text :
       {"",     " ",   "{",      "}",       "[1,]",      "{\"a\":1,}", "{a:1}",     "{'a':1}",  "01",
        "+1",   ".5",  "1.",     "1e",      "-",         "0x10",       "NaN",       "Infinity", "nul",
        "True", "\"a", "\"\t\"", "\"\\x\"", "\"\\u12\"", "// no\n1",   "/* no */1", "[1 2]",    "{\"a\" 1}"}) {
    EXPECT_FALSE(accepted(text)) << text;
  }
  EXPECT_FALSE(accepted("\xef\xbb\xbf{}")) << "a byte order mark";
}

TEST(Json, refuses_anything_behind_the_end) {
  EXPECT_TRUE(accepted("{} \r\n\t"));
  for (const std::string_view text : {"{}{}", "{} x", "1 2", "[],"}) EXPECT_FALSE(accepted(text)) << text;
  EXPECT_FALSE(accepted(std::string_view("{}\0", 3)));
}

TEST(Json, refuses_a_member_twice_however_deep_and_however_spelt) {
  for (const std::string_view text : {R"({"a":1,"a":1})", R"({"a":1,"b":2,"\u0061":3})", R"([{"x":{"a":1,"a":2}}])",
                                      R"({"a":{"b":1},"a":{"c":1}})", R"({"":1,"":2})"}) {
    EXPECT_NE(refusal(text).find("twice"), std::string::npos) << text << ": " << refusal(text);
  }
  EXPECT_TRUE(accepted(R"({"a":{"a":1},"A":[{"a":1},{"a":1}]})"));
}

TEST(Json, finds_a_member_twice_among_many) {
  std::string text = "{";
  for (int i = 0; i < 5000; ++i) text += '"' + std::to_string(i) + "\":0,";
  EXPECT_TRUE(accepted(text + R"("x":0})"));
  EXPECT_FALSE(accepted(text + R"("2500":0})"));
}

TEST(Json, refuses_what_is_no_utf8) {
  EXPECT_TRUE(accepted("\"\xf0\x9f\x94\x91\""));
  for (const std::string_view text : {"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\"",
                                      "\"\xf5\x80\x80\x80\"", R"("\ud800")", R"("\udc00\ud800")"}) {
    EXPECT_FALSE(accepted(text));
  }
}

TEST(Json, tells_exact_integers_from_others) {
  EXPECT_TRUE(json::parse("9223372036854775807", kDepth)->is_int64());
  EXPECT_EQ(json::parse("18446744073709551615", kDepth)->as_uint64(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_TRUE(json::parse("18446744073709551616", kDepth)->is_double());
  EXPECT_TRUE(json::parse("1e2", kDepth)->is_double());
  EXPECT_TRUE(json::parse("256.0", kDepth)->is_double());
}

TEST(Json, refuses_a_number_that_is_not_finite) {
  EXPECT_TRUE(accepted("1e308"));
  EXPECT_FALSE(accepted("1e309"));
  EXPECT_FALSE(accepted("[-1e999]"));
}

TEST(Json, bounds_the_depth) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(accepted(nested(kDepth)));
  EXPECT_FALSE(accepted(nested(kDepth + 1)));
  EXPECT_FALSE(accepted(std::string(1'000'000, '[')));
}

TEST(Json, errors_quote_nothing_of_the_text) {
  for (const std::string_view text : {R"({"key":"c2VjcmV0",})", R"({"c2VjcmV0":1,"c2VjcmV0":2})", R"("c2VjcmV0)"}) {
    EXPECT_EQ(refusal(text).find("c2Vj"), std::string::npos);
  }
}

TEST(Json, writes_compactly_and_reads_it_back) {
  const bj::value value{
      {"keys", {{{"key_ID", "x\n\"\\"}, {"key", "AA=="}}}}, {"n", 18446744073709551615U}, {"b", true}};
  EXPECT_EQ(written(value), R"({"keys":[{"key_ID":"x\n\"\\","key":"AA=="}],"n":18446744073709551615,"b":true})");
  EXPECT_EQ(json::parse(written(value), kDepth).value(), value);
}

TEST(Json, writes_texts_longer_than_one_piece) {
  const bj::value value{std::string(5000, 'a'), std::string(1023, 'b')};
  EXPECT_EQ(written(value), bj::serialize(value));
}

constexpr std::string_view kSecret = "c2VjcmV0IGtleSBieXRlcyB0aGF0IG11c3QgYmUgd2lwZWQ=";

TEST(Json, wipes_whatever_held_a_value) {
  const std::string object = "{\"key\":\"" + std::string(kSecret) + "\"}";
  const std::string list = "[\"" + std::string(kSecret) + "\"," + object + "]";
  const std::string broken = object + "x";
  freed_memory::watch_for(kSecret);
  {
    const auto value = json::parse(list, kDepth);
    ASSERT_TRUE(value);
    ASSERT_EQ(value->as_array()[0].as_string(), kSecret);
    ASSERT_FALSE(json::parse(broken, kDepth));
    ASSERT_EQ(json::serialize(*value).reveal_text(), list);
  }
  EXPECT_EQ(freed_memory::found(), 0U);
}

TEST(FreedMemory, the_watch_finds_what_is_not_wiped) {
  freed_memory::watch_for(kSecret);
  {
    const std::string copy(kSecret);
  }
  EXPECT_EQ(freed_memory::found(), 1U);
}

}  // namespace

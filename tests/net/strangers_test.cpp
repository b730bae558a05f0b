// How strangers are told of, and what they speak.
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <string>

#include "net/foreign.hpp"
#include "net/tally.hpp"

namespace qsp::net {
namespace {

using std::chrono::seconds;
using tcp = boost::asio::ip::tcp;

const tcp::endpoint kFirst(boost::asio::ip::make_address("192.0.2.1"), 1);
const tcp::endpoint kLast(boost::asio::ip::make_address("192.0.2.9"), 9);

TEST(Tally, tells_the_first_at_once_and_the_rest_once_a_minute) {
  Tally tally;
  const auto first = tally.note("silent", kFirst, seconds(100));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->count, 1U);
  EXPECT_FALSE(tally.next_due().has_value());
  for (int i = 0; i < 498; ++i) EXPECT_FALSE(tally.note("silent", kFirst, seconds(101)).has_value());
  EXPECT_FALSE(tally.note("silent", kLast, seconds(159)).has_value());
  EXPECT_EQ(tally.next_due(), seconds(160));
  EXPECT_TRUE(tally.due(seconds(159)).empty());
  const auto due = tally.due(seconds(160));
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due.front().count, 499U);
  EXPECT_EQ(due.front().last, kLast);
  EXPECT_TRUE(tally.due(seconds(500)).empty());
  EXPECT_TRUE(tally.note("silent", kFirst, seconds(220)).has_value());
}

TEST(Tally, kinds_are_told_apart) {
  Tally tally;
  EXPECT_TRUE(tally.note("a", kFirst, seconds(1)).has_value());
  EXPECT_TRUE(tally.note("b", kFirst, seconds(2)).has_value());
  EXPECT_FALSE(tally.note("a", kFirst, seconds(3)).has_value());
  EXPECT_FALSE(tally.note("b", kFirst, seconds(3)).has_value());
  EXPECT_EQ(tally.rest().size(), 2U);
  EXPECT_TRUE(tally.rest().empty());
}

TEST(Tally, what_a_stranger_says_of_itself_makes_no_kind) {
  Tally tally;
  EXPECT_EQ(tally.note("a", kFirst, seconds(1), "one")->detail, "one");
  for (int i = 0; i < 1'000; ++i)
    EXPECT_FALSE(tally.note("a", kLast, seconds(2), fmt::format("key {}", i)).has_value());
  const auto rest = tally.rest();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest.front().count, 1'000U);
  EXPECT_EQ(rest.front().detail, "key 999");
  EXPECT_EQ(tally.note("a", kFirst, seconds(100))->detail, "");
}

TEST(Tally, many_kinds_fill_no_memory_and_no_log) {
  Tally tally;
  std::size_t told = 0;
  for (int i = 0; i < 10'000; ++i)
    told += tally.note(fmt::format("kind {}", i), kFirst, seconds(1)).has_value() ? 1 : 0;
  EXPECT_EQ(told, Tally::kMaxKinds + 1);
  const auto rest = tally.rest();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest.front().kind, "other");
  EXPECT_EQ(rest.front().count, 10'000 - told);
  EXPECT_EQ(tally.note("new", kFirst, seconds(62))->kind, "new") << "what is long past makes room";
}

std::string spoken(std::string_view text) {
  const auto foreign = foreign_protocol(as_bytes(text));
  return foreign ? std::string(foreign->name) : "";
}

TEST(Foreign, well_known_protocols_are_named) {
  EXPECT_EQ(spoken("SSH-2.0-OpenSSH_9.2\r\n"), "SSH");
  EXPECT_EQ(spoken("GET / HTTP/1.0\r\n\r\n"), "HTTP");
  EXPECT_EQ(spoken("POST /x HTTP/1.1\r\n"), "HTTP");
  EXPECT_EQ(spoken("HTTP/1.1 400 Bad Request\r\n"), "HTTP");
  EXPECT_EQ(spoken("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "HTTP");
  EXPECT_EQ(spoken("\x16\x03\x01\x02"), "TLS");
  EXPECT_EQ(spoken("\x15\x03\x03"), "TLS");
}

TEST(Foreign, a_frame_or_too_little_is_not) {
  EXPECT_EQ(spoken(""), "");
  EXPECT_EQ(spoken("SSH"), "");
  EXPECT_EQ(spoken("\x16"), "");
  EXPECT_EQ(spoken("GETTING"), "");
  for (const char type : {'\x01', '\x02', '\x03', '\x04'})
    EXPECT_EQ(spoken(std::string(1, type) + std::string(30, '\3')), "");
}

}  // namespace
}  // namespace qsp::net

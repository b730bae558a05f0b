#include "https/message.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "https/retry_after.hpp"

namespace qsp::https {
namespace {

constexpr std::size_t kMaxBody = 100;

/// Reads a request that arrives `step` bytes at a time: 0 where more is wanted at its end, 200 where it is whole, or
/// the status that it is refused with.
unsigned read(std::string_view bytes, std::size_t step, std::optional<ReceivedRequest>* request = nullptr) {
  RequestReader reader(kMaxBody);
  Input input;
  while (!bytes.empty()) {
    const MutableBytes room = input.room();
    const std::size_t count = std::min({step, bytes.size(), room.size()});
    std::memcpy(room.data(), bytes.data(), count);
    input.commit(count);
    bytes.remove_prefix(count);
    const auto progress = reader.feed(input);
    if (!progress) return progress.error();
    if (*progress == Progress::Done) {
      if (request != nullptr) *request = reader.take();
      return 200;
    }
  }
  return 0;
}

/// The same outcome whole, in pieces and byte by byte.
unsigned read(const std::string& bytes) {
  const unsigned whole = read(bytes, bytes.size());
  EXPECT_EQ(read(bytes, 1), whole);
  EXPECT_EQ(read(bytes, 7), whole);
  return whole;
}

std::string post(std::string_view fields, std::string_view body) {
  return std::string("POST /a HTTP/1.1\r\nHost: h\r\n").append(fields).append("\r\n").append(body);
}

TEST(Request, is_read_with_its_body_however_it_is_cut) {
  for (const std::size_t step : {1u, 2u, 13u, 1000u}) {
    std::optional<ReceivedRequest> request;
    EXPECT_EQ(read(post("Content-Length: 5\r\n", "hello"), step, &request), 200u);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->body.reveal_text(), "hello");
    EXPECT_EQ(request->method, Method::Post);
    EXPECT_TRUE(request->keep_alive);
    EXPECT_EQ(
        read(post("Transfer-Encoding: chunked\r\n", "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: v\r\n\r\n"), step, &request),
        200u);
    EXPECT_EQ(request->body.reveal_text(), "hello");
  }
}

TEST(Request, with_a_field_that_goes_on_in_the_next_line_is_refused) {
  for (const std::string_view fold : {" ", "\t", "  x: y"}) {
    EXPECT_EQ(read(std::string("GET /a HTTP/1.1\r\nHost: h\r\nX: a\r\n").append(fold).append("b\r\n\r\n")), 400u);
    EXPECT_EQ(read(std::string("GET /a HTTP/1.1\r\n").append(fold).append("Host: h\r\n\r\n")), 400u);
  }
  EXPECT_EQ(read(post("Content-Length: 3\r\n", "\n x")), 200u) << "a body is none of its business";
}

TEST(Request, of_another_page_is_known_by_its_host_and_origin) {
  for (const std::string_view host :
       {"localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8445", "[::1]:8445", "[::1]"}) {
    EXPECT_TRUE(is_own_page(host, "")) << host;
    EXPECT_TRUE(is_own_page(host, std::string("http://").append(host))) << host;
    EXPECT_FALSE(is_own_page(host, "https://evil.example")) << host;
    EXPECT_FALSE(is_own_page(host, "null")) << host;
    EXPECT_FALSE(is_own_page(host, std::string("http://").append(host).append("0"))) << host;
  }
  EXPECT_TRUE(is_own_page("", "")) << "HTTP/1.0";
  for (const std::string_view host :
       {"evil.example", "evil.example:8445", "127.0.0.1.evil.example", "localhost.evil.example", "192.0.2.1",
        "[2001:db8::1]", "[::1", ":", "127.0.0.1@evil.example"}) {
    EXPECT_FALSE(is_own_page(host, "")) << host;
    EXPECT_FALSE(is_own_page(host, std::string("http://").append(host))) << host;
  }
}

TEST(Request, of_http10_ends_its_connection_and_other_methods_are_told) {
  std::optional<ReceivedRequest> request;
  EXPECT_EQ(read("HEAD /a HTTP/1.0\r\n\r\n", 1, &request), 200u);
  EXPECT_FALSE(request->keep_alive);
  EXPECT_TRUE(request->head);
  EXPECT_EQ(request->method, Method::Other);
}

TEST(Request, is_refused_where_it_is_not_http) {
  for (const char* bad :
       {"garbage\r\n\r\n", "\x16\x03\x01\x02\x03", "GET /a HTTP/2.0\r\n\r\n", "GET  /a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a HTTP/1.1\r\n\r\n", "GET /a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", "GET a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /%0 HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a HTTP/1.1\r\nHost : h\r\n\r\n"}) {
    EXPECT_EQ(read(std::string(bad)), 400u) << bad;
  }
}

TEST(Request, of_doubtful_length_is_refused) {
  EXPECT_EQ(read(post("Content-Length: 1\r\nContent-Length: 2\r\n", "xx")), 400u);
  EXPECT_EQ(read(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")), 400u);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")), 400u);
  EXPECT_EQ(read(post("Transfer-Encoding: gzip\r\n", "")), 501u);
  EXPECT_EQ(read(post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")), 501u);
  EXPECT_EQ(read(post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")), 501u);
  EXPECT_EQ(read("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 501u);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "zz\r\n")), 400u);
}

TEST(Request, body_has_a_bound) {
  const std::string most(kMaxBody, 'x');
  EXPECT_EQ(read(post("Content-Length: 100\r\n", most)), 200u);
  EXPECT_EQ(read(post("Content-Length: 101\r\n", "")), 413u);
  EXPECT_EQ(read(post("Content-Length: 18446744073709551615\r\n", "")), 413u);
  EXPECT_EQ(read(post("Content-Length: 99999999999999999999999\r\n", "")), 400u);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "64\r\n" + most + "\r\n0\r\n\r\n")), 200u);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "64\r\n" + most + "\r\n1\r\nx\r\n0\r\n\r\n")), 413u);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\n")), 413u);
}

TEST(Request, target_has_a_bound) {
  const auto get = [](std::size_t size) {
    return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n";
  };
  EXPECT_EQ(read(get(kMaxTargetSize)), 200u);
  EXPECT_EQ(read(get(kMaxTargetSize + 1)), 414u);
  EXPECT_EQ(read(get(60'000)), 414u);
}

TEST(Request, header_fields_have_a_bound_together) {
  const auto get = [](std::size_t size) {
    std::string fields = "Host: h\r\n";
    while (fields.size() + 2 < size) {
      const std::size_t left = std::min<std::size_t>(size - 2 - fields.size(), 100);
      fields += left < 6 ? std::string() : "X: " + std::string(left - 5, 'x') + "\r\n";
      if (left < 6) break;
    }
    return "GET /a HTTP/1.1\r\n" + fields + "\r\n";
  };
  EXPECT_EQ(read(get(kMaxHeaderSize - 10)), 200u);
  EXPECT_EQ(read(get(kMaxHeaderSize + 110)), 431u);
  EXPECT_EQ(read(get(200'000)), 431u);
  EXPECT_EQ(read("GET /a HTTP/1.1\r\nHost: h\r\nX: " + std::string(60'000, 'x')), 431u);
  const std::string endless = post("Transfer-Encoding: chunked\r\n", "1;" + std::string(60'000, 'x'));
  EXPECT_EQ(read(endless), 400u);
}

TEST(Request, that_expects_more_than_continue_is_refused) {
  EXPECT_EQ(read(post("Expect: coffee\r\nContent-Length: 1\r\n", "x")), 417u);
  EXPECT_EQ(read(post("Expect: 100-continue\r\nContent-Length: 1\r\n", "x")), 200u);
}

TEST(Response, of_a_head_has_a_length_but_no_body) {
  const Response response{.status = 200, .body = SecretBytes::copy_of("{}"), .retry_after = 3};
  const SecretBytes text = write_response(response, true, false);
  const std::string_view view = text.reveal_text();
  EXPECT_TRUE(view.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(view.ends_with("\r\n\r\n"));
  EXPECT_NE(view.find("Content-Length: 2\r\n"), std::string_view::npos);
  EXPECT_NE(view.find("Retry-After: 3\r\n"), std::string_view::npos);
  EXPECT_NE(view.find("Connection: close\r\n"), std::string_view::npos);
}

/// What comes of an answer: its body, or what is wrong with it.
std::string answer(std::string_view bytes, std::size_t step, bool then_end) {
  ResponseReader reader(kMaxBody);
  Input input;
  while (!bytes.empty()) {
    const std::size_t count = std::min(step, bytes.size());
    std::memcpy(input.room().data(), bytes.data(), count);
    input.commit(count);
    bytes.remove_prefix(count);
    const auto progress = reader.feed(input);
    if (!progress) return progress.error();
    if (*progress == Progress::Done) return std::string(reader.take().body.reveal_text());
  }
  if (!then_end) return "waits";
  if (const auto ended = reader.end(); !ended) return ended.error();
  return std::string(reader.take().body.reveal_text());
}

TEST(Answer, is_read_with_its_body_however_it_is_cut) {
  for (const std::size_t step : {1u, 5u, 1000u}) {
    EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", step, false), "{}");
    EXPECT_EQ(
        answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
               step, false),
        "{}");
    EXPECT_EQ(answer("HTTP/1.0 200 OK\r\n\r\n{}", step, true), "{}");
    EXPECT_EQ(answer("HTTP/1.1 204 No Content\r\n\r\n", step, false), "");
  }
}

TEST(Answer, says_when_to_come_again_in_seconds_or_by_a_date_and_never_later_than_in_a_day) {
  using std::chrono::seconds;
  const std::string sent = "Sun, 06 Nov 1994 08:49:37 GMT";
  const auto now =
      std::chrono::system_clock::time_point(seconds(784111777)) + std::chrono::milliseconds(700);  // likewise
  const auto wait = [&](std::string_view field, std::string_view date) -> std::optional<std::int64_t> {
    const auto parsed = parse_retry_after(field, date, now);
    return parsed ? std::optional(parsed->count()) : std::nullopt;
  };
  for (const std::string& date : {sent, std::string(), std::string("yesterday")}) {
    EXPECT_EQ(wait("0", date), 0);
    EXPECT_EQ(wait("7", date), 7);
    EXPECT_EQ(wait("Sun, 06 Nov 1994 08:49:40 GMT", date), 3);
    EXPECT_EQ(wait("Sunday, 06-Nov-94 08:50:37 GMT", date), 60);
    EXPECT_EQ(wait("Sun Nov  6 09:49:37 1994", date), 3600);
    EXPECT_EQ(wait("Sun, 06 Nov 1994 08:49:36 GMT", date), 0) << "past";
    for (const std::string_view late :
         {"86401", "4294967296", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"}) {
      EXPECT_EQ(wait(late, date), 86400) << late;
    }
    for (const std::string_view neither :
         {"", " ", "-1", "+1", "1.5", "1 s", "0x1", "soon", "Sun, 06 Nov 1994 08:49:40",
          "Sun, 06 Nov 1994 08:49:40 GMT!", "Sun, 66 Nov 1994 08:49:40 GMT"}) {
      EXPECT_EQ(wait(neither, date), std::nullopt) << neither;
    }
  }
  EXPECT_EQ(wait("Sun, 06 Nov 1994 08:49:40 GMT", "Sun, 06 Nov 1994 08:49:00 GMT"), 40) << "by the server's own clock";

  for (const auto& [field, expected] :
       {std::pair("Retry-After: 5\r\n", 5),
        std::pair("Retry-After: Sun, 06 Nov 1994 08:49:40 GMT\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 3)}) {
    ResponseReader reader(kMaxBody);
    Input input;
    const std::string bytes = std::string("HTTP/1.1 503 Busy\r\n") + field + "Content-Length: 0\r\n\r\n";
    std::memcpy(input.room().data(), bytes.data(), bytes.size());
    input.commit(bytes.size());
    ASSERT_EQ(reader.feed(input), Progress::Done);
    EXPECT_EQ(reader.take().retry_after, expected);
  }
}

TEST(Answer, cut_short_or_too_large_is_an_error) {
  EXPECT_NE(answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", 1, true).find("middle"), std::string::npos);
  EXPECT_NE(answer("HTTP/1.1 200", 1, true).find("middle"), std::string::npos);
  EXPECT_NE(answer("", 1, true).find("without an answer"), std::string::npos);
  EXPECT_NE(answer("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", 1, false).find("larger"), std::string::npos);
  EXPECT_NE(answer("HTTP/1.1 200 OK\r\n\r\n" + std::string(101, 'x'), 9, false).find("larger"), std::string::npos);
  EXPECT_NE(answer("garbage\r\n\r\n", 1, false).find("no HTTP"), std::string::npos);
  std::string interim;
  for (int i = 0; i < 20; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_NE(answer(interim, 1000, false), "waits");
}

}  // namespace
}  // namespace qsp::https

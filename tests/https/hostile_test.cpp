#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "https/raw.hpp"
#include "https/world.hpp"

namespace qsp::https {
namespace {

using std::chrono::milliseconds;

class Hostile : public ::testing::Test {
 protected:
  /// Everything that a plain server says to these bytes until it closes.
  std::string talk(std::string_view bytes) {
    const auto server = world_.serve_plain();
    std::string received;
    {
      RawClient client(server->port());
      client.send(bytes);
      EXPECT_TRUE(until_ended(client)) << bytes.substr(0, 60);
      received = client.received;
    }
    EXPECT_TRUE(world_.until([&] { return server->counts().open == 0; }));
    return received;
  }
  bool until_ended(RawClient& client) {
    return world_.until([&] {
      client.poll();
      return client.ended;
    });
  }
  bool until_answers(RawClient& client, std::size_t count) {
    return world_.until([&] {
      client.poll();
      return client.answers() >= count;
    });
  }

  World world_;
};

TEST_F(Hostile, garbage_is_answered_with_400_and_the_end) {
  for (const std::string bytes :
       {"garbage\r\n\r\n", "\r\n\r\n", "GET\r\n", "\x16\x03\x01\x02", "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
    const std::string said = talk(bytes);
    EXPECT_TRUE(said.starts_with("HTTP/1.1 400 Bad Request\r\n")) << bytes << said;
    EXPECT_NE(said.find("Connection: close"), std::string::npos);
  }
  EXPECT_TRUE(world_.handler.seen.empty());
}

TEST_F(Hostile, web_pages_of_elsewhere_are_refused_on_a_plain_server) {
  for (const std::string fields : {"Host: evil.example\r\n", "Host: localhost\r\nOrigin: http://evil.example\r\n"}) {
    EXPECT_TRUE(talk("POST /a HTTP/1.1\r\nContent-Length: 0\r\n" + fields + "\r\n").starts_with("HTTP/1.1 403"))
        << fields;
  }
  EXPECT_TRUE(world_.handler.seen.empty());
}

TEST_F(Hostile, bounds_are_answered_and_the_answer_arrives_whatever_is_still_on_its_way) {
  EXPECT_TRUE(talk("POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n" + std::string(70'000, 'x'))
                  .starts_with("HTTP/1.1 413"));
  EXPECT_TRUE(talk("GET /" + std::string(30'000, 'a') + " HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 414"));
  EXPECT_TRUE(talk("GET / HTTP/1.1\r\nX: " + std::string(30'000, 'a') + "\r\n\r\n").starts_with("HTTP/1.1 431"));
}

TEST_F(Hostile, pipelined_requests_are_answered_in_turn) {
  const auto server = world_.serve_plain();
  std::vector<Respond> held;
  world_.handler.act = [&](Request, Respond respond) { held.push_back(std::move(respond)); };
  RawClient client(server->port());
  std::string all;
  for (int i = 0; i < 5; ++i) all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  client.send(all);
  for (std::size_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(world_.until([&] { return held.size() == i + 1; }));
    EXPECT_EQ(world_.handler.seen.size(), i + 1) << "the next one waits for the answer";
    held.back()(Response{.status = 200, .body = {}, .retry_after = {}});
    ASSERT_TRUE(until_answers(client, i + 1));
  }
  EXPECT_EQ(world_.handler.seen, (std::vector<std::string>{"0", "1", "2", "3", "4"}));
}

TEST_F(Hostile, other_methods_reach_the_handler_and_http10_ends_the_connection) {
  EXPECT_TRUE(talk("HEAD /a HTTP/1.0\r\n\r\n").ends_with("\r\n\r\n")) << "no body";
  EXPECT_TRUE(talk("PUT /b HTTP/1.0\r\nContent-Length: 1\r\n\r\nx").ends_with("/b x"));
  EXPECT_TRUE(talk("GET /c HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ends_with("/c "));
  EXPECT_EQ(world_.handler.seen, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(Hostile, a_body_is_asked_for_where_the_client_waits) {
  const auto server = world_.serve_plain();
  RawClient client(server->port());
  client.send("POST /a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  ASSERT_TRUE(until_answers(client, 1));
  EXPECT_EQ(client.received, "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("x");
  ASSERT_TRUE(until_answers(client, 2));
  EXPECT_EQ(client.last_status(), "200");
}

/// Sends a byte now and then for as long as the server listens.
class Dripping {
 public:
  Dripping(std::uint16_t port, std::string_view first) : client_(port) { client_.send(first); }
  bool over() {
    client_.poll();
    if (net::Loop::now() > next_) {
      client_.send("x");
      next_ = net::Loop::now() + milliseconds(20);
    }
    return client_.ended;
  }

 private:
  RawClient client_;
  Instant next_{};
};

TEST_F(Hostile, slow_requests_are_cut_off_while_others_are_served) {
  HttpServerOptions options;
  options.request_timeout = milliseconds(300);
  const auto server = world_.serve_plain(options);
  Dripping header(server->port(), "GET /");
  Dripping body(server->port(), "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n");
  RawClient other(server->port());
  std::size_t asked = 0;
  EXPECT_TRUE(world_.until([&] {
    other.poll();
    if (other.answers() == asked) {
      other.send("GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n");
      ++asked;
    }
    const bool header_over = header.over();
    return body.over() && header_over;
  }));
  EXPECT_EQ(server->counts().timeouts, 2u);
  EXPECT_TRUE(until_answers(other, asked));
  EXPECT_FALSE(other.ended);
}

TEST_F(Hostile, silence_ends_connections_at_every_stage) {
  HttpServerOptions options;
  options.handshake_timeout = options.idle_timeout = milliseconds(100);
  const auto secure = world_.serve(options);
  RawClient half_open(secure->port());
  EXPECT_TRUE(until_ended(half_open));
  EXPECT_EQ(secure->counts().timeouts, 1u);
  EXPECT_EQ(secure->counts().tls_failures, 0u);
  options.tls.reset();
  const auto plain = world_.serve_plain(options);
  RawClient idle(plain->port());
  EXPECT_TRUE(until_ended(idle));
  EXPECT_EQ(plain->counts().timeouts, 0u);
}

TEST_F(Hostile, an_answer_that_nobody_reads_is_given_up) {
  HttpServerOptions options;
  options.answer_timeout = milliseconds(200);
  const auto server = world_.serve_plain(options);
  world_.handler.act = [](Request, Respond respond) {
    respond(Response{.status = 200, .body = SecretBytes::copy_of(std::string(32 << 20, 'x')), .retry_after = {}});
  };
  RawClient client(server->port());
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(world_.until([&] { return server->counts().timeouts == 1; }));
  EXPECT_EQ(server->counts().open, 0u);
}

TEST_F(Hostile, garbage_instead_of_a_handshake_harms_nobody) {
  const auto server = world_.serve();
  RawClient garbage(server->port());
  garbage.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(until_ended(garbage));
  EXPECT_EQ(server->counts().tls_failures, 1u);
  EXPECT_EQ(text_of(world_.ask(*world_.connect_to(server->port()), "/x")), "/x ");
}

TEST_F(Hostile, connections_have_a_limit_in_all_and_for_each_source) {
  HttpServerOptions options;
  options.max_connections = 3;
  const auto few = world_.serve_plain(options);
  options.max_connections = 100;
  options.max_connections_per_source = 3;
  const auto few_each = world_.serve_plain(options);
  for (const Server* server : {few.get(), few_each.get()}) {
    std::vector<std::unique_ptr<RawClient>> clients;
    std::vector<Respond> held;
    world_.handler.act = [&held](Request, Respond respond) { held.push_back(std::move(respond)); };
    for (int i = 0; i < 3; ++i) {
      clients.push_back(std::make_unique<RawClient>(server->port()));
      clients.back()->send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    ASSERT_TRUE(world_.until([&] { return held.size() == 3; }));
    world_.handler.act = nullptr;
    RawClient one_more(server->port());
    EXPECT_TRUE(until_ended(one_more));
    EXPECT_EQ(server->counts().refused, 1u);
    held.clear();  // which ends them, unanswered
    ASSERT_TRUE(world_.until([&] { return server->counts().open == 0; }));
    RawClient now_admitted(server->port());
    now_admitted.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(until_answers(now_admitted, 1));
  }
}

TEST_F(Hostile, connections_beyond_a_limit_are_told_of) {
  std::vector<std::string> told;
  HttpServerOptions options;
  options.max_connections = 1;
  options.report = [&told](const std::string& line) { told.push_back(line); };
  const auto server = world_.serve_plain(options);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(std::make_unique<RawClient>(server->port()));
  ASSERT_TRUE(world_.until([&] { return server->counts().displaced + server->counts().refused >= 3; }));
  ASSERT_FALSE(told.empty());
  EXPECT_NE(told.front().find("too many connections"), std::string::npos) << told.front();
  EXPECT_NE(told.front().find("127.0.0.1"), std::string::npos) << told.front();
}

TEST_F(Hostile, silent_connections_give_way_to_whoever_has_a_request) {
  HttpServerOptions options;
  options.max_connections = 3;
  const auto server = world_.serve_plain(options);
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 3; ++i) silent.push_back(std::make_unique<RawClient>(server->port()));
  silent[1]->send("GET /half");
  ASSERT_TRUE(world_.until([&] { return server->counts().open == 3; }));
  RawClient busy(server->port());
  busy.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(until_answers(busy, 1));
  EXPECT_TRUE(until_ended(*silent.front()));
  EXPECT_EQ(server->counts().displaced, 1u);
  EXPECT_EQ(server->counts().refused, 0u);
}

TEST_F(Hostile, who_is_authenticated_keeps_its_connection_through_a_flood_of_strangers) {
  HttpServerOptions options;
  options.max_strangers = 4;
  const auto server = world_.serve(options);
  const auto kept = world_.connect_to(server->port());
  ASSERT_EQ(text_of(world_.ask(*kept, "/x")), "/x ");
  std::vector<std::unique_ptr<RawClient>> strangers;
  for (int i = 0; i < 50; ++i) {
    strangers.push_back(std::make_unique<RawClient>(server->port()));
    strangers.back()->send("\x16\x03\x01\x01\x00");
  }
  ASSERT_TRUE(world_.until([&] { return server->counts().displaced == 46; }));
  EXPECT_EQ(server->counts().open, 5u);
  EXPECT_EQ(text_of(world_.ask(*kept, "/y")), "/y ");
  EXPECT_EQ(server->counts().connections, 51u) << "on the same connection";
  EXPECT_EQ(text_of(world_.ask(*world_.connect_to(server->port()), "/z")), "/z ") << "and others get in";
}

TEST_F(Hostile, a_header_has_a_time_of_its_own) {
  HttpServerOptions options;
  options.header_timeout = milliseconds(200);
  const auto server = world_.serve_plain(options);
  Dripping header(server->port(), "GET /");
  RawClient body(server->port());
  body.send("POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n");
  EXPECT_TRUE(world_.until([&] { return header.over(); }));
  body.send("x");
  EXPECT_TRUE(until_answers(body, 1)) << "a body has longer";
}

TEST_F(Hostile, running_out_of_descriptors_passes_by_itself) {
  const auto server = world_.serve_plain();
  RawClient waiting(server->port());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(0);
  ::close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const Instant end = net::Loop::now() + milliseconds(150);
  world_.until([&] { return net::Loop::now() > end; });
  EXPECT_EQ(server->counts().open, 0u);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  waiting.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(until_answers(waiting, 1));
}

}  // namespace
}  // namespace qsp::https

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "https/raw.hpp"
#include "https/world.hpp"

namespace qsp::https {
namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

class ClientTest : public ::testing::Test {
 protected:
  World world_;
};

/// A port that is bound, so that nobody else gets it, and on which nothing listens.
class ClosedPort {
 public:
  ClosedPort() : holder_(loop_.executor(), {boost::asio::ip::address_v4::loopback(), 0}) {}
  [[nodiscard]] std::uint16_t number() const { return holder_.local_endpoint().port(); }

 private:
  net::Loop loop_;
  net::Socket holder_;
};

TEST_F(ClientTest, gets_what_it_asked_for_and_both_ends_know_each_other) {
  const auto server = world_.serve();
  const auto client = world_.connect_to(server->port());
  const Answered got = world_.ask(*client, "/api/v1/keys/bob/status");
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(got->status, 200u);
  EXPECT_EQ(got->content_type, "application/json");
  EXPECT_EQ(got->body.reveal_text(), "/status ");
  EXPECT_EQ(world_.handler.last_peer.common_name, "alice");
  EXPECT_EQ(world_.handler.last_peer.uris, std::vector<std::string>{"sae:alice"});
  EXPECT_EQ(world_.handler.last_peer.fingerprint.size(), 64u);
  EXPECT_EQ(text_of(world_.ask(*client, "/x", "{\"number\": 3}")), "/x {\"number\": 3}");
  EXPECT_EQ(server->counts().connections, 1u) << "the connection was not kept";
  EXPECT_EQ(server->counts().requests, 2u);
}

TEST_F(ClientTest, puts_its_prefix_before_the_target_and_reaches_names) {
  const auto server = world_.serve();
  HttpClientOptions options;
  options.url = "https://localhost:" + std::to_string(server->port()) + "/kme/one/";
  std::optional<Target> target;
  world_.handler.act = [&](Request request, Respond respond) {
    target = std::move(request.target);
    respond(Response{.status = 503, .body = {}, .retry_after = 7});
  };
  const auto client = world_.connect_to(server->port(), options);
  const Answered got = world_.ask(*client, "/status?x=1");
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(got->status, 503u);
  EXPECT_EQ(got->retry_after, 7u);
  EXPECT_EQ(target->path, (std::vector<std::string>{"kme", "one", "status"}));
}

TEST_F(ClientTest, a_hundred_calls_share_four_connections_in_their_order) {
  const auto server = world_.serve();
  const auto client = world_.connect_to(server->port());
  std::size_t answered = 0;
  for (int i = 0; i < 100; ++i) {
    client->call(make_call("/" + std::to_string(i), "b"), [&, i](Answered answer) {
      EXPECT_EQ(text_of(answer), "/" + std::to_string(i) + " b");
      ++answered;
    });
  }
  EXPECT_TRUE(world_.until([&] { return answered == 100; }));
  EXPECT_EQ(server->counts().connections, 4u);
  EXPECT_EQ(server->counts().requests, 100u);
}

TEST_F(ClientTest, an_answer_is_never_delivered_from_within_the_call) {
  const ClosedPort port;
  const auto client = world_.connect_to(port.number());
  bool called = false;
  client->call({.method = Method::Other, .target = "/", .body = {}, .deadline = {}}, [&](Answered) { called = true; });
  client->call(make_call("no slash"), [&](Answered) { called = true; });
  EXPECT_FALSE(called);
  EXPECT_TRUE(world_.until([&] { return called; }));
}

TEST_F(ClientTest, what_cannot_stand_in_a_request_line_is_refused_unsent) {
  const auto server = world_.serve();
  const auto client = world_.connect_to(server->port());
  for (const std::string target : {"", "a", "/a b", "/a\r\nX: y", "/\x7f"}) {
    const Answered got = world_.ask(*client, target);
    ASSERT_FALSE(got);
    EXPECT_FALSE(got.error().sent);
    EXPECT_EQ(got.error().text.find('\n'), std::string::npos);
  }
  EXPECT_FALSE(world_.ask(*client, "/" + std::string(kMaxTargetSize, 'a')));
  EXPECT_EQ(server->counts().requests, 0u);
}

TEST_F(ClientTest, where_nothing_listens_the_calls_were_not_sent) {
  const ClosedPort port;
  const auto client = world_.connect_to(port.number());
  std::vector<CallFailure> failures;
  for (int i = 0; i < 10; ++i) {
    client->call(make_call("/status?key_ID=secret"), [&](Answered got) {
      ASSERT_FALSE(got);
      failures.push_back(std::move(got.error()));
    });
  }
  ASSERT_TRUE(world_.until([&] { return failures.size() == 10; }));
  for (const CallFailure& failure : failures) {
    EXPECT_FALSE(failure.sent);
    EXPECT_TRUE(failure.text.starts_with("GET https://127.0.0.1:")) << failure.text;
    EXPECT_NE(failure.text.find("/status: nothing listens there"), std::string::npos) << failure.text;
    EXPECT_EQ(failure.text.find("secret"), std::string::npos);
  }
}

TEST_F(ClientTest, a_server_that_never_shakes_hands_is_given_up_unsent) {
  world_.handler.act = [](Request, Respond) { FAIL() << "a request"; };
  HttpServerOptions silent;
  silent.idle_timeout = silent.request_timeout = std::chrono::seconds(20);
  const auto server = world_.serve_plain(silent);  // reads a ClientHello as a request that has only begun
  HttpClientOptions options;
  options.connect_timeout = std::chrono::milliseconds(100);
  const auto client = world_.connect_to(server->port(), options);
  const Answered got = world_.ask(*client, "/");
  ASSERT_FALSE(got);
  EXPECT_FALSE(got.error().sent);
}

TEST_F(ClientTest, a_deadline_in_the_queue_is_unsent_and_one_behind_a_request_is_sent) {
  const auto server = world_.serve();
  std::vector<Respond> held;
  world_.handler.act = [&](Request, Respond respond) { held.push_back(std::move(respond)); };
  HttpClientOptions options;
  options.connections = 1;
  const auto client = world_.connect_to(server->port(), options);
  std::optional<Answered> first;
  std::optional<Answered> second;
  client->call(make_call("/1"), [&](Answered got) { first = std::move(got); });
  ASSERT_TRUE(world_.until([&] { return held.size() == 1; }));
  client->call(make_call("/2", {}, std::chrono::milliseconds(50)), [&](Answered got) { second = std::move(got); });
  ASSERT_TRUE(world_.until([&] { return second.has_value(); }));
  ASSERT_FALSE(*second);
  EXPECT_FALSE(second->error().sent);
  EXPECT_FALSE(first);
  held.front()(Response{.status = 200, .body = {}, .retry_after = {}});
  ASSERT_TRUE(world_.until([&] { return first.has_value(); }));
  EXPECT_TRUE(*first);

  // A machine that is busy enough lets the time pass before the request is written; then it gets more.
  std::optional<Answered> third;
  for (std::chrono::milliseconds within(100); !third || !third->error().sent; within *= 2) {
    ASSERT_LT(within, kPatience);
    third = world_.ask(*client, "/3", {}, within);
    ASSERT_FALSE(*third);
  }
  world_.handler.act = nullptr;
  EXPECT_EQ(text_of(world_.ask(*client, "/4")), "/4 ") << "a new connection takes over";
  EXPECT_EQ(world_.handler.seen, (std::vector<std::string>{"1", "3", "4"}));
}

TEST_F(ClientTest, cancelled_calls_are_silent_at_any_stage_and_hold_up_nobody) {
  const auto server = world_.serve();
  std::vector<Respond> held;
  world_.handler.act = [&](Request, Respond respond) { held.push_back(std::move(respond)); };
  HttpClientOptions options;
  options.connections = 1;
  const auto client = world_.connect_to(server->port(), options);
  const auto never = [](Answered) { ADD_FAILURE() << "a cancelled call ended"; };
  EXPECT_FALSE(client->cancel(client->call(make_call("/at-once"), never)));
  const std::uint64_t written = client->call(make_call("/written"), never);
  const std::uint64_t waiting = client->call(make_call("/waiting"), never);
  ASSERT_TRUE(world_.until([&] { return held.size() == 1; }));
  EXPECT_FALSE(client->cancel(waiting)) << "it surely never left";
  EXPECT_TRUE(client->cancel(written)) << "the server may have acted on it";
  EXPECT_FALSE(client->cancel(written));
  EXPECT_FALSE(client->cancel(999));
  held.clear();
  world_.handler.act = nullptr;
  EXPECT_EQ(text_of(world_.ask(*client, "/next")), "/next ");
  EXPECT_EQ(world_.handler.seen, (std::vector<std::string>{"written", "next"}));
}

TEST_F(ClientTest, no_call_goes_over_a_connection_that_is_too_old) {
  using std::chrono::milliseconds;
  const auto connections_of = [this](HttpClientOptions options) {
    const auto server = world_.serve();
    const auto client = world_.connect_to(server->port(), std::move(options));
    EXPECT_TRUE(world_.ask(*client, "/x"));
    std::this_thread::sleep_for(milliseconds(60));
    EXPECT_TRUE(world_.ask(*client, "/x"));
    return server->counts().connections;
  };
  EXPECT_EQ(connections_of({}), 1U);
  HttpClientOptions brief;
  brief.max_life = milliseconds(50);
  EXPECT_GE(connections_of(brief), 2U);
}

TEST_F(ClientTest, a_destroyed_client_calls_nobody) {
  const auto server = world_.serve();
  const auto never = [](Answered) { ADD_FAILURE() << "a call outlived its client"; };
  std::vector<Respond> held;
  world_.handler.act = [&](Request, Respond respond) { held.push_back(std::move(respond)); };
  auto client = world_.connect_to(server->port());
  for (int i = 0; i < 10; ++i) client->call(make_call("/x"), never);
  ASSERT_TRUE(world_.until([&] { return held.size() == 4; }));
  client.reset();
  held.clear();
  EXPECT_TRUE(world_.until([&] { return server->counts().open == 0; }));
}

TEST_F(ClientTest, may_be_destroyed_by_its_own_answer) {
  const auto server = world_.serve();
  auto client = world_.connect_to(server->port());
  bool done = false;
  for (int i = 0; i < 8; ++i) {
    client->call(make_call("/x"), [&](Answered) {
      EXPECT_FALSE(std::exchange(done, true));
      client.reset();
    });
  }
  EXPECT_TRUE(world_.until([&] { return done && server->counts().open == 0; }));
}

TEST_F(ClientTest, a_server_gone_in_the_middle_of_its_answer_may_have_acted) {
  ScriptedServer server(world_.server_files, {[](SSL* ssl) {
                                                read_request(ssl);
                                                write_text(ssl, kAnswer.substr(0, kAnswer.size() - 1));
                                              },
                                              [](SSL* ssl) {
                                                read_request(ssl);
                                                SSL_shutdown(ssl);
                                              },
                                              [](SSL* ssl) {
                                                read_request(ssl);
                                                write_text(ssl, "garbage\r\n\r\n");
                                              }});
  const auto client = world_.connect_to(server.port());
  for (int i = 0; i < 3; ++i) {
    const Answered got = world_.ask(*client, "/x");
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error().sent) << got.error().text;
  }
}

TEST_F(ClientTest, an_answer_that_the_streams_end_ends_needs_a_proper_end) {
  const std::string open_ended = "HTTP/1.1 200 OK\r\n\r\n{}";
  ScriptedServer server(world_.server_files, {[&](SSL* ssl) {
                                                read_request(ssl);
                                                write_text(ssl, open_ended);
                                                SSL_shutdown(ssl);
                                              },
                                              [&](SSL* ssl) {
                                                read_request(ssl);
                                                write_text(ssl, open_ended);  // cut by anybody on the way
                                              }});
  const auto client = world_.connect_to(server.port());
  EXPECT_EQ(text_of(world_.ask(*client, "/x")), "{}");
  const Answered cut = world_.ask(*client, "/x");
  ASSERT_FALSE(cut);
  EXPECT_TRUE(cut.error().sent);
}

/// HTTP/1.0 without a length, from a server that never says close_notify.
TEST_F(ClientTest, an_end_that_nobody_vouches_for_is_taken_by_option_where_the_body_is_whole_by_itself) {
  const auto cut = [](std::string_view body) {
    return answer_with("HTTP/1.0 200 OK\r\n\r\n" + std::string(body), false);
  };
  ScriptedServer server(world_.server_files, {cut("{}"), cut("{}"), cut("{"),
                                              answer_with("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n{}", false)});
  const Answered strict = world_.ask(*world_.connect_to(server.port()), "/x");
  ASSERT_FALSE(strict);
  EXPECT_TRUE(strict.error().sent && strict.error().lasting);
  EXPECT_NE(strict.error().text.find("--kme-unclean-end"), std::string::npos) << strict.error().text;
  HttpClientOptions options;
  options.whole_by_itself = [](std::string_view body) { return body == "{}"; };
  const auto lenient = world_.connect_to(server.port(), options);
  EXPECT_EQ(text_of(world_.ask(*lenient, "/x")), "{}");
  for (int i = 0; i < 2; ++i) {
    const Answered half = world_.ask(*lenient, "/x");
    ASSERT_FALSE(half) << "half an answer";
    EXPECT_TRUE(half.error().sent && !half.error().lasting) << half.error().text;
    EXPECT_NE(half.error().text.find("in the middle"), std::string::npos) << half.error().text;
  }
}

TEST_F(ClientTest, a_compressed_answer_is_refused_by_name_and_an_error_left_readable) {
  ScriptedServer server(
      world_.server_files,
      {answer_with("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx"),
       answer_with("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}"),
       answer_with("HTTP/1.1 503 No\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx"),
       answer_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")});
  const auto client = world_.connect_to(server.port());
  const Answered packed = world_.ask(*client, "/x");
  ASSERT_FALSE(packed);
  EXPECT_TRUE(packed.error().sent && packed.error().lasting);
  EXPECT_NE(packed.error().text.find("Content-Encoding gzip"), std::string::npos) << packed.error().text;
  EXPECT_EQ(text_of(world_.ask(*client, "/x")), "{}");
  const Answered refused = world_.ask(*client, "/x");
  ASSERT_TRUE(refused) << refused.error().text;
  EXPECT_EQ(refused->status, 503u);
  EXPECT_NE(text_of(world_.ask(*client, "/x")).find("gzip, chunked"), std::string::npos);
}

/// What the next answer would be too, and what may have been this one's bad luck (SPEC §5.7).
TEST_F(ClientTest, a_failure_says_whether_it_would_come_again) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::vector<std::pair<std::string, bool>> answers{
      {ok + "Content-Length: 2000000\r\n\r\n", true},
      {ok + "X: " + std::string(30'000, 'x') + "\r\n\r\n", true},
      {ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", true},
      {ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", true},
      {"garbage\r\n\r\n", true},
      {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\n{", false},
      {ok + "Content-Length: 2\r\n\r\n{", false},
      {"", false}};
  std::vector<ScriptedServer::Script> scripts;
  for (const auto& [text, lasting] : answers) scripts.push_back(answer_with(text));
  ScriptedServer server(world_.server_files, std::move(scripts));
  const auto client = world_.connect_to(server.port());
  for (const auto& [text, lasting] : answers) {
    const Answered got = world_.ask(*client, "/x");
    ASSERT_FALSE(got) << text.substr(0, 80);
    EXPECT_TRUE(got.error().sent) << got.error().text;
    EXPECT_EQ(got.error().lasting, lasting) << got.error().text;
  }
}

TEST_F(ClientTest, a_kept_connection_that_the_server_closed_is_not_used) {
  std::atomic<int> ends = 0;
  const auto script = [&ends](SSL* ssl) {
    read_request(ssl);
    write_text(ssl, kAnswer);
    SSL_shutdown(ssl);
    ++ends;
    ends.notify_all();
  };
  ScriptedServer server(world_.server_files, {script, script, script});
  const auto client = world_.connect_to(server.port());
  for (int i = 0; i < 3; ++i) {
    const Answered got = world_.ask(*client, "/x");
    EXPECT_EQ(text_of(got), "{}");
    // The end has been sent, and a moment later it has arrived, but the loop has not run: what matters is what the call
    // finds.
    ends.wait(i);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

TEST_F(ClientTest, answers_have_bounds) {
  const auto server = world_.serve();
  HttpClientOptions options;
  options.max_body = 1000;
  world_.handler.act = [](Request request, Respond respond) {
    respond(Response{.status = 200,
                     .body = SecretBytes::copy_of(std::string(request.target.path.back() == "most" ? 1000 : 1001, 'x')),
                     .retry_after = {}});
  };
  const auto client = world_.connect_to(server->port(), options);
  EXPECT_TRUE(world_.ask(*client, "/most"));
  const Answered more = world_.ask(*client, "/more");
  ASSERT_FALSE(more);
  EXPECT_TRUE(more.error().sent);
  EXPECT_TRUE(world_.ask(*client, "/most"));
  ScriptedServer endless(world_.server_files, {[](SSL* ssl) {
                           read_request(ssl);
                           write_text(ssl, "HTTP/1.1 200 OK\r\n");
                           for (int i = 0; i < 1000; ++i) write_text(ssl, "X: " + std::string(100, 'x') + "\r\n");
                         }});
  const auto other = world_.connect_to(endless.port());
  EXPECT_NE(text_of(world_.ask(*other, "/x")).find("too large"), std::string::npos);
}

TEST_F(ClientTest, wrong_options_are_explained) {
  HttpClientOptions options;
  options.tls = world_.client_files;
  options.url = "http://x";
  EXPECT_NE(Client::make(world_.loop, options).error().find("https://HOST"), std::string::npos);
  options.url = "https://x";
  options.tls.key = world_.folder / "none";
  EXPECT_NE(Client::make(world_.loop, options).error().find(options.tls.key), std::string::npos);
}

}  // namespace
}  // namespace qsp::https

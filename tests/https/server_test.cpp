#include <gtest/gtest.h>

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

class ServerTest : public ::testing::Test {
 protected:
  void hold_requests() {
    world_.handler.act = [this](Request, Respond respond) { held_.push_back(std::move(respond)); };
  }
  /// Makes a call and runs until the handler has it.
  void ask_and_hold(Client& client, std::optional<Answered>& outcome) {
    const std::size_t before = held_.size();
    client.call(make_call("/held"), [&outcome](Answered got) { outcome = std::move(got); });
    ASSERT_TRUE(world_.until([&] { return held_.size() == before + 1; }));
  }

  World world_;
  std::vector<Respond> held_;
};

Response ok() { return {.status = 200, .body = SecretBytes::copy_of("{}"), .retry_after = {}}; }

TEST_F(ServerTest, an_answer_that_is_dropped_closes_the_connection) {
  const auto server = world_.serve();
  world_.handler.act = [](Request, Respond) {};
  const auto client = world_.connect_to(server->port());
  const Answered got = world_.ask(*client, "/x");
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().sent);
  EXPECT_TRUE(world_.until([&] { return server->counts().open == 0; }));
}

TEST_F(ServerTest, answers_may_come_from_other_threads) {
  const auto server = world_.serve();
  std::vector<std::jthread> threads;
  world_.handler.act = [&](Request request, Respond respond) {
    threads.emplace_back([respond = std::move(respond), drop = request.target.path.back() == "drop"]() mutable {
      if (!drop) respond(ok());
    });
  };
  const auto client = world_.connect_to(server->port());
  std::size_t answered = 0;
  for (int i = 0; i < 20; ++i) {
    client->call(make_call(i % 5 == 0 ? "/drop" : "/x"), [&, i](Answered got) {
      EXPECT_EQ(got.has_value(), i % 5 != 0);
      ++answered;
    });
  }
  EXPECT_TRUE(world_.until([&] { return answered == 20; }));
}

TEST_F(ServerTest, an_answer_may_come_after_its_connection_server_and_loop_are_gone) {
  std::vector<Respond> late;
  {
    World world;
    world.handler.act = [&](Request, Respond respond) { late.push_back(std::move(respond)); };
    auto server = world.serve();
    auto client = world.connect_to(server->port());
    for (int i = 0; i < 3; ++i) client->call(make_call("/x"), [](Answered) {});
    ASSERT_TRUE(world.until([&] { return late.size() == 3; }));
    client.reset();
    server->stop({});
    ASSERT_TRUE(world.until([&] { return server->counts().open == 0; }));
    late.back()(ok());
    late.pop_back();
    world.until([&] { return world.loop.io().poll() == 0; });
    server.reset();
    late.back()(ok());
    late.pop_back();
  }
  std::jthread([&] { late.back()(ok()); }).join();
}

TEST_F(ServerTest, stop_lets_answers_under_way_go_out) {
  const auto server = world_.serve();
  hold_requests();
  const auto client = world_.connect_to(server->port());
  const auto idle = world_.connect_to(server->port());
  std::optional<Answered> outcome;
  ask_and_hold(*client, outcome);
  RawClient silent(server->port());
  ASSERT_TRUE(world_.until([&] { return server->counts().open == 2; }));
  server->stop(std::chrono::seconds(20));
  EXPECT_TRUE(world_.until([&] { return server->counts().open == 1; })) << "who asks nothing is not waited for";
  const Answered refused = world_.ask(*idle, "/x");
  ASSERT_FALSE(refused);
  EXPECT_FALSE(refused.error().sent);
  held_.front()(ok());
  ASSERT_TRUE(world_.until([&] { return outcome.has_value(); }));
  EXPECT_EQ(text_of(*outcome), "{}");
  EXPECT_TRUE(world_.until([&] { return server->counts().open == 0; }));
}

TEST_F(ServerTest, stop_ends_what_the_grace_did_not_suffice) {
  const auto server = world_.serve();
  hold_requests();
  const auto client = world_.connect_to(server->port());
  std::optional<Answered> outcome;
  ask_and_hold(*client, outcome);
  server->stop(std::chrono::milliseconds(50));
  EXPECT_TRUE(world_.until([&] { return server->counts().open == 0 && outcome; }));
  ASSERT_FALSE(*outcome);
  EXPECT_TRUE(outcome->error().sent);
}

TEST_F(ServerTest, reload_takes_new_files_for_new_connections_and_keeps_old_ones_on_an_error) {
  const auto server = world_.serve();
  const auto early = world_.connect_to(server->port());
  EXPECT_TRUE(world_.ask(*early, "/x"));
  Authority next = make_authority("Next CA");
  const Credential issued = issue(next, World::server_certificate());
  std::ignore = world_.folder.with("server.crt", issued.certificate);
  const auto mixed = server->reload();
  ASSERT_FALSE(mixed) << "a certificate and another's key";
  EXPECT_NE(mixed.error().find("server.key"), std::string::npos);
  EXPECT_TRUE(world_.ask(*world_.connect_to(server->port()), "/x"));
  std::ignore = world_.folder.with("server.key", issued.key.reveal_text());
  ASSERT_TRUE(server->reload());
  EXPECT_FALSE(world_.ask(*world_.connect_to(server->port()), "/x"));
  HttpClientOptions options;
  options.tls = world_.client_files;
  options.tls.authorities = world_.folder.with("next.ca", next.credential().certificate);
  EXPECT_TRUE(world_.ask(*world_.connect_to(server->port(), options), "/x"));
  EXPECT_TRUE(world_.ask(*early, "/x")) << "an open connection stays";
}

TEST_F(ServerTest, reload_closes_the_connections_of_those_whom_it_does_not_admit_and_no_others) {
  Authority& authority = world_.authority;
  const Credential revoked = issue(authority, {.common_name = "mallory"});
  HttpServerOptions options;
  options.tls = world_.server_files;
  options.tls->revoked =
      world_.folder.with("crl.pem", revoke(authority, {issue(authority, {.common_name = "x"}).certificate}));
  const auto server = world_.serve(options);
  HttpClientOptions theirs;
  theirs.tls = world_.files("mallory", revoked);
  const auto idle = world_.connect_to(server->port(), theirs);
  const auto good = world_.connect_to(server->port());
  EXPECT_TRUE(world_.ask(*idle, "/x"));
  EXPECT_TRUE(world_.ask(*good, "/x"));
  hold_requests();
  const auto busy = world_.connect_to(server->port(), theirs);
  std::optional<Answered> outcome;
  ask_and_hold(*busy, outcome);
  EXPECT_EQ(server->counts().open, 3U);

  const auto prepared = server->prepare_reload();
  ASSERT_TRUE(prepared);
  std::ignore = world_.folder.with("crl.pem", revoke(authority, {revoked.certificate}));
  ASSERT_TRUE(server->reload());
  EXPECT_EQ(server->counts().open, 1U) << "at once, with an answer under way or not";
  EXPECT_TRUE(world_.until([&] { return outcome.has_value(); }));
  EXPECT_FALSE(*outcome);
}

TEST_F(ServerTest, a_connection_ends_after_so_many_requests_and_after_its_time) {
  const auto connections_of = [this](const HttpServerOptions& options) {
    const auto server = world_.serve(options);
    const auto client = world_.connect_to(server->port());
    for (int i = 0; i < 6; ++i) EXPECT_TRUE(world_.ask(*client, "/x"));
    return server->counts().connections;
  };
  EXPECT_EQ(connections_of({}), 1U);
  HttpServerOptions few;
  few.max_requests = 2;
  EXPECT_EQ(connections_of(few), 3U);
  HttpServerOptions brief;
  brief.max_life = std::chrono::nanoseconds(1);
  EXPECT_EQ(connections_of(brief), 6U);
}

TEST_F(ServerTest, plain_http_is_for_this_machine_alone) {
  for (const std::string address : {"0.0.0.0", "::", "192.0.2.1", "kme.example", ""}) {
    HttpServerOptions options;
    options.address = address;
    const auto server = Server::open(world_.loop, options, world_.handler);
    ASSERT_FALSE(server) << address;
    EXPECT_NE(server.error().find("127.0.0.1"), std::string::npos) << server.error();
  }
}

TEST_F(ServerTest, a_port_in_use_is_explained) {
  const auto first = world_.serve_plain();
  HttpServerOptions options;
  options.port = first->port();
  const auto second = Server::open(world_.loop, options, world_.handler);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().find("in use"), std::string::npos);
}

}  // namespace
}  // namespace qsp::https

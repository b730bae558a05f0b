#include "net/dial.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <optional>

#include "net/harness.hpp"

namespace qsp::net::test {
namespace {

std::expected<Dialled, std::string> dial_now(Loop& loop, const Address& address,
                                             std::chrono::seconds timeout = kPatience) {
  std::expected<Dialled, std::string> result = std::unexpected("not finished");
  const auto run = [&]() -> asio::awaitable<void> { result = co_await dial(loop, address, timeout); };
  boost::asio::co_spawn(loop.executor(), run(), boost::asio::detached);
  loop.run();
  return result;
}

void expect_failure(const Address& address, std::string_view told, std::chrono::seconds timeout = kPatience) {
  Loop loop;
  const auto dialled = dial_now(loop, address, timeout);
  ASSERT_FALSE(dialled.has_value());
  EXPECT_NE(dialled.error().find(told), std::string::npos) << dialled.error();
}

TEST(Dial, connects_by_name_and_by_address) {
  TestServer server;
  for (const char* host : {"localhost", "127.0.0.1"}) {
    Loop loop;
    const auto dialled = dial_now(loop, {.host = host, .port = server.port()});
    ASSERT_TRUE(dialled.has_value()) << dialled.error();
    EXPECT_EQ(dialled->peer.port(), server.port());
  }
}

TEST(Dial, says_that_nothing_listens) {
  // Bound, so that nobody else gets the port; but it does not listen.
  Loop loop;
  asio::basic_stream_socket<tcp, Executor> holder(loop.executor(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  expect_failure({.host = "127.0.0.1", .port = holder.local_endpoint().port()}, "refused");
}

TEST(Dial, says_that_a_host_is_unknown) { expect_failure({.host = "no-such-host.invalid", .port = 1}, "no such host"); }

TEST(Dial, gives_up_on_a_server_that_does_not_answer) {
  // A backlog that is full: further connections get no answer.
  Loop loop;
  asio::basic_socket_acceptor<tcp, Executor> deaf(loop.executor(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  deaf.listen(0);
  const Address address{.host = "127.0.0.1", .port = deaf.local_endpoint().port()};
  std::vector<Socket> fill;
  for (int i = 0; i < 3; ++i) {
    fill.emplace_back(loop.executor(), tcp::v4());
    fill.back().native_non_blocking(true);
    const tcp::endpoint target = deaf.local_endpoint();
    // Asio's own would wait for the answer that never comes.
    ::connect(fill.back().native_handle(), target.data(), static_cast<socklen_t>(target.size()));
  }
  expect_failure(address, "no answer", std::chrono::seconds(1));
}

}  // namespace
}  // namespace qsp::net::test

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/connect.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "net/connection.hpp"
#include "qsp/openssl.hpp"
#include "rc155/session.hpp"

namespace qsp::test {
namespace {

/// A `qsp serve` process; killed with the object if it still runs.
class ServeProcess {
 public:
  ServeProcess() {
    std::array<int, 2> out{};
    EXPECT_EQ(::pipe(out.data()), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::close(out[0]);
      ::execl(QSP_PROGRAM, "qsp", "serve", "--listen", "127.0.0.1:0", "--profile", "rc155", "--insecure",
              "--rekey-after", "20", "--max-handshakes-per-source", "256", "--threads", "2", "--log-level", "warn",
              nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    std::string line;
    for (char c = 0; line.size() < 100 && ::read(out[0], &c, 1) == 1 && c != '\n';) line += c;
    ::close(out[0]);
    const std::size_t colon = line.rfind(':');
    EXPECT_NE(colon, std::string::npos) << line;
    if (colon != std::string::npos) port_ = static_cast<std::uint16_t>(std::strtoul(&line[colon + 1], nullptr, 10));
  }
  ~ServeProcess() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  ServeProcess(const ServeProcess&) = delete;
  ServeProcess& operator=(const ServeProcess&) = delete;

  /// Stops it in good order and returns its exit code.
  int stop() {
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

std::uint8_t byte_of(std::size_t client, std::size_t at) {
  return static_cast<std::uint8_t>(client * 31 + at * 7 + at / 251);
}

/// Sends a megabyte that only it sends, and checks each byte that comes back.
class LoadClient final : public net::Connection, private net::ConnectionOwner {
 public:
  static constexpr std::size_t kSize = 1'000'000;

  LoadClient(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
             std::size_t number)
      : Connection(loop, std::move(socket), peer, std::move(endpoint), *this), number_(number) {}

  std::size_t sent = 0;
  std::size_t right = 0;
  std::size_t wrong = 0;
  std::uint32_t epochs = 0;
  bool closed_normally = false;

 private:
  void handle_data(const AppData& data) override {
    for (const std::uint8_t byte : data.data) byte == byte_of(number_, right + wrong) ? ++right : ++wrong;
    if (right + wrong == kSize) close(Reason::Normal, "");
  }
  void handle_epoch(std::uint32_t) override { ++epochs; }
  void produce() override {
    while (sent < kSize && queued() < kHighWater) {
      const MutableBytes room = reserve();
      // Sizes of every kind, so that frames and reads meet in every way.
      const std::size_t size = std::min({room.size(), kSize - sent, 1 + (sent * 2654435761U + number_) % 30'000});
      for (std::size_t i = 0; i < size; ++i) room[i] = byte_of(number_, sent + i);
      ASSERT_TRUE(send_reserved(size, false).has_value());
      sent += size;
    }
  }
  void connection_established(Connection&) override {}
  void connection_rekeyed(Connection&) override {}
  void connection_closed(Connection&, const Closed& closed, const net::error_code&) override {
    closed_normally = closed.reason == Reason::Normal && !closed.by_peer && !closed.truncated;
  }
  void connection_finished(Connection&) override {}

  std::size_t number_;
};

TEST(Load, two_hundred_clients_get_their_megabyte_back_at_once) {
  ServeProcess serve;
  ASSERT_NE(serve.port(), 0);
  auto provider = crypto::make_openssl_provider();
  ASSERT_TRUE(provider.has_value()) << provider.error().where;

  constexpr std::size_t kClients = 200;
  net::Loop loop;
  const net::tcp::endpoint server(boost::asio::ip::address_v4::loopback(), serve.port());
  std::vector<boost::intrusive_ptr<LoadClient>> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    net::Socket socket(loop.executor());
    socket.connect(server);
    auto endpoint = rc155::dangerous_make_session(Role::Client, **provider);
    ASSERT_TRUE(endpoint.has_value());
    clients.emplace_back(new LoadClient(loop, std::move(socket), server, std::move(*endpoint), i));
  }
  for (const auto& client : clients) client->start();
  loop.io().run_for(std::chrono::minutes(4));

  std::size_t rekeyed = 0;
  for (std::size_t i = 0; i < kClients; ++i) {
    EXPECT_EQ(clients[i]->right, LoadClient::kSize) << "client " << i;
    EXPECT_EQ(clients[i]->wrong, 0U) << "client " << i;
    EXPECT_TRUE(clients[i]->closed_normally) << "client " << i;
    rekeyed += clients[i]->epochs > 0 ? 1 : 0;
  }
  EXPECT_EQ(rekeyed, kClients);
  EXPECT_EQ(serve.stop(), 0);
}

}  // namespace
}  // namespace qsp::test

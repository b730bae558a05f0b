// A peer that stops reading holds up a server that stops for a while, and nobody who asks its sessions afterwards.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "driver/world.hpp"
#include "files/file.hpp"
#include "qsp/buffered.hpp"

namespace qsp::tcp::test {
namespace {

Instant now() { return std::chrono::steady_clock::now().time_since_epoch(); }

/// Alice over a socket of the test's.
class ByHand {
 public:
  ByHand(std::uint16_t port, crypto::Provider& provider, const ClientOptions& options)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        session_(Channel::client(provider, options, now()).value()) {
    const int small = 4'096;
    EXPECT_EQ(::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }

  void write() {
    while (!session_.unsent().empty()) {
      const ssize_t size = ::send(socket_.get(), session_.unsent().data(), session_.unsent().size(), MSG_NOSIGNAL);
      ASSERT_GT(size, 0);
      session_.sent(size);
    }
  }
  void establish() {
    bool established = false;
    while (!established) {
      write();
      const MutableBytes room = session_.room();
      const ssize_t size = ::recv(socket_.get(), room.data(), room.size(), 0);
      ASSERT_GT(size, 0);
      session_.received(size, now());
      while (const auto event = session_.next_event(now())) {
        established = established || std::holds_alternative<Established>(*event);
      }
    }
    write();
  }
  void say(std::string_view text, bool end) {
    ASSERT_TRUE(session_.send(as_bytes(text), end, now()));
    write();
  }

 private:
  files::Descriptor socket_;
  Buffered session_;
};

struct Stuck : testing::Test, World {};

TEST_F(Stuck, a_session_answers_after_its_server_has_given_up_on_the_peer) {
  listening.emplace(serve({.host = "127.0.0.1", .port = 0}, make_provider(), server()).value());
  const auto provider = make_provider();
  ByHand alice_end(listening->address().port, *provider, client());
  alice_end.establish();
  alice_end.say("I have said all", true);
  Session bob_end = listening->accept().value();
  std::array<std::uint8_t, 100> buffer{};
  ASSERT_TRUE(bob_end.read(buffer));
  ASSERT_EQ(bob_end.read(buffer).value(), 0U);

  // She reads nothing from now on. To an end that said END he may go on sending for long.
  const std::vector<std::uint8_t> much(1'000'000);
  std::atomic<bool> queued = true, failed = false;
  while (queued) {
    queued = false;
    bob_end.start_write(
        much, [](std::move_only_function<void()> task) { task(); },
        [&](Result<std::size_t, Failure> size) { (size ? queued : failed) = true; });
    // Each question makes his thread look at what waits: so in the end nothing takes any more.
    for (int asked = 0; asked < 200 && !queued; ++asked) static_cast<void>(bob_end.status());
  }
  const Instant began = now();
  listening->stop();
  bob_end.close();
  EXPECT_GE(now() - began, std::chrono::seconds(3)) << "that is what the server gives her";
  EXPECT_TRUE(failed);
  EXPECT_EQ(bob_end.status().peer, "alice");
  EXPECT_TRUE(bob_end.closed());
  EXPECT_FALSE(bob_end.export_key("test", {}, 32));
}

}  // namespace
}  // namespace qsp::tcp::test

// How many files a session of each kind has open (`ulimit -n`): no more than it says, at any time of its life.
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "net/application.hpp"
#include "net/echo.hpp"
#include "net/harness.hpp"
#include "net/process_groups.hpp"
#include "rc155/session.hpp"
#include "support/fake_provider.hpp"

namespace qsp::net::test {
namespace {

std::size_t open_files() {
  DIR* const folder = ::opendir("/proc/self/fd");
  std::size_t count = 0;
  while (const dirent* const entry = ::readdir(folder)) count += entry->d_name[0] != '.' ? 1 : 0;
  ::closedir(folder);
  return count - 1;  // the folder's own
}

/// While it lives, this process can open `more` files, one that accept(2) takes before it knows whether somebody is
/// there, and no more than that.
class RoomFor {
 public:
  explicit RoomFor(std::size_t more) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit now = before_;
    now.rlim_cur = 0;
    // The limit is on numbers, and those below it may have gaps.
    for (std::size_t free = 0; free < more + 1; ++now.rlim_cur) {
      free += ::fcntl(static_cast<int>(now.rlim_cur), F_GETFD) < 0 ? 1 : 0;
    }
    while (::fcntl(static_cast<int>(now.rlim_cur), F_GETFD) >= 0) ++now.rlim_cur;
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &now), 0);
  }
  RoomFor(const RoomFor&) = delete;
  RoomFor& operator=(const RoomFor&) = delete;
  ~RoomFor() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

/// Makes sessions of one kind.
template <class Session, class... Arguments>
class KindFactory final : public SessionFactory {
 public:
  explicit KindFactory(Arguments&... arguments) : arguments_(arguments...) {}
  Result<ConnectionPtr> make(Loop& loop, Socket&& socket, const tcp::endpoint& peer, ConnectionOwner& owner) override {
    auto endpoint = rc155::dangerous_make_session(Role::Server, *provider_);
    if (!endpoint) return std::unexpected(endpoint.error());
    return std::apply(
        [&](auto&... arguments) {
          return ConnectionPtr(new Session(loop, std::move(socket), peer, std::move(*endpoint), owner, arguments...));
        },
        arguments_);
  }

 private:
  std::unique_ptr<crypto::Provider> provider_ = qsp::test::make_fake_provider(1);
  std::tuple<Arguments&...> arguments_;
};

template <class Session, class... Arguments>
TestOptions options_of(Arguments&... arguments) {
  TestOptions options;
  options.make_factory = [&arguments...]() -> std::expected<std::unique_ptr<SessionFactory>, std::string> {
    return std::make_unique<KindFactory<Session, Arguments...>>(arguments...);
  };
  return options;
}

void expect_echo(Peer& peer, const std::vector<std::uint8_t>& data) {
  peer.send(data);
  EXPECT_EQ(peer.receive(data.size()), data);
}

TEST(DescriptorsOfASession, of_an_echo_are_no_more_than_it_says) {
  const std::uint64_t rekey_after = 0;
  TestServer server(options_of<EchoConnection>(rekey_after));
  const std::size_t before = open_files();
  std::optional<RoomFor> room(std::in_place, EchoConnection::kDescriptors + 1);
  Peer peer(server.port());
  ASSERT_TRUE(peer.handshake());
  expect_echo(peer, {1, 2, 3});
  room.reset();
  EXPECT_LE(open_files() - before, EchoConnection::kDescriptors + 1);
}

TEST(DescriptorsOfASession, of_a_command_are_no_more_than_it_says) {
  const auto groups = ProcessGroups::start();
  ASSERT_TRUE(groups) << groups.error();
  const std::chrono::nanoseconds stall_limit = kPatience;
  const std::string command = "exec cat";
  TestServer server(options_of<ExecConnection>(stall_limit, command, **groups));
  const std::size_t before = open_files();
  std::optional<RoomFor> room(std::in_place, ExecConnection::kDescriptors + 1);
  Peer peer(server.port());
  ASSERT_TRUE(peer.handshake());
  expect_echo(peer, {1, 2, 3});
  room.reset();
  EXPECT_LE(open_files() - before, ExecConnection::kDescriptors + 1);
}

TEST(DescriptorsOfASession, of_a_forward_are_no_more_than_it_says) {
  // The target: bound to a port of the system's choice.
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&at), size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size), 0);
  const std::chrono::nanoseconds stall_limit = kPatience;
  const Address target{.host = "localhost", .port = ntohs(at.sin_port)};
  TestServer server(options_of<ForwardConnection>(stall_limit, target));
  const std::size_t before = open_files();
  std::optional<RoomFor> room(std::in_place, ForwardConnection::kDescriptors + 2);
  Peer peer(server.port());
  ASSERT_TRUE(peer.handshake());
  const int accepted = ::accept(listener, nullptr, nullptr);
  ASSERT_GE(accepted, 0);
  const std::vector<std::uint8_t> data{1, 2, 3};
  std::vector<std::uint8_t> got(data.size());
  peer.send(data);
  EXPECT_EQ(::recv(accepted, got.data(), got.size(), MSG_WAITALL), static_cast<ssize_t>(got.size()));
  EXPECT_EQ(got, data);
  EXPECT_EQ(::send(accepted, data.data(), data.size(), MSG_NOSIGNAL), static_cast<ssize_t>(data.size()));
  EXPECT_EQ(peer.receive(data.size()), data);
  room.reset();
  EXPECT_LE(open_files() - before, ForwardConnection::kDescriptors + 2);
  ::close(accepted);
  ::close(listener);
}

}  // namespace
}  // namespace qsp::net::test

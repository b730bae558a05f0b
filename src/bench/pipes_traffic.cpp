#include "bench/pipes_traffic.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <vector>

namespace qsp::bench {
namespace {

constexpr std::size_t kWritten = std::size_t{64} * 1024;
constexpr std::size_t kRead = std::size_t{256} * 1024;

/// In a copy: every other descriptor goes, for an end that stays open here would never be seen as one.
int keep_only(int descriptor, int also = -1) noexcept {
  const int kept = ::fcntl(descriptor, F_DUPFD, 100);              // NOLINT(cppcoreguidelines-pro-type-vararg)
  const int second = also < 0 ? -1 : ::fcntl(also, F_DUPFD, 100);  // NOLINT(cppcoreguidelines-pro-type-vararg)
  ::close_range(STDERR_FILENO + 1, 99, 0);
  ::close_range(static_cast<unsigned>(std::max(kept, second)) + 1, ~0U, 0);
  std::signal(SIGPIPE, SIG_IGN);
  return kept;
}

bool write_zeros(int into, std::uint64_t bytes) {
  const std::vector<char> zeros(kWritten);
  while (bytes > 0) {
    const ssize_t count = ::write(into, zeros.data(), std::min<std::uint64_t>(bytes, zeros.size()));
    if (count <= 0) return false;
    bytes -= static_cast<std::uint64_t>(count);
  }
  return true;
}

bool read_to_end(int from, std::uint64_t bytes) {
  std::vector<char> room(kRead);
  std::uint64_t total = 0;
  for (;;) {
    const ssize_t count = ::read(from, room.data(), room.size());
    if (count < 0) return false;
    if (count == 0) return total == bytes;
    total += static_cast<std::uint64_t>(count);
  }
}

}  // namespace

Outcome<PipeHandles> PipeHandles::make() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected("no pipe can be made");
  return PipeHandles{Descriptor(ends[0]), Descriptor(ends[1])};
}

Outcome<ListeningSocket> ListeningSocket::make() {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (!socket || ::bind(socket.get(), generic, size) != 0 || ::listen(socket.get(), 4) != 0 ||
      ::getsockname(socket.get(), generic, &size) != 0) {
    return std::unexpected("cannot listen on 127.0.0.1");
  }
  return ListeningSocket{std::move(socket), ntohs(address.sin_port)};
}

Outcome<Child> produce(const Descriptor& into, std::uint64_t bytes) {
  return Child::copy([&into, bytes] { return write_zeros(keep_only(into.get()), bytes) ? 0 : 1; });
}

Outcome<Child> consume(const Descriptor& from, const Descriptor& held, std::uint64_t bytes) {
  return Child::copy([&from, &held, bytes] { return read_to_end(keep_only(from.get(), held.get()), bytes) ? 0 : 1; });
}

Outcome<Child> serve_zeros(const ListeningSocket& listener, std::uint64_t bytes) {
  return Child::copy([&listener, bytes] {
    const int stream = ::accept(keep_only(listener.socket.get()), nullptr, nullptr);
    if (stream < 0 || !write_zeros(stream, bytes)) return 1;
    ::shutdown(stream, SHUT_WR);
    return read_to_end(stream, 0) ? 0 : 1;
  });
}

Outcome<Child> serve_sink(const ListeningSocket& listener, std::uint64_t bytes) {
  return Child::copy([&listener, bytes] {
    const int stream = ::accept(keep_only(listener.socket.get()), nullptr, nullptr);
    return stream >= 0 && read_to_end(stream, bytes) ? 0 : 1;
  });
}

}  // namespace qsp::bench

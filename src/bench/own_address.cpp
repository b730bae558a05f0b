#include "bench/own_address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "files/descriptor.hpp"

namespace qsp::bench {
namespace {

constexpr std::uint32_t kFirst = 0x7f400000;  ///< 127.64.0.0; a process id has 22 bits (proc(5), pid_max)
constexpr std::uint32_t kProcessBits = 0x3fffff;

sockaddr_in at(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(kFirst | (static_cast<std::uint32_t>(::getpid()) & kProcessBits));
  return address;
}

files::Descriptor stream_socket() { return files::Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

}  // namespace

std::string own_address() {
  const in_addr address = at(0).sin_addr;
  std::string text(INET_ADDRSTRLEN, '\0');
  ::inet_ntop(AF_INET, &address, text.data(), INET_ADDRSTRLEN);
  text.resize(text.find('\0'));
  return text;
}

Outcome<std::uint16_t> free_port() {
  const files::Descriptor probe = stream_socket();
  sockaddr_in address = at(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (!probe || ::bind(probe.get(), generic, size) != 0 || ::getsockname(probe.get(), generic, &size) != 0) {
    return std::unexpected(fmt::format("no port of {} can be had", own_address()));
  }
  return ntohs(address.sin_port);
}

bool accepts(std::uint16_t port) {
  const files::Descriptor probe = stream_socket();
  const sockaddr_in address = at(port);
  return probe && ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace qsp::bench

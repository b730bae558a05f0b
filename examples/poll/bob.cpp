// Bob answers the first caller over a socket of his own, and waits with poll(2).
#include <netinet/in.h>
#include <poll.h>
#include <iostream>
#include <qsp/identity.hpp>
#include <qsp/openssl.hpp>
#include <qsp/qsp.hpp>

qsp::Instant now() { return std::chrono::steady_clock::now().time_since_epoch(); }

int main() try {
  const auto provider = qsp::crypto::make_openssl_provider().value();
  const auto key = qsp::load_signer(*provider, "bob.key").value();
  const auto known = qsp::Pins::load(*provider, "bob.toml").value();
  const sockaddr_in own{.sin_family = AF_INET, .sin_port = htons(7155), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const int door = ::socket(AF_INET, SOCK_STREAM, 0), on = 1;
  ::setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(door, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 || ::listen(door, 1) != 0) return 1;
  const int fd = ::accept(door, nullptr, nullptr);
  qsp::Buffered session(qsp::Channel::server(*provider, {.signers = {key.get()}, .peers = &known}, now()).value());
  while (!session.over()) {
    pollfd ready{fd, static_cast<short>(session.unsent().empty() ? POLLIN : POLLIN | POLLOUT), 0};
    ::poll(&ready, 1, session.wait_ms(now()));
    const qsp::Bytes out = session.unsent();
    if (ready.revents & POLLOUT) session.sent(::send(fd, out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    const qsp::MutableBytes in = session.room();
    if (ready.revents & POLLIN) session.received(::recv(fd, in.data(), in.size(), 0), now());
    while (const auto event = session.next_event(now())) {
      const auto* const data = std::get_if<qsp::AppData>(&*event);
      if (data) std::cout << "bob received: " << qsp::as_text(data->data) << '\n';
      if (data && data->end) session.send(qsp::as_bytes("hello alice"), true, now()).value();
    }
  }
  ::shutdown(fd, SHUT_WR);  // alice has read it all once she hangs up too
  for (char rest; ::recv(fd, &rest, 1, 0) > 0;) continue;
} catch (const std::bad_expected_access<qsp::Failure>& failed) {
  return std::cerr << failed.error().text << '\n', 1;
} catch (const std::bad_expected_access<qsp::Error>& failed) {
  return std::cerr << failed.error().where << '\n', 1;
}

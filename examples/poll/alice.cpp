// Alice calls Bob over a socket of her own, and waits with poll(2).
#include <netinet/in.h>
#include <poll.h>
#include <iostream>
#include <qsp/identity.hpp>
#include <qsp/openssl.hpp>
#include <qsp/qsp.hpp>

qsp::Instant now() { return std::chrono::steady_clock::now().time_since_epoch(); }

int main() try {
  const auto provider = qsp::crypto::make_openssl_provider().value();
  const auto key = qsp::load_signer(*provider, "alice.key").value();
  const auto bob = qsp::load_pin(*provider, "bob.key.pub").value();
  const qsp::ClientOptions options{.signer = key.get(), .peer = {.name = "bob", .keys = {bob}, .may_serve = true}};
  const sockaddr_in to{.sin_family = AF_INET, .sin_port = htons(7155), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return 1;

  qsp::Buffered session(qsp::Channel::client(*provider, options, now()).value());
  while (!session.over()) {
    pollfd ready{fd, static_cast<short>(session.unsent().empty() ? POLLIN : POLLIN | POLLOUT), 0};
    ::poll(&ready, 1, session.wait_ms(now()));
    const qsp::Bytes out = session.unsent();
    if (ready.revents & POLLOUT) session.sent(::send(fd, out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    const qsp::MutableBytes in = session.room();
    if (ready.revents & POLLIN) session.received(::recv(fd, in.data(), in.size(), 0), now());
    while (const auto event = session.next_event(now())) {
      if (std::get_if<qsp::Established>(&*event)) session.send(qsp::as_bytes("hello bob"), true, now()).value();
      const auto* const data = std::get_if<qsp::AppData>(&*event);
      if (data) std::cout << "alice received: " << qsp::as_text(data->data) << '\n';
      const auto* const closed = std::get_if<qsp::Closed>(&*event);
      if (closed && closed->reason != qsp::Reason::Normal) std::cerr << qsp::name(closed->reason) << '\n';
    }
  }
} catch (const std::bad_expected_access<qsp::Failure>& failed) {
  return std::cerr << failed.error().text << '\n', 1;
} catch (const std::bad_expected_access<qsp::Error>& failed) {
  return std::cerr << failed.error().where << '\n', 1;
}

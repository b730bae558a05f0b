// Alice calls Bob over a socket of her own.
#include <netinet/in.h>
#include <qsp/identity.hpp>
#include <qsp/openssl.hpp>

#include <iostream>

#include "drive.hpp"

int main() try {
  const auto provider = qsp::crypto::make_openssl_provider().value();
  const auto key = qsp::load_signer(*provider, "alice.key").value();
  const auto bob = qsp::load_pin(*provider, "bob.key.pub").value();
  const qsp::ClientOptions options{.signer = key.get(), .peer = {.name = "bob", .keys = {bob}, .may_serve = true}};

  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(7155);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return 1;

  const auto channel = qsp::Channel::client(*provider, options, now()).value();
  drive(fd, *channel, [&](const qsp::Event& event) {
    if (std::get_if<qsp::Established>(&event)) send_last(fd, *channel, "hello bob");
    if (const auto* const data = std::get_if<qsp::AppData>(&event))
      std::cout << "alice received: " << qsp::as_text(data->data) << '\n';
    if (const auto* const closed = std::get_if<qsp::Closed>(&event))
      std::cout << "alice: " << qsp::name(closed->reason) << (closed->truncated ? ", cut off\n" : "\n");
  });
} catch (const std::bad_expected_access<qsp::Failure>& failed) {
  std::cerr << failed.error().text << '\n';
  return 1;
}

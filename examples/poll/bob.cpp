// Bob answers the first caller over a socket of his own.
#include <netinet/in.h>
#include <qsp/identity.hpp>
#include <qsp/openssl.hpp>

#include <iostream>

#include "drive.hpp"

int main() try {
  const auto provider = qsp::crypto::make_openssl_provider().value();
  const auto key = qsp::load_signer(*provider, "bob.key").value();
  const std::string_view peers = R"([[peer]]
    name = "alice"
    key_file = "alice.key.pub"
    connect = true)";
  const auto known = qsp::Pins::parse(*provider, "peers", peers).value();

  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_port = htons(7155);
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int door = ::socket(AF_INET, SOCK_STREAM, 0), on = 1;
  ::setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(door, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 || ::listen(door, 1) != 0) return 1;
  const int fd = ::accept(door, nullptr, nullptr);

  const auto channel = qsp::Channel::server(*provider, {.signers = {key.get()}, .peers = &known}, now()).value();
  drive(fd, *channel, [&](const qsp::Event& event) {
    const auto* const data = std::get_if<qsp::AppData>(&event);
    if (data == nullptr) return;
    std::cout << "bob received: " << qsp::as_text(data->data) << '\n';
    if (data->end) send_last(fd, *channel, "hello alice");
  });
} catch (const std::bad_expected_access<qsp::Failure>& failed) {
  std::cerr << failed.error().text << '\n';
  return 1;
}

// Alice calls Bob over TCP, says hello, and prints what comes back.
#include <qsp/identity.hpp>
#include <qsp/openssl.hpp>
#include <qsp/qsp.hpp>
#include <qsp/tcp.hpp>

#include <array>
#include <iostream>

int main() try {
  auto provider = qsp::crypto::make_openssl_provider().value();
  const auto key = qsp::load_signer(*provider, "alice.key").value();
  const auto bob = qsp::load_pin(*provider, "bob.key.pub").value();

  const qsp::ClientOptions options{.signer = key.get(), .peer = {.name = "bob", .keys = {bob}, .may_serve = true}};
  auto session = qsp::tcp::connect({.host = "127.0.0.1", .port = 7155}, std::move(provider), options).value();
  session.write(qsp::as_bytes("hello bob")).value();
  session.finish().value();  // Alice writes no more

  std::array<std::uint8_t, 4096> buffer;
  while (const auto size = session.read(buffer).value()) {  // 0: Bob writes no more
    std::cout << "alice received: " << qsp::as_text(qsp::Bytes(buffer).first(size)) << '\n';
  }
} catch (const std::bad_expected_access<qsp::Failure>& failed) {
  return std::cerr << failed.error().text << '\n', 1;
} catch (const std::bad_expected_access<qsp::Error>& failed) {
  return std::cerr << failed.error().where << '\n', 1;
}

// Bob answers Alice, and nobody else, once.
#include <qsp/identity.hpp>
#include <qsp/openssl.hpp>
#include <qsp/qsp.hpp>
#include <qsp/tcp.hpp>

#include <array>
#include <iostream>

int main() try {
  auto provider = qsp::crypto::make_openssl_provider().value();
  const auto key = qsp::load_signer(*provider, "bob.key").value();
  const std::string_view peers = R"([[peer]]
    name = "alice"
    key_file = "alice.key.pub"
    connect = true)";
  const auto known = qsp::Pins::parse(*provider, "peers", peers).value();

  const qsp::ServerOptions options{.signers = {key.get()}, .peers = &known};
  auto server = qsp::tcp::serve({.host = "127.0.0.1", .port = 7155}, std::move(provider), options).value();
  auto session = server.accept().value();

  std::array<std::uint8_t, 4096> buffer;
  while (const auto size = session.read(buffer).value()) {
    std::cout << "bob received: " << qsp::as_text(qsp::Bytes(buffer).first(size)) << '\n';
  }
  session.write(qsp::as_bytes("hello " + session.status().peer)).value();
  session.finish().value();
  session.close();  // waits until Alice has it
} catch (const std::bad_expected_access<qsp::Failure>& failed) {
  return std::cerr << failed.error().text << '\n', 1;
} catch (const std::bad_expected_access<qsp::Error>& failed) {
  return std::cerr << failed.error().where << '\n', 1;
}

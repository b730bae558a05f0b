// Bob answers whoever his peers file lets in, once, and takes the same key out of the session.
#include <qsp/identity.hpp>
#include <qsp/openssl.hpp>
#include <qsp/qsp.hpp>
#include <qsp/tcp.hpp>

#include <iostream>

int main() try {
  auto provider = qsp::crypto::make_openssl_provider().value();
  const auto key = qsp::load_signer(*provider, "bob.key").value();
  const auto pins = qsp::Pins::load(*provider, "bob.toml").value();

  const qsp::ServerOptions options{.signers = {key.get()}, .peers = &pins};
  auto server = qsp::tcp::serve({.host = "127.0.0.1"}, std::move(provider), options).value();
  auto session = server.accept().value();
  std::cout << "bob: " << session.status().peer << " calls\n";

  std::vector<std::uint8_t> theirs;
  std::uint8_t byte = 0;
  while (session.read({&byte, 1}).value() != 0) theirs.push_back(byte);

  const qsp::Exported exported = session.export_key("example: disk", qsp::as_bytes("volume 7"), 32).value();
  const auto ours = qsp::crypto::make_openssl_provider().value()->hkdf().hash({exported.key.reveal()}).value();
  session.write(qsp::as_bytes(qsp::constant_time_equal(ours, theirs) ? "y" : "n")).value();
  session.finish().value();
  session.close();
} catch (const std::bad_expected_access<qsp::Failure>& failed) {
  return std::cerr << failed.error().text << '\n', 1;
} catch (const std::bad_expected_access<qsp::Error>& failed) {
  return std::cerr << failed.error().where << '\n', 1;
}

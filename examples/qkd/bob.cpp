// Bob makes the pad where there is none yet, and answers Alice once.
#include <qsp/identity.hpp>
#include <qsp/openssl.hpp>
#include <qsp/qkd.hpp>
#include <qsp/qsp.hpp>
#include <qsp/tcp.hpp>

#include <array>
#include <filesystem>
#include <iostream>

int main() try {
  auto provider = qsp::crypto::make_openssl_provider().value();
  const auto key = qsp::load_signer(*provider, "bob.key").value();
  if (!std::filesystem::exists("bob.pad")) {
    qsp::keysource::make_pads({.link = "alice-bob", .keys = 100}, "alice.pad", "bob.pad", provider->rng()).value();
  }
  const auto pads = qsp::keysource::open_pads({{.sae_id = "sae-alice", .file = "bob.pad"}}).value();
  const std::string_view peers = R"([[peer]]
    name = "alice"
    key_file = "alice.key.pub"
    connect = true
    qkd = "required"
    sae_id = "sae-alice")";
  const auto known = qsp::Pins::parse(*provider, "peers", peers).value();

  const qsp::ServerOptions options{
      .signers = {key.get()}, .peers = &known, .qkd = qsp::QkdPolicy::Required, .sae_id = "sae-bob"};
  auto server = qsp::tcp::serve({.host = "127.0.0.1"}, std::move(provider), options, {.keys = pads.get()}).value();
  auto session = server.accept().value();
  for (std::array<std::uint8_t, 4096> buffer; const auto size = session.read(buffer).value();)
    std::cout << "bob received: " << qsp::as_text(qsp::Bytes(buffer).first(size)) << '\n';
  session.write(qsp::as_bytes("hello alice")).value();
  session.finish().value();
  session.close();
} catch (const std::bad_expected_access<qsp::Failure>& failed) {
  return std::cerr << failed.error().text << '\n', 1;
} catch (const std::bad_expected_access<qsp::Error>& failed) {
  return std::cerr << failed.error().where << '\n', 1;
}
